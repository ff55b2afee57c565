"""Turns that fail are told and taken again, ever more slowly; a log that cannot be written ends nothing."""

import sys
import threading
from typing import NoReturn

import pytest
import structlog

from pangate import logs, loops
from pangate.loops import Loop, Loops
from schema.errors import Unavailable


class FullDisk:
    """A standard output whose disk is full."""

    def write(self, _text: str) -> NoReturn:
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        raise OSError(28, "No space left on device")

    def isatty(self) -> bool:
        return False


def test_a_loop_goes_on_although_its_log_lies_on_a_full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    turns, done = [0], threading.Event()

    def turn() -> None:
        turns[0] += 1
        if turns[0] < 3:
            raise Unavailable("The disk is full.")
        done.set()

    monkeypatch.setattr(sys, "stdout", FullDisk())
    logs.begin("INFO", json=True)
    try:
        monkeypatch.setattr(loops, "log", structlog.get_logger("pangate.loops"))
        with Loops([Loop("full", turn, 0.01)]).running():
            assert done.wait(120)
    finally:
        structlog.reset_defaults()


def test_turns_that_go_on_failing_are_taken_more_slowly() -> None:
    pauses: list[float] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            pauses.append(timeout or 0.0)
            if len(pauses) == 12:
                self.set()
            return self.is_set()

    def turn() -> None:
        if len(pauses) != 10:
            raise Unavailable("not now")

    failing = Loops([])
    failing._stop = Stop()
    failing._every(Loop("slow", turn, 0.2))
    assert pauses[:4] == [0.4, 0.8, 1.6, 3.2]
    assert set(pauses[4:10]) == {loops.LULL_S}
    assert pauses[10] == 0.2, "a turn that succeeds is followed by its own pause"
