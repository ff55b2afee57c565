"""This file is the work of a worker: one harvest, one launch's next steps, one look at the platforms; each safe to repeat."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from catalogue.ports import Harvest
from harvesters import child
from harvesters.harvest import Progress, harvest
from harvesters.ports import End, Order, Step
from pangate.house import House
from schema.activities import HarvestMode
from triggers import launch, outlook, reconcile

log = structlog.get_logger("pangate.work")


def _quiet(_run: Harvest, _message: str, _total: int | None) -> None:
    """Nobody watches."""


class Work:
    """What one process does when it is woken. The same thing is never done twice at once in one process (and, by leases, anywhere)."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._busy: set[str] = set()
        self._lock = threading.Lock()

    def busy(self, prefix: str) -> int:
        """How many things whose name begins so are being done."""
        with self._lock:
            return sum(name.startswith(prefix) for name in self._busy)

    def is_busy(self, name: str) -> bool:
        """Whether that very thing is being done."""
        with self._lock:
            return name in self._busy

    def harvest(self, source: str, mode: str, progress: Progress = _quiet) -> Harvest | None:
        """Harvest a source; None when it is being harvested already, or is not in the federation."""
        found = self._house.federation.sources().get(source)
        if found is None:
            return None
        facility, place = found

        def walk(order: Order) -> Iterator[Step | End]:
            return child.walk(facility, place, order, self._house.environment)

        with self._alone(f"harvest:{source}") as alone:
            if not alone:
                return None
            done = harvest(source, HarvestMode(mode), walk, self._house.harvests, self._house.owner, progress)
        if done is not None:
            log.info("harvest", source=source, state=done.state.value, seen=done.figures.seen, message=done.message)
        return done

    def advance(self, id: str) -> None:
        """A launch's next steps."""
        with self._alone(f"launch:{id}") as alone:
            if alone:
                launch.advance(id, self._house.line)

    def look(self) -> None:
        """What every platform can do at present, and what at the sites is ours but unknown, or known but gone."""
        for platform in self._house.platforms.values():
            outlook.look(platform, self._house.launches, self._house.clock)
            report = reconcile.reconcile(platform, self._house.line)
            if report.ended or report.missing:
                log.warning("reconciled", platform=platform.key, ended=len(report.ended), missing=len(report.missing))

    @contextmanager
    def _alone(self, name: str) -> Iterator[bool]:
        with self._lock:
            free = name not in self._busy
            self._busy.add(name)
        try:
            yield free
        finally:
            if free:
                with self._lock:
                    self._busy.discard(name)
