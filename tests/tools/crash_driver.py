"""A process that kills itself on purpose: this file opens a house, does what it is told, and dies at the n-th visit of a named point."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from small_federation import SECRETS

from catalogue import links
from catalogue.query import AnyOf, Field, Search
from catalogue.rebuild import rebuild
from harvesters.harvest import harvest
from harvesters.ports import End, Order, Step
from harvesters.registry import KINDS
from pangate.house import House, open_house
from pangate.settings import Settings
from pangate.sweeper import owed_harvests, owed_launches
from schema.access import Viewer
from schema.activities import FINAL, HarvestState, LaunchState
from schema.records import Dataset, decode_document
from triggers import desk, launch, reconcile

BOHR = Viewer(issuer="https://id.example.org", subject="bohr", name="Bohr", claims={"preferred_username": "bohr"})


@dataclass(frozen=True)
class Plan:
    """What a process does. `kill`: at which named point, and at its which visit (from 1); None: it lives."""

    folder: Path
    federation: Path
    now: datetime
    work: tuple[str, ...]
    kill: tuple[str, int] | None = None
    moving: bool = False
    done: Path | None = None

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
    return (lambda: plan.now + timedelta(seconds=time.monotonic() - begun)) if plan.moving else (lambda: plan.now)


def main(plan: Plan) -> None:
    """Do the plan in this process."""
    os.environ.update(SECRETS)
    links.AT_ONCE = 10  # touches beyond so many are owed, so that the owing is cut too
    begun = time.monotonic()
    at = Points(plan.kill)
    with open_house(plan.settings(), write_index=True, clock=clock_of(plan), at=at) as opened:
        assert opened.projecting, "the lock of a killed process is free at once"
        watched = {key: _watched(platform, at) for key, platform in opened.platforms.items()}
        house = dataclasses.replace(opened, platforms=watched)
        house.index.search(Search(first=1))
        ready = time.monotonic() - begun
        for work in plan.work:
            WORK[work](house, at)
    if plan.done is not None:
        plan.done.write_text(json.dumps({"visits": at.visits, "ready": ready, "took": time.monotonic() - begun}))


def _harvests(house: House, at: Points) -> None:
    """What the sweeper finds owed, until nothing is."""
    while owed := owed_harvests(house):
        for source, mode in owed:
            facility, place = house.federation.sources()[source]

            def walk(order: Order, facility: Any = facility, place: Any = place) -> Iterator[Step | End]:
                harvester = KINDS[place.kind](facility, place, house.environment, house.clock)
                try:
                    at("walk: begun")
                    for step in harvester.walk(order):
                        at("walk: end fetched" if isinstance(step, End) else "walk: step fetched")
                        yield step
                finally:
                    harvester.close()

            done = harvest(source, mode, walk, house.harvests, house.owner)
            assert done is not None, f"the lease of {source} is not free"
            assert done.state in (HarvestState.DONE, HarvestState.DEGRADED), f"{source}: {done.state} {done.message}"


def _project(house: House, _at: Points) -> None:
    house.projector.project(40)


def _rebuild(house: House, _at: Points) -> None:
    rebuild(house.projector, 40)


def _session(house: House, _at: Points) -> None:
    """A launch from the request to its end, whatever was reached before: asked for, ready, opened, stopped, reconciled."""
    found = house.index.search(
        Search(clauses=(AnyOf(Field.FACILITY, ("freya",)), AnyOf(Field.ACCESS, ("OPEN",))), first=50)
    )
    documents = (decode_document(hit.raw) for hit in found.hits)
    chosen = min(
        (each for each in documents if isinstance(each.record, Dataset) and each.record.location),
        key=lambda document: document.record.pid,
    )
    asked, _ = desk.analyse(house.desk, chosen, BOHR, desk.Order(key="crash"))
    _advanced(house, asked.id, lambda state: state in FINAL or state in (LaunchState.READY, LaunchState.OPENED))
    now = desk.mine(house.desk, asked.id, BOHR)
    if now.state in (LaunchState.READY, LaunchState.OPENED) and now.wanted != "stop":
        desk.open_launch(house.desk, desk.ticket(house.desk, asked.id, BOHR, "browser"), BOHR, "browser")
        desk.stop(house.desk, asked.id, BOHR)
    _advanced(house, asked.id, lambda state: state in FINAL)
    for platform in house.platforms.values():
        report = reconcile.reconcile(platform, house.line, timedelta())
        assert (report.ended, report.problem) == ((), ""), f"an orphan session: {report}"


def _started(house: House, _at: Points) -> None:
    """A launch that is asked for and made ready, nothing more."""
    found = house.index.search(Search(clauses=(AnyOf(Field.FACILITY, ("freya",)),), first=50))
    documents = [decode_document(hit.raw) for hit in found.hits]
    chosen = min((each for each in documents if each.record.location), key=lambda document: document.record.pid)  # type: ignore[union-attr]
    asked, _ = desk.analyse(house.desk, chosen, BOHR, desk.Order(key="left"))
    _advanced(house, asked.id, lambda state: state in FINAL or state is LaunchState.READY)


def _reconcile(house: House, _at: Points) -> None:
    """The next start's crew alone, an hour later: owed steps, then what every platform has."""
    end = time.monotonic() + 20
    while (owed := owed_launches(house)) and time.monotonic() < end:
        for id in owed:
            launch.advance(id, house.line)
        if all(_resting(house, id) for id in owed):
            break
    for platform in house.platforms.values():
        report = reconcile.reconcile(platform, house.line)
        assert report.problem == "", report


def _resting(house: House, id: str) -> bool:
    found = house.launches.launch(id)
    return found is None or found.state in FINAL or found.state in (LaunchState.READY, LaunchState.OPENED)


def _advanced(house: House, id: str, enough: Callable[[LaunchState], bool]) -> None:
    end = time.monotonic() + 30
    while not enough(desk.mine(house.desk, id, BOHR).state):
        for owed in owed_launches(house):
            launch.advance(owed, house.line)
        assert time.monotonic() < end, desk.mine(house.desk, id, BOHR)
        time.sleep(0.01)


WORK: dict[str, Callable[[House, Points], None]] = {
    "harvests": _harvests,
    "project": _project,
    "rebuild": _rebuild,
    "session": _session,
    "started": _started,
    "reconcile": _reconcile,
}


class _Watched:
    """An adapter with a named point before and after every call to the site that changes something there or tells how it stands."""

    def __init__(self, adapter: Any, at: Points) -> None:
        self._adapter, self._at = adapter, at

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._adapter, name)
        if name not in ("preflight", "start", "probe", "watch", "open", "stop", "owned"):
            return found

        def call(*arguments: Any) -> Any:
            self._at(f"site: before {name}")
            value = found(*arguments)
            self._at(f"site: after {name}")
            return value

        return call


def _watched(platform: Any, at: Points) -> Any:
    return msgspec.structs.replace(platform, adapter=_Watched(platform.adapter, at))
