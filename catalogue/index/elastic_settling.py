"""This file is when what was written is seen and counted into the mark: soon after the last of it, now and then while more comes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from catalogue.index.elastic_generations import Generation
from schema.errors import Misconfigured, Unavailable

SOON = 1.0  # seconds after the last write
LONGEST = 30.0  # that writes wait while more come: to show them costs the engine half a second of one processor, and small segments
_log = logging.getLogger(__name__)


class Alarm(Protocol):
    """What calls once, later; as threading.Timer."""

    def start(self) -> None:
        """Begin to wait."""

    def cancel(self) -> None:
        """Do not call."""


Later = Callable[[float, Callable[[], None]], Alarm]


def in_a_thread(seconds: float, then: Callable[[], None]) -> Alarm:
    """One whose waiting keeps no process alive."""
    timer = threading.Timer(seconds, then)
    timer.daemon = True
    return timer


class Settling:
    """Writes that are acknowledged and not seen yet. `settle` makes those of a generation seen, then moves its mark; it is called by one
    thread at a time, and who writes on meanwhile does not wait for it. `clock` gives seconds, `later` makes the alarms."""

    def __init__(
        self,
        settle: Callable[[Generation, int], None],
        clock: Callable[[], float] = time.monotonic,
        later: Later = in_a_thread,
    ) -> None:
        self._settle = settle
        self._clock = clock
        self._later = later
        self._settling = threading.Lock()
        self._noting = threading.Lock()
        self._owed: tuple[Generation, int] | None = None
        self._since = 0.0  # when the first of what is owed was written
        self._written = 0
        self._alarm: Alarm | None = None
        self._closed = False

    def note(self, generation: Generation, mark: int) -> None:
        """Something was written to the generation, with everything up to the mark."""
        with self._noting:
            if self._owed is None:
                self._since = self._clock()
            elif self._owed[0] == generation:
                mark = max(mark, self._owed[1])
            self._owed = (generation, mark)
            self._written += 1
            self._wake_later()

    def settle(self) -> None:
        """What was noted before this call is seen and counted when it returns. Raises Unavailable, Misconfigured."""
        with self._settling:
            with self._noting:
                owed, written, begun = self._owed, self._written, self._clock()
            if owed is None:
                return
            self._settle(*owed)
            with self._noting:
                self._since = begun
                if self._written == written:
                    self._owed = None

    def close(self) -> None:
        """Settle what there is, if it can be; nothing wakes by itself any more."""
        with self._noting:
            self._closed = True
            if self._alarm is not None:
                self._alarm.cancel()
        self._settle_quietly()

    def _wake_later(self) -> None:
        if self._alarm is None and not self._closed:
            written = self._written
            self._alarm = self._later(SOON, lambda: self._wake(written))
            self._alarm.start()

    def _wake(self, written: int) -> None:
        """Not while more comes, unless the first of it has waited long."""
        with self._noting:
            self._alarm = None
            due = self._written == written or self._clock() - self._since >= LONGEST
        if due and not self._settle_quietly():
            return  # the next write tries again, or whoever asks
        with self._noting:
            if self._owed is not None:
                self._wake_later()

    def _settle_quietly(self) -> bool:
        """Whether it was done."""
        try:
            self.settle()
        except (Unavailable, Misconfigured) as error:
            _log.warning("the mark of the last writes could not be moved yet: %s", error)
            return False
        return True
