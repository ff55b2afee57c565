"""This file measures searches over HTTP and GraphQL against the same question asked of the engine alone, on either engine and in two
sizes of catalogue; and what memory the server takes."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import kept, load, records
from benchmarks.asking import Asker, Direct, Gateway, Turns, bare, completing, first, in_turns
from benchmarks.house import anonymous_mib, served, settings
from benchmarks.measure import Result, spread
from benchmarks.node import Node

EMBEDDED, ELASTIC = "embedded", "Elasticsearch"
_SLOWEST = 1.5
_GROWTH = 2.0


@dataclass(frozen=True)
class Wish:
    """How much is asked: so many words, each so many times; and searches before memory is looked at."""

    words: Sequence[str]
    times: int
    searches: int


@dataclass(frozen=True)
class Place:
    """Where is searched: the engine's name, the number of documents, who asks through HTTP and who asks the engine, the server."""

    engine: str
    count: int
    address: str
    gateway: Gateway
    reference: Asker
    pid: int
    build_s: float


@contextmanager
def asking(address: str) -> Iterator[Gateway]:
    """Who asks through HTTP, until it hangs up."""
    gateway = Gateway(address)
    try:
        yield gateway
    finally:
        gateway.line.close()


@contextmanager
def embedded(cache: Path, count: int) -> Iterator[Place]:
    """`pangate serve` over a kept embedded index, and the same index in another process."""
    data, build_s = kept.embedded(cache, count)
    settings(data)
    with served(data) as (address, pid), bare(data) as reference, asking(address) as gateway:
        yield Place(EMBEDDED, count, address, gateway, reference, pid, build_s)


@contextmanager
def elastic(cache: Path, node: Node, count: int, words: Sequence[str]) -> Iterator[Place]:
    """`pangate serve` over a kept index in Elasticsearch, and a connection to the node itself."""
    layout, build_s = kept.elastic(cache, node.url, count)
    with TemporaryDirectory() as name:
        settings(Path(name))
        more = {"PANGATE_INDEX": node.url, "PANGATE_INDEX_PREFIX": layout.prefix}
        with served(Path(name), more) as (address, pid):
            direct = Direct(node.url, layout, words)
            with asking(address) as gateway:
                yield Place(ELASTIC, count, address, gateway, direct, pid, build_s)


def ratio(place: Place, wish: Wish) -> Result:
    """HTTP over the engine alone, pair by pair."""
    return _ratio(place, in_turns(place.gateway, place.reference, wish.words, wish.times))


def memory(place: Place, wish: Wish) -> Result:
    """RssAnon after so many searches."""
    begun = anonymous_mib(place.pid)
    for word in wish.words:
        first(place.gateway, word)
    for at in range(max(0, wish.searches - len(wish.words))):
        place.gateway.ask(wish.words[at % len(wish.words)])
    return _memory(place, wish, begun, anonymous_mib(place.pid))


def _ratio(place: Place, turns: Turns) -> Result:
    ratios = turns.ratios()
    ratio = statistics.median(ratios)
    shares = [f"{turns.matches[word] / place.count:.0%}" for word in turns.matches]
    details = {
        "http_ms": turns.middle(turns.whole) * 1e3,
        "engine_ms": turns.middle(turns.before) * 1e3,
        "pairs": len(ratios),
        "matches": " ".join(shares),
    }
    alone = "the bare call in a process of its own" if place.engine == EMBEDDED else "the same _search sent directly"
    name = f"{place.engine}, {place.count:,} records: search through HTTP and GraphQL over {alone}"
    return Result(name, "≤ 1.5", ratio, "times", ratio <= _SLOWEST, spread(ratios), spread(turns.noise()), details)


def _memory(place: Place, wish: Wish, begun: float, memory: float) -> Result:
    name = f"{place.engine}, {place.count:,} records: RssAnon of `pangate serve` after {wish.searches} searches"
    goal = "≤ 300" if place.count <= 100_000 else "told"
    return Result(name, goal, memory, "MiB", memory <= 300 or goal == "told", 0.0, None, {"at_start_mib": begun})


def alone(place: Place, node: Node, words: Sequence[str], seconds: float) -> Result:
    """Searches a second of the node itself."""
    assert isinstance(place.reference, Direct)
    bodies = [place.reference.asked[word] for word in words]
    target = load.Target(node.url, bodies, {"node": node.pid} if node.pid else {})
    name = f"{place.engine}, {place.count:,} records: one node alone, up to 16 searches at once"
    return load.measure(name, target, seconds)


def growth(small: Place, large: Place, times: int) -> list[Result]:
    """How much longer a selective search takes in the larger catalogue, at the engine and through HTTP; and a suggestion in both."""
    turns = [in_turns(at.gateway, at.reference, proposals(at.count), times) for at in (small, large)]
    engine = [one.middle(one.before) * 1e3 for one in turns]
    http = [one.middle(one.whole) * 1e3 for one in turns]
    most = max(max(one.matches.values()) for one in turns)
    details = {
        "engine_ms": f"{engine[0]:.3g} → {engine[1]:.3g}",
        "http_ms": f"{http[0]:.3g} → {http[1]:.3g}",
        "http_grows": http[1] / http[0],
        "most_matches": most,
    }
    sizes = f"{small.count:,} to {large.count:,} records"
    noise = max(spread(one.noise()) for one in turns)
    pairs = [second / first for first, second in zip(*(_medians(one.before) for one in turns), strict=True)]
    return [
        Result(
            f"{large.engine}, {sizes}: a selective search (at most 1,000 hits) grows", "≤ 2", engine[1] / engine[0],
            "times", engine[1] <= _GROWTH * engine[0] and most <= 1_000, spread(pairs), noise, details,
        ),
        _suggested(small, large, times),
    ]  # fmt: skip


def proposals(count: int) -> tuple[str, ...]:
    """Selective words: numbers of proposals."""
    return records.proposals(count, 8)


def _medians(seconds: Mapping[str, list[float]]) -> list[float]:
    return [statistics.median(some) for some in seconds.values()]


def _suggested(small: Place, large: Place, times: int) -> Result:
    took = [completing(at.gateway, times) for at in (small, large)]
    middle = [statistics.median(some) * 1e3 for some in took]
    details = {f"at_{small.count}_ms": middle[0], f"worst_of_{large.count}_ms": max(took[1]) * 1e3}
    name = f"{large.engine}, {large.count:,} records: a suggestion through HTTP and GraphQL, median"
    return Result(name, "told", middle[1], "ms", True, spread(took[1]), None, details)
