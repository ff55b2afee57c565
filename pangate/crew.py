"""This file is the threads beside the server: on one machine everything (projector, sweeper, platform watch, a Celery worker on the
in-process broker); with a broker only what an embedded index needs, since workers and beat are processes of their own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from pangate.figures import Figures
from pangate.hands import AT_ONCE, Hands
from pangate.house import House
from pangate.loops import Loop, Loops, Once
from pangate.projection import Projection
from pangate.sweeper import owed_harvests, owed_launches
from pangate.tasks import HARVESTS, LAUNCHES
from pangate.wake import Waker
from pangate.work import Work

log = structlog.get_logger("pangate.crew")

SWEEP_S, LOOK_S, PURGE_S, FIGURES_S = 2.0, 30.0, 600.0, 15.0
SHARE = 0.4
"""The part of the time given for an end in which tasks may come to theirs."""


class Crew:
    """Everything that works beside the server in one process."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.waker = Waker(house.settings)
        self.work = Work(house, self.waker.launch, self.waker.harvest)
        self._alone = house.settings.broker is None
        self._projection = Projection(house)
        loops = self._projection.loops() if self._alone or house.settings.index_url is None else []
        self._loops = Loops([*loops, *self._own()] if self._alone else loops)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """While it lasts, the crew works; at the end every hand finishes its step and stops."""
        with self._loops.running():
            if not self._alone:
                yield
                return
            hands = Hands(self._house.settings, self.work, (HARVESTS, LAUNCHES), AT_ONCE)
            hands.start()
            try:
                yield
            finally:
                self.work.end()
                if not hands.finish(SHARE * self._house.settings.grace):
                    log.warning("ended_with_work_in_hand")
        self._projection.leave()

    def _own(self) -> list[Loop]:
        figures = Figures(self._house, None)
        return [
            Loop("sweeper", self._sweep, SWEEP_S),
            Loop("platforms", self.work.look, LOOK_S),
            Loop("purge", self.work.purge, PURGE_S),
            Loop("figures", figures.take, FIGURES_S),
            Loop("realign", Once(self._house.truth.realign), LOOK_S),
        ]

    def _sweep(self) -> None:
        for launch in owed_launches(self._house):
            if not self.work.is_busy(f"launch:{launch}"):
                self.waker.launch(launch)
        free = AT_ONCE[HARVESTS] - self.work.busy("harvest:")
        for source, mode in owed_harvests(self._house):
            if free > 0 and not self.work.is_busy(f"harvest:{source}"):
                self.waker.harvest(source, mode)
                free -= 1
