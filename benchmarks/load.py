"""This file measures how many searches a second one gateway process, one node or one embedded index answers when several ask at once,
and what each costs the processor."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson

from benchmarks.asking import Failed, Line
from benchmarks.house import processor_s
from benchmarks.measure import Result
from benchmarks.question import QUERY, variables

AT_ONCE = (1, 2, 4, 8, 16)
Body = tuple[str, bytes]


@dataclass(frozen=True)
class Target:
    """Who is asked: an address, ready-made requests, and the processes whose processor time counts, by name."""

    address: str
    bodies: Sequence[Body]
    pids: dict[str, int]


def graphql(words: Sequence[str]) -> list[Body]:
    """The searches for the words, as the gateway is asked."""
    return [("/graphql", orjson.dumps({"query": QUERY, "variables": variables(word)})) for word in words]


def measure(name: str, target: Target, seconds: float) -> Result:
    """The most searches a second of all numbers of askers, and the seconds of the processor of one search."""
    line = Line(target.address)
    for body in target.bodies:
        line.send(*body)
    line.close()
    before = {role: processor_s(pid) for role, pid in target.pids.items()}
    rates: dict[int, float] = {}
    answered, refused = 0, 0
    for many in AT_ONCE:
        count, sent_away, took = _asked(target, many, seconds)
        refused += sent_away
        rates[many] = count / took
        answered += count
    costs = {
        f"{role}_processor_ms": (processor_s(pid) - before[role]) / answered * 1e3 for role, pid in target.pids.items()
    }
    told = {f"with_{many}": rate for many, rate in rates.items()}
    return Result(
        name, "told", max(rates.values()), "searches/s", True, 0.0, None, {**told, **costs, "refused": refused}
    )


def _asked(target: Target, many: int, seconds: float) -> tuple[int, int, float]:
    """How many answers so many askers got, how often they were sent away, and in how long."""
    counts, refused = [0] * many, [0] * many
    until = time.perf_counter() + seconds
    asking = [threading.Thread(target=_asker(target, (counts, refused), at, until)) for at in range(many)]
    began = time.perf_counter()
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    return sum(counts), sum(refused), time.perf_counter() - began


def _asker(target: Target, told: tuple[list[int], list[int]], at: int, until: float) -> Callable[[], None]:
    counts, refused = told

    def ask() -> None:
        line = Line(target.address)
        while time.perf_counter() < until:
            try:
                line.send(*target.bodies[(at + counts[at]) % len(target.bodies)])
                counts[at] += 1
            except Failed:  # too many at once: asked again after a moment, as a client should
                refused[at] += 1
                time.sleep(0.1)
        line.close()

    return ask
