"""This file is the searchers that stay open so that a list by relevance can be read on as it was begun."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from schema.errors import CursorExpired

SECONDS = 300.0
MOST = 16

Held = TypeVar("Held")


class Pins(Generic[Held]):
    """The last few things that cursors name, each for five minutes after it was last named. Safe for several threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
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
        now = self._clock()
        for name in [name for name, (until, _) in self._held.items() if until < now]:
            del self._held[name]
        while len(self._held) > MOST:
            self._held.popitem(last=False)
