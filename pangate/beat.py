"""This file is `pangate beat`: the sweeper of the second profile. It finds what is owed in the tables and sends the wake-ups; of several
beats one works, the others stand by."""

from __future__ import annotations

from pangate import checks, ending
from pangate.figures import Figures
from pangate.house import House
from pangate.loops import Loop, Loops, Once
from pangate.post import Post
from pangate.sweeper import owed_harvests, owed_launches
from pangate.wake import Waker
from pangate.watch import until_told, watching

SWEEP_S, LOOK_S, PURGE_S, FIGURES_S = 60.0, 30.0, 600.0, 15.0


class Beat:
    """The beat of one process."""

    def __init__(self, house: House, sweep_s: float = SWEEP_S) -> None:
        self._house = house
        self._waker = Waker(house.settings)
        self._post = Post(house.harvests, "beat", house.owner)
        self._figures = Figures(house, self._waker.app)
        self._realign = Once(house.truth.realign)
        self._sweep_s = sweep_s
        self._needed = checks.needed(house, self._waker.app, index=False)

    def loops(self) -> list[Loop]:
        """What it does again and again."""
        return [
            self._post.loop(),
            Loop("sweeper", self._sweep, self._sweep_s),
            Loop("platforms", self._look, LOOK_S),
            Loop("purge", self._purge, PURGE_S),
            Loop("realign", self._realign_once, LOOK_S, patience=6 * 3600.0),
            Loop("figures", self._figures.take, FIGURES_S),
        ]

    def parts(self) -> dict[str, str]:
        """What it works with, and how each is."""
        return checks.seen(self._needed)

    def leave(self) -> None:
        """Let another beat work."""
        self._post.leave()

    def _sweep(self) -> None:
        if not self._mine():
            return
        for launch in owed_launches(self._house):
            self._waker.launch(launch)
        for source, mode in owed_harvests(self._house):
            self._waker.harvest(source, mode)

    def _look(self) -> None:
        if self._mine():
            self._waker.look()

    def _purge(self) -> None:
        if self._mine():
            self._waker.purge()

    def _realign_once(self) -> None:
        """The federation file may have another order of sources than it had when the last beat began."""
        if self._mine():
            self._realign()

    def _mine(self) -> bool:
        if not self._post.held:
            self._post.keep()
        return self._post.held


def beat(house: House, sweep_s: float = SWEEP_S) -> None:
    """Sweep until told to stop."""
    own = Beat(house, sweep_s)
    loops = Loops(own.loops())
    with watching(house.settings, loops.hanging, own.parts), loops.running():
        until_told()
        ending.bound(house.settings.grace)
    own.leave()
