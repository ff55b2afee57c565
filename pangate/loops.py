"""This file is turns taken again and again beside a process's main business: one thread each, until told to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from pangate.tally import LOOPS_FAILED
from schema.errors import PangateError

log = structlog.get_logger("pangate.loops")

JOIN_S = 20.0
LULL_S = 5.0
"""The longest pause that turns which fail again and again are given, where theirs is shorter: a full disk may hold the log too."""
_OVERDUE_S = 900.0


@dataclass(frozen=True)
class Loop:
    """What is done every `seconds`, counted from the end of a turn. A turn that takes longer than `patience` seconds hangs."""

    name: str
    turn: Callable[[], None]
    seconds: float
    patience: float = _OVERDUE_S


class Once:
    """A turn that is taken until it has succeeded, and never again."""

    def __init__(self, turn: Callable[[], object]) -> None:
        self._turn = turn
        self._done = False

    def __call__(self) -> None:
        if not self._done:
            self._turn()
            self._done = True


class Loops:
    """Loops that run while `running` lasts. A turn that fails is told and taken again, more slowly if it goes on failing."""

    def __init__(self, loops: Sequence[Loop]) -> None:
        self._loops = tuple(loops)
        self._stop = threading.Event()
        self._begun: dict[str, float] = {}

    @contextmanager
    def running(self) -> Iterator[None]:
        """While it lasts the turns are taken; at its end each turn in hand is finished, if that is done within JOIN_S."""
        threads = [
            threading.Thread(target=self._every, args=(loop,), name=loop.name, daemon=True) for loop in self._loops
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            until = time.monotonic() + JOIN_S
            for thread in threads:
                thread.join(timeout=max(0.0, until - time.monotonic()))

    def hanging(self) -> list[str]:
        """The loops whose present turn takes longer than its patience."""
        now = time.monotonic()
        return [loop.name for loop in self._loops if now - self._begun.get(loop.name, now) > loop.patience]

    def _every(self, loop: Loop) -> None:
        failures = 0
        while not self._stop.is_set():
            self._begun[loop.name] = time.monotonic()
            failures += 1
            try:
                loop.turn()
                failures = 0
            except PangateError as error:
                LOOPS_FAILED.labels(loop.name).inc()
                cause = getattr(error, "reason", error.code)
                log.warning("turn_failed", what=loop.name, cause=cause, reason=error.message)
            except Exception:  # a thread that ends would end its work for ever
                LOOPS_FAILED.labels(loop.name).inc()
                log.exception("turn_broke", what=loop.name)
            self._begun.pop(loop.name, None)
            self._stop.wait(max(loop.seconds, min(LULL_S, loop.seconds * 2 ** min(failures, 20))))
