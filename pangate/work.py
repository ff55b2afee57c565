"""This file is the work of a worker: one harvest, one launch's next steps, one look at the platforms; each safe to repeat."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from typing import TypeVar

import structlog

from catalogue.ports import Harvest
from harvesters import child
from harvesters.harvest import Progress, harvest
from harvesters.ports import End, Order, Step
from pangate.house import House
from pangate.sweeper import owed_harvests
from pangate.tally import HARVESTS_ENDED, LAUNCH_STEPS
from schema.activities import HarvestMode
from schema.errors import Unavailable
from triggers import launch, outlook, reconcile

log = structlog.get_logger("pangate.work")

SLICE_S = 900.0
"""A harvest that takes longer goes on under a new wake-up, so that no broker thinks the first one lost."""
SOON_S = 60.0
"""What is due later than that is the sweeper's to find."""
_PAUSES_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
T = TypeVar("T")
Later = Callable[[str, float], None]
Again = Callable[[str, HarvestMode], None]


def _quiet(_run: Harvest, _message: str, _total: int | None) -> None:
    """Nobody watches."""


class Interrupted(Exception):
    """A harvest stops between two pages because its process ends or its slice is over; it is owed, and goes on at its bookmark."""


def _moved(item: Step | End, order: Order) -> bool:
    """Whether a walk cut here would go on elsewhere than where it began."""
    if not isinstance(item, Step):
        return False
    return bool(order.ids) or (bool(item.bookmark.state) and item.bookmark != order.resume)


class Work:
    """What one process does when it is woken. The same thing is never done twice at once in one process (and, by leases, anywhere).

    `later` is told when a launch has its next step soon, `again` when a harvest has more to do than fits into a slice. `left` are the
    harvests left to others when this process ends: to be sent when it takes no more wake-ups itself."""

    def __init__(
        self, house: House, later: Later = lambda _id, _seconds: None, again: Again = lambda _source, _mode: None
    ) -> None:
        self._house = house
        self._later, self._again = later, again
        self._busy: dict[str, float] = {}
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self.left: list[tuple[str, HarvestMode]] = []

    def end(self) -> None:
        """Have everything stop at its next safe point."""
        self._ending.set()

    def busy(self, prefix: str) -> int:
        """How many things whose name begins so are being done."""
        with self._lock:
            return sum(name.startswith(prefix) for name in self._busy)

    def is_busy(self, name: str) -> bool:
        """Whether that very thing is being done."""
        with self._lock:
            return name in self._busy

    def hanging(self, prefix: str, seconds: float) -> list[str]:
        """What has been in hand longer than that."""
        now = time.monotonic()
        with self._lock:
            return [name for name, since in self._busy.items() if name.startswith(prefix) and now - since > seconds]

    def harvest(
        self, source: str, mode: str, progress: Progress = _quiet, slice_s: float | None = SLICE_S
    ) -> Harvest | None:
        """Harvest a source; None when it is being harvested already, is not in the federation, or goes on later."""
        found = self._house.federation.sources().get(source)
        if found is None:
            return None
        if self._ending.is_set():
            self.left.append((source, HarvestMode(mode)))
            return None
        facility, place = found
        until = time.monotonic() + (slice_s or child.SECONDS)

        def walk(order: Order) -> Generator[Step | End, None, None]:
            given = (facility, place, order, self._house.environment, self._house.vocabulary)
            with closing(child.walk(*given)) as steps:
                for item in steps:
                    yield item  # and it is committed when we are asked for the next
                    over = time.monotonic() > until and _moved(item, order)
                    if self._ending.is_set() or over:
                        raise Interrupted

        with self._alone(f"harvest:{source}") as alone:
            if not alone:
                return None
            cut = False
            try:
                done = self._patiently(
                    lambda: harvest(source, HarvestMode(mode), walk, self._house.harvests, self._house.owner, progress)
                )
            except Interrupted:
                done, cut = None, True
                log.info("harvest_interrupted", source=source, mode=mode, ending=self._ending.is_set())
        if cut and self._ending.is_set():
            self.left.append((source, HarvestMode(mode)))
        elif cut:
            self._again(source, HarvestMode(mode))
        if done is not None:
            HARVESTS_ENDED.labels(source, done.state.value).inc()
            log.info("harvest", source=source, state=done.state.value, seen=done.figures.seen, message=done.message)
        return done

    def woken(self, source: str) -> Harvest | None:
        """Harvest a source if that is owed by the tables. A wake-up that comes twice, or late, finds it done or being done."""
        mode = dict(owed_harvests(self._house)).get(source)
        return None if mode is None else self.harvest(source, mode.value)

    def advance(self, id: str) -> None:
        """A launch's next steps; whoever takes them has the following ones remembered."""
        ledger, clock = self._house.launches, self._house.clock
        with self._alone(f"launch:{id}") as alone:
            before = ledger.launch(id) if alone else None
            if before is None or before.due is None or before.due > clock():
                return
            after = self._patiently(lambda: launch.advance(id, self._house.line))
        if after is None or after.version == before.version:
            return
        if after.state is not before.state:
            LAUNCH_STEPS.labels(after.state.value).inc()
        if after.due is not None and (wait := (after.due - clock()).total_seconds()) <= SOON_S:
            self._later(id, max(wait, 0.05))

    def look(self) -> None:
        """What every platform can do at present, and what at the sites is ours but unknown, or known but gone."""
        with self._alone("look") as alone:
            for platform in self._house.platforms.values() if alone else ():
                outlook.look(platform, self._house.launches, self._house.clock)
                report = reconcile.reconcile(platform, self._house.line)
                if report.ended or report.missing:
                    log.warning(
                        "reconciled", platform=platform.key, ended=len(report.ended), missing=len(report.missing)
                    )

    def purge(self) -> None:
        """Forget sessions, sign-ins and tickets that have expired."""
        self._house.sessions.purge(self._house.clock())

    def _patiently(self, work: Callable[[], T]) -> T:
        """The work's value; begun again while the database restarts, since we hold its lease. Raises Unavailable in the end."""
        for pause in _PAUSES_S:
            try:
                return work()
            except Unavailable as error:
                log.warning("database_unavailable", reason=error.message)
                if self._ending.wait(pause):
                    raise
        return work()

    @contextmanager
    def _alone(self, name: str) -> Iterator[bool]:
        with self._lock:
            free = name not in self._busy
            if free:
                self._busy[name] = time.monotonic()
        try:
            yield free
        finally:
            if free:
                with self._lock:
                    self._busy.pop(name, None)
