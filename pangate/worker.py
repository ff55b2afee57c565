"""This file is `pangate worker`: hands on some queues of a broker that several machines share, and with maintenance the projector."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

import structlog

from harvesters.child import SECONDS as HARVEST_S
from pangate import checks, ending
from pangate.hands import AT_ONCE, Hands
from pangate.house import House
from pangate.loops import Loops
from pangate.projection import Projection
from pangate.tasks import HARVESTS, LAUNCHES, MAINTENANCE
from pangate.wake import Waker
from pangate.watch import until_told, watching
from pangate.work import Work

log = structlog.get_logger("pangate.worker")

SHARE = 0.7
"""The part of the time given for an end in which tasks may come to theirs."""
LIMITS: Mapping[str, tuple[str, float]] = {
    HARVESTS: ("harvest:", HARVEST_S + 600.0),
    LAUNCHES: ("launch:", 600.0),
    MAINTENANCE: ("look", 1800.0),
}
"""The time after which a task of a queue hangs (threads cannot be killed: the process ends, and what it held is taken over)."""


class Worker:
    """The worker of one process."""

    def __init__(self, house: House, queues: Sequence[str], at_once: Mapping[str, int] = AT_ONCE) -> None:
        self._waker = Waker(house.settings)
        self._queues = queues
        self._work = Work(house, self._waker.launch, self._waker.harvest)
        self._hands = Hands(house.settings, self._work, queues, at_once)
        self._projection = Projection(house) if MAINTENANCE in queues else None
        self._loops = Loops(self._projection.loops() if self._projection else [])
        self._settings = house.settings
        self._needed = checks.needed(house, self._waker.app, index=self._projection is not None)

    def run(self) -> bool:
        """Work until told to stop; whether everything in hand was finished."""
        with watching(self._settings, self.wrong, self.parts), self._loops.running():
            self._hands.start()
            until_told(lambda: not (self._stuck() or self._hands.dead()))
            ending.bound(self._settings.grace)
            self._work.end()
            finished = self._hands.finish(SHARE * self._settings.grace)
            for source, mode in self._work.left:
                self._waker.harvest(source, mode)
        if self._projection:
            self._projection.leave()
        return finished and not self._stuck()

    def wrong(self) -> list[str]:
        """What hangs or has died."""
        return [*self._loops.hanging(), *self._hands.dead(), *self._stuck()]

    def parts(self) -> dict[str, str]:
        """What it works with, and how each is."""
        return checks.seen(self._needed)

    def _stuck(self) -> list[str]:
        return [name for queue in self._queues for name in self._work.hanging(*LIMITS[queue])]


def work(house: House, queues: Sequence[str], at_once: Mapping[str, int] = AT_ONCE) -> None:
    """Work until told to stop. What cannot be finished in time is left to its lease."""
    if not Worker(house, queues, at_once).run():
        log.warning("ended_with_work_in_hand")
        os._exit(1)  # a thread that does not end would hold the interpreter for ever
