"""What was written to Elasticsearch is seen soon after the last of it, now and then while more comes, and nobody's write waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from catalogue.index.elastic_generations import Generation
from catalogue.index.elastic_settling import LONGEST, SOON, Settling
from schema.errors import Unavailable

ONE, OTHER = Generation("x-v1-20260101000000000000-00000000"), Generation("x-v1-20260102000000000000-00000000")


class Alarm:
    """One that is rung by hand."""

    def __init__(self, seconds: float, ring: Callable[[], None]) -> None:
        self.seconds, self.ring = seconds, ring
        self.waits = False

    def start(self) -> None:
        self.waits = True

    def cancel(self) -> None:
        self.waits = False


class Bench:
    """A settling with a clock and alarms of its own."""

    def __init__(self) -> None:
        self.now = 0.0
        self.alarms: list[Alarm] = []
        self.seen: list[tuple[float, int]] = []
        self.failing = False
        self.meanwhile: Callable[[], None] = lambda: None
        self.settling = Settling(self.settle, lambda: self.now, self.later)

    def later(self, seconds: float, ring: Callable[[], None]) -> Alarm:
        self.alarms.append(Alarm(self.now + seconds, ring))
        return self.alarms[-1]

    def settle(self, generation: Generation, mark: int) -> None:
        if self.failing:
            raise Unavailable("not now")
        self.meanwhile()
        self.seen.append((self.now, mark))

    def wait(self, seconds: float) -> None:
        """Let time pass, and ring what is due on the way."""
        until = self.now + seconds
        while due := [each for each in self.alarms if each.waits and each.seconds <= until]:
            first = min(due, key=lambda each: each.seconds)
            first.waits = False
            self.now = first.seconds
            first.ring()
        self.now = until


def test_writes_that_follow_each_other_are_seen_now_and_then_and_the_last_one_soon() -> None:
    bench = Bench()
    for number in range(1, 281):
        bench.settling.note(ONE, number)
        bench.wait(SOON / 4)
    assert [when for when, _ in bench.seen] == [LONGEST, 2 * LONGEST]
    bench.wait(10)
    assert [mark for _, mark in bench.seen][-1] == 280
    assert len(bench.seen) == 3
    assert bench.seen[-1][0] <= 70 + 2 * SOON
    assert not any(each.waits for each in bench.alarms), "nothing is owed, and nothing wakes"


def test_what_is_written_while_others_are_made_seen_is_still_owed_though_its_mark_is_the_same() -> None:
    bench = Bench()
    bench.settling.note(ONE, 7)
    bench.meanwhile = lambda: bench.settling.note(ONE, 0)
    bench.settling.settle()
    bench.meanwhile = lambda: None
    assert bench.seen == [(0, 7)]
    bench.settling.settle()
    assert bench.seen == [(0, 7), (0, 7)]
    bench.settling.settle()
    assert len(bench.seen) == 2, "all is settled"


def test_who_writes_does_not_wait_for_what_is_being_made_seen_and_who_asks_does() -> None:
    begun, go = threading.Event(), threading.Event()
    marks: list[int] = []

    def slow(_generation: Generation, mark: int) -> None:
        begun.set()
        assert go.wait(60)
        marks.append(mark)

    settling = Settling(slow, later=Alarm)
    settling.note(ONE, 1)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(settling.settle)
        assert begun.wait(60)
        settling.note(ONE, 2)  # would never come back
        second = pool.submit(settling.settle)
        assert not second.done()
        go.set()
        first.result(60)
        second.result(60)
    assert marks == [1, 2]


def test_a_mark_never_goes_back_in_one_generation_and_another_one_has_its_own() -> None:
    bench = Bench()
    for generation, mark in ((ONE, 5), (ONE, 3), (ONE, 0)):
        bench.settling.note(generation, mark)
    bench.settling.settle()
    bench.settling.note(ONE, 9)
    bench.settling.note(OTHER, 2)
    bench.settling.settle()
    assert [mark for _, mark in bench.seen] == [5, 2]


def test_what_could_not_be_made_seen_is_told_to_who_asks_and_tried_with_the_next_write(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bench = Bench()
    bench.failing = True
    bench.settling.note(ONE, 1)
    bench.wait(60)
    assert "not now" in caplog.text
    assert len(caplog.records) == 1, "a log is not filled by waiting"
    with pytest.raises(Unavailable):
        bench.settling.settle()
    bench.failing = False
    bench.settling.note(ONE, 2)
    bench.wait(2 * SOON)
    assert [mark for _, mark in bench.seen] == [2]


def test_who_closes_settles_and_nothing_wakes_afterwards() -> None:
    bench = Bench()
    bench.settling.note(ONE, 1)
    bench.settling.close()
    assert [mark for _, mark in bench.seen] == [1]
    bench.settling.note(ONE, 2)
    assert not any(each.waits for each in bench.alarms)
