"""Random histories: this file draws them, lives many, and shrinks those that go wrong. PANGATE_SEED chooses them, PANGATE_HISTORIES
says how many a source has (300; with PANGATE_SOAK 2,000), PANGATE_HISTORY lives one alone.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from histories import Event, History, Making, live
from soak import SEED, how_many, keep

COUNT = how_many("PANGATE_HISTORIES", 300, 2_000)
MANY = 200
PARTS = 6
SHRINKING_S = 60.0
_OFTEN = ("killed", "dies", "restart", "cut", "skew", "full harvest")


class Suite:
    """The histories of one kind of source, lived in parts, and what happened in them. `requests` and `most`: as `drawn` takes them."""

    def __init__(self, name: str, make: Making, weights: Mapping[str, int], *, requests: int, most: int) -> None:
        self._name, self._make, self._weights = name, make, weights
        self._requests, self._most = requests, most
        self._begun = time.monotonic()
        self._counts: Counter[str] = Counter()

    def part(self, part: int) -> None:
        """Live every sixth history, beginning with that one."""
        self._counts += lived_all(self._make, self._drawn, range(part, COUNT, PARTS))

    def everything_happened(self) -> None:
        """Asserts that nothing is too rare, when all were lived and there are many; written down where PANGATE_EVIDENCE names a folder."""
        seconds = round(time.monotonic() - self._begun, 1)
        keep(f"histories-{self._name}", {"seconds": seconds, "events": dict(sorted(self._counts.items()))})
        if self._counts["histories"] == COUNT >= MANY:
            rare = {name: self._counts[name] for name in self._weights if self._counts[name] < COUNT / 30}
            assert not rare
            assert min(self._counts[name] for name in _OFTEN) > COUNT / 10

    def _drawn(self, number: int) -> History:
        return drawn(number, self._weights, self._requests, self._most)


def drawn(number: int, acts: Mapping[str, int], requests: int, most: int) -> History:
    """The history of that number: what happens at the source (by weight), harvests with something going on within their first
    requests, time, clocks."""
    chance = random.Random(f"{SEED} {number}")
    names, weights = [*acts], [*acts.values()]

    def act() -> Event:
        return Event(*chance.choices(names, weights), chance.randrange(1_000_000))

    def inside() -> Event:
        name = chance.choice(["act", "act", "act", "act", "restart", "cut", "killed", "killed", "dies"])
        return act() if name == "act" else Event(name, chance.randrange(1_000_000))

    def harvest(name: str) -> Event:
        some = chance.choice([0, 0, 1, 1, 2, 3])
        return Event(name, 0, tuple((chance.randint(1, requests), inside()) for _ in range(some)))

    def event() -> Event:
        name = chance.choices(
            ["act", "harvest", "full harvest", "hours", "days", "skew", "again"], [60, 22, 4, 4, 4, 5, 1]
        )[0]
        if name == "act":
            return act()
        return harvest(name) if "harvest" in name else Event(name, chance.randrange(1_000_000))

    return History(
        chance.randrange(1_000_000), (harvest("harvest"), *(event() for _ in range(chance.randint(3, most))))
    )


def shrunk(make: Making, history: History) -> History:
    """A shorter history that goes wrong too, by leaving out one event after the other for a minute."""
    until = time.monotonic() + SHRINKING_S
    smaller = True
    while smaller and time.monotonic() < until:
        smaller = False
        for shorter in _shorter(history):
            if time.monotonic() > until:
                break
            if _fails(make, shorter):
                history, smaller = shorter, True
                break
    return history


def _shorter(history: History) -> Iterator[History]:
    events = history.events
    for place in reversed(range(len(events))):
        yield replace(history, events=(*events[:place], *events[place + 1 :]))
    for place, event in enumerate(events):
        for at in range(len(event.inside)):
            less = replace(event, inside=(*event.inside[:at], *event.inside[at + 1 :]))
            yield replace(history, events=(*events[:place], less, *events[place + 1 :]))


def _fails(make: Making, history: History) -> bool:
    try:
        live(make, history)
    except Exception:  # noqa: BLE001 whatever goes wrong is what is looked for
        return True
    return False


def lived_all(make: Making, drawing: Callable[[int], History], numbers: Iterable[int]) -> Counter[str]:
    """Live the histories of those numbers (or the one that PANGATE_HISTORY names); their events, counted."""
    only = os.environ.get("PANGATE_HISTORY")
    counts: Counter[str] = Counter()
    for number in [int(only)] if only else numbers:
        history = drawing(number)
        try:
            counts += live(make, history)
        except Exception as error:
            short = shrunk(make, history)
            told = f"history {number} (PANGATE_SEED={SEED} PANGATE_HISTORY={number}) goes wrong: {error}"
            raise AssertionError(f"{told}\nshortest found: {short}") from error
        counts["histories"] += 1
    return counts
