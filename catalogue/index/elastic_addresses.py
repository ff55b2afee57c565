"""This file is which address of a cluster the next call goes to, so that one that hangs holds up few calls. It asks nobody.

Each address has places of its own: what hangs at one can never take those of another. The least busy one is asked. One that failed, or
kept a call waiting, is left alone for a while (1 s, doubled each time up to 30 s), then asked one call at a time until it has answered;
only where no other is left it is asked all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

REST_S, LONGEST_S = 1.0, 30.0
SLOW_S = 1.5  # a call that is given up after so long says something about the address
TRIAL_S = 0.5  # and one of an address that has failed, after so long


@dataclass
class Address:
    """One address, as this process sees it."""

    url: str
    busy: int = 0
    failures: int = 0
    rests_until: float = 0.0
    turn: int = 0


class Addresses:
    """The addresses of one cluster, each with so many `places`. `clock` gives seconds. For one event loop."""

    def __init__(self, urls: Sequence[str], places: int, clock: Callable[[], float]) -> None:
        self._all = [Address(url) for url in urls]
        self._places = places
        self._clock = clock
        self._turn = 0

    def take(self, avoided: Collection[str] = ()) -> Address | None:
        """The address for a call, a place of it taken; those to be avoided come last. None when those that can be asked are full."""
        now = self._clock()
        others = [one for one in self._all if one.url not in avoided] or self._all
        sound = [one for one in others if not _doubtful(one, now)] or others
        free = [one for one in sound if one.busy < self._places]
        if not free:
            return None
        chosen = min(free, key=lambda one: (one.busy, one.turn))
        self._turn += 1
        chosen.turn = self._turn
        chosen.busy += 1
        return chosen

    def answered(self, address: Address) -> None:
        """A call has been answered; its place is free."""
        address.busy -= 1
        address.failures, address.rests_until = 0, 0.0

    def failed(self, address: Address) -> None:
        """A call met nobody, or waited in vain. Those that fail together count once."""
        address.busy -= 1
        now = self._clock()
        if now >= address.rests_until:
            address.rests_until = now + min(LONGEST_S, REST_S * 2 ** min(address.failures, 10))
            address.failures += 1

    def left(self, address: Address, waited: float = 0.0) -> None:
        """A call was given up after so many seconds: too soon to say anything, or a failure."""
        if waited >= (TRIAL_S if address.failures else SLOW_S):
            self.failed(address)
        else:
            address.busy -= 1


def _doubtful(address: Address, now: float) -> bool:
    """Whether it rests, or is on trial with a call under way."""
    return address.failures > 0 and (now < address.rests_until or address.busy > 0)
