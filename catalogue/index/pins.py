"""This file is the states that stay open so that a list by relevance can be read on as it was begun."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from schema.errors import CursorExpired

SECONDS = 300.0
MOST = 16

Held = TypeVar("Held")


def _nobody(_name: str) -> None:
    """Nobody is told."""


class Pins(Generic[Held]):
    """Things that cursors name, each for five minutes after it was last named, but the last `most` at most. `dropped` is told each
    name that is held no longer. Safe for several threads."""

    def __init__(
        self, clock: Callable[[], float], *, most: int = MOST, dropped: Callable[[str], None] = _nobody
    ) -> None:
        self._clock = clock
        self._most = most
        self._dropped = dropped
        self._held: OrderedDict[str, tuple[float, Held]] = OrderedDict()
        self._lock = threading.Lock()

    def keep(self, name: str, held: Held) -> None:
        """Hold it for five minutes from now."""
        with self._lock:
            self._held[name] = (self._clock() + SECONDS, held)
            self._held.move_to_end(name)
            self._prune()

    def find(self, name: str) -> Held:
        """What that name holds. Raises CursorExpired."""
        with self._lock:
            self._prune()
            found = self._held.get(name)
        if found is None:
            raise CursorExpired(
                "This list has changed since, and its old state is no longer held. Begin at the first page again."
            )
        return found[1]

    def _prune(self) -> None:
        """Those kept longest ago stand first, so that their time is over first."""
        now = self._clock()
        while self._held:
            name, (until, _) = next(iter(self._held.items()))
            if until >= now and len(self._held) <= self._most:
                return
            del self._held[name]
            self._dropped(name)
