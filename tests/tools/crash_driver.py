"""A process that kills itself on purpose: this file opens a house, does what it is told, and dies at the n-th visit of a named point."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import faults
import msgspec
import structlog
from faults import Fault
from small_federation import SECRETS, StillTime

from catalogue import links
from catalogue.query import AnyOf, Field, Search
from catalogue.rebuild import rebuild
from harvesters.harvest import LEASE_S
from harvesters.ports import End, Order, Secrets, Step
from harvesters.registry import KINDS
from pangate import projection, work
from pangate.house import House, open_house
from pangate.settings import Settings
from pangate.sweeper import owed_harvests, owed_launches
from pangate.work import Work
from schema.access import Viewer
from schema.activities import FINAL, HarvestState, LaunchState
from schema.errors import PangateError
from schema.federation import Facility, Source
from schema.records import Dataset, Document, decode_document
from schema.techniques import Vocabulary
from triggers import desk, reconcile

BOHR = Viewer(issuer="https://id.example.org", subject="bohr", name="Bohr", claims={"preferred_username": "bohr"})
HASTE = 20
"""How much faster time goes for launches: their pauses of seconds would be waited for in every trial."""
ENOUGH = 300
"""Failures after which a patient life gives up."""
T = TypeVar("T")
SMALL = 20
"""Documents in a batch of the projector and of a rebuild, so that there are several."""


@dataclass(frozen=True)
class Plan:
    """What a process does. `kill`: at which named point, and at its which visit (from 1); None: it lives. `moving`: its time moves.
    `ready` and `done` are the files where it notes when it could answer, with its processor time, and that it came to its end.
    `patient`: it goes on, as the crew does, when it is told that a store failed; after three such answers it removes the file
    `ballast`; `fault` is what its disk does; `dies`: it kills itself at its so manieth failure."""

    folder: Path
    federation: Path
    now: datetime
    work: tuple[str, ...]
    kill: tuple[str, int] | None = None
    moving: bool = False
    ready: Path | None = None
    done: Path | None = None
    patient: bool = False
    ballast: Path | None = None
    fault: Fault | None = None
    dies: int | None = None

    def settings(self) -> Settings:
        """The settings of the house in the folder."""
        return Settings(federation=self.federation, data=self.folder, url="http://127.0.0.1:8080", rate_limit=False)


@dataclass
class Points:
    """The hook: counts visits, and kills at the chosen one."""

    kill: tuple[str, int] | None
    visits: Counter[str] = field(default_factory=Counter)

    def __call__(self, name: str) -> None:
        self.visits[name] += 1
        if self.kill == (name, self.visits[name]):
            os.kill(os.getpid(), signal.SIGKILL)


def clock_of(plan: Plan) -> Callable[[], datetime]:
    """A clock that stands still, or one that goes on from the plan's moment."""
    begun = time.monotonic()
    if plan.moving:
        return lambda: plan.now + timedelta(seconds=(time.monotonic() - begun) * HASTE)
    return StillTime(plan.now)


def main(plan: Plan) -> None:
    """Do the plan, and end this process: with 0 when all of it was done."""
    try:
        lived(plan)
    except BaseException:  # noqa: BLE001 the border of a process: whatever it was, the trial must see it
        traceback.print_exc()
        os._exit(1)
    os._exit(0)  # the house is closed; what an interpreter does at its end takes longer than the start that is measured


def lived(plan: Plan) -> None:
    """Do the plan in this process."""
    os.environ.update(SECRETS)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    links.AT_ONCE = 5  # touches beyond so many are owed, so that the owing is cut too
    at = Points(plan.kill)
    clock = clock_of(plan)
    work.child.walk = partial(_walk, at, clock)  # in this process, at the house's time, with points of its own
    projection.rebuild = partial(rebuild, limit=SMALL)
    if plan.patient:
        work._PAUSES_S, projection.RETRY_S = (0.0,), 0.0
    begun, trouble = time.monotonic(), Trouble(plan)
    with _opened(plan, clock, at, trouble) as opened:
        assert opened.projecting, "the lock of a killed process is free at once"
        watched = {key: _watched(platform, at) for key, platform in opened.platforms.items()}
        house = dataclasses.replace(opened, platforms=watched)
        house.index.search(Search(first=1))
        if plan.ready is not None:
            plan.ready.write_text(f"{time.monotonic()} {time.process_time()}")
        for each in plan.work:
            trouble.patiently(lambda each=each: WORK[each](house), lambda: _reads(house))  # type: ignore[misc]
    if plan.done is not None:
        seen, failed = trouble.end()
        told = {
            "visits": at.visits,
            "took": time.monotonic() - begun,
            "seen": seen,
            "failed": failed,
            "told": trouble.told,
        }
        plan.done.write_text(json.dumps(told))


class Trouble:
    """What goes wrong in a life: each failure of a store that was told, and the relief that comes after some."""

    def __init__(self, plan: Plan) -> None:
        self.told: list[tuple[str, str]] = []
        self._plan = plan
        self._control = Path(os.environ["PANGATE_FAULTS"]) if plan.fault else None
        if self._control is not None:
            faults.arm(self._control, plan.fault)

    def patiently(self, do: Callable[[], T], look: Callable[[], None] = lambda: None) -> T:
        """Do it; again when it fails in a way that a person is told in one sentence. `look` must succeed meanwhile."""
        while True:
            try:
                return do()
            except PangateError as error:
                if not self._plan.patient or len(self.told) > ENOUGH:
                    raise
                self._note(error)
                look()
                time.sleep(0.01)

    def end(self) -> tuple[int, int]:
        """What the fault has done."""
        return faults.met(self._control) if self._control is not None else (0, 0)

    def _note(self, error: PangateError) -> None:
        self.told.append((getattr(error, "reason", error.code), error.message))
        if len(self.told) == self._plan.dies:
            os.kill(os.getpid(), signal.SIGKILL)
        if len(self.told) == 3 and self._plan.ballast is not None:
            self._plan.ballast.unlink()


@contextmanager
def _opened(plan: Plan, clock: Callable[[], datetime], at: Points, trouble: Trouble) -> Iterator[House]:
    """The house, tried again while its disk does not let it be opened, as whoever starts a server again does."""
    with ExitStack() as stack:
        yield trouble.patiently(
            lambda: stack.enter_context(open_house(plan.settings(), write_index=True, clock=clock, at=at))
        )


def _reads(house: House) -> None:
    """What is kept is read and searched while nothing can be written."""
    assert house.truth.count() >= 0
    assert house.index.search(Search(first=1)).total >= 0


def _walk(
    at: Points,
    clock: Callable[[], datetime],
    facility: Facility,
    source: Source,
    order: Order,
    secrets: Secrets,
    vocabulary: Vocabulary | None = None,
) -> Iterator[Step | End]:
    """As harvesters.child.walk, but within this process: a process a harvest would take a second of each trial."""
    harvester = KINDS[source.kind](facility, source, secrets, clock, vocabulary)
    try:
        at("walk: begun")
        for step in harvester.walk(order):
            at("walk: end fetched" if isinstance(step, End) else "walk: step fetched")
            yield step
    finally:
        harvester.close()


def _harvests(house: House) -> None:
    """What the sweeper finds owed, until nothing is."""
    hands = Work(house)
    while owed := owed_harvests(house):
        for source, mode in owed:
            done = hands.harvest(source, mode)
            assert done is not None, f"the lease of {source} is not free"
            assert done.state in (HarvestState.DONE, HarvestState.DEGRADED), f"{source}: {done.state} {done.message}"
    if any(
        state.running for state in house.harvests.states()
    ):  # our own lease, which a full disk did not let us give back
        assert isinstance(house.clock, StillTime)
        house.clock.now += timedelta(seconds=LEASE_S + 1)
        _harvests(house)


def _project(house: House) -> None:
    house.projector.project(SMALL)


def _rebuild(house: House) -> None:
    """A rebuild that somebody asks for (twice is once), as the projector's duty does it."""
    house.rebuilds.request("somebody")
    projection.Projection(house).renew_if_due()
    assert (due := house.rebuilds.due()) is None or due > house.clock(), "the rebuild is done"


def _session(house: House) -> None:
    """A launch from the request to its end, whatever was reached before: asked for, ready, opened, stopped, reconciled."""
    Work(house).look()
    asked, _ = desk.analyse(house.desk, _open_dataset(house), BOHR, desk.Order(key="crash"))
    _advanced(house, asked.id, lambda state: state in FINAL or state in (LaunchState.READY, LaunchState.OPENED))
    now = desk.mine(house.desk, asked.id, BOHR)
    if now.state in (LaunchState.READY, LaunchState.OPENED) and now.wanted != "stop":
        desk.open_launch(house.desk, desk.ticket(house.desk, asked.id, BOHR, "browser"), BOHR, "browser")
        desk.stop(house.desk, asked.id, BOHR)
    _advanced(house, asked.id, lambda state: state in FINAL)
    for platform in house.platforms.values():
        report = reconcile.reconcile(platform, house.line, timedelta())
        assert (report.ended, report.problem) == ((), ""), f"an orphan session: {report}"


def _started(house: House) -> None:
    """A launch that is asked for and made ready, nothing more; then the reconciler's next pass."""
    asked, _ = desk.analyse(house.desk, _open_dataset(house), BOHR, desk.Order(key="left"))
    _advanced(house, asked.id, lambda state: state in FINAL or state is LaunchState.READY)
    Work(house).look()


def _open_dataset(house: House) -> Document:
    """A dataset of Freya's whose data is open and has a place, always the same."""
    open_ = (AnyOf(Field.FACILITY, ("freya",)), AnyOf(Field.ACCESS, ("OPEN",)))
    documents = (decode_document(hit.raw) for hit in house.index.search(Search(clauses=open_, first=50)).hits)
    placed = (each for each in documents if isinstance(each.record, Dataset) and each.record.location)
    return min(placed, key=lambda document: document.record.pid)


def _advanced(house: House, id: str, enough: Callable[[LaunchState], bool]) -> None:
    """Every step that is owed, until the launch is far enough."""
    hands, end = Work(house), time.monotonic() + 120
    while not enough(desk.mine(house.desk, id, BOHR).state):
        for owed in owed_launches(house):
            hands.advance(owed)
        assert time.monotonic() < end, desk.mine(house.desk, id, BOHR)
        time.sleep(0.01)


WORK: dict[str, Callable[[House], None]] = {
    "harvests": _harvests,
    "project": _project,
    "rebuild": _rebuild,
    "session": _session,
    "started": _started,
}


class _Watched:
    """An adapter with a named point before and after every call to the site that changes something there or tells how it stands."""

    def __init__(self, adapter: Any, at: Points) -> None:
        self._adapter, self._at = adapter, at

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._adapter, name)
        if name not in ("look", "preflight", "start", "probe", "watch", "open", "stop", "owned"):
            return found

        def call(*arguments: Any) -> Any:
            self._at(f"site: before {name}")
            value = found(*arguments)
            self._at(f"site: after {name}")
            return value

        return call


def _watched(platform: Any, at: Points) -> Any:
    return msgspec.structs.replace(platform, adapter=_Watched(platform.adapter, at))
