"""This file measures what it costs, and what it brings, that an index of Elasticsearch has several shards; all of them on one node."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import kept, load
from benchmarks.asking import Direct
from benchmarks.measure import Result, spread
from benchmarks.node import Node

COUNTS = (1, 2, 4)


def measure(
    cache: Path, node: Node, count: int, asked: tuple[Sequence[str], Sequence[str]], times: int, seconds: float
) -> Iterator[Result]:
    """For each number of shards: searches a second of the node, and the milliseconds of a broad and of a selective search of one asker."""
    broad, selective = asked
    for shards in COUNTS:
        layout, _ = kept.elastic(cache, node.url, count, shards)
        direct = Direct(node.url, layout, (*broad, *selective))
        bodies = [direct.asked[word] for word in broad]
        target = load.Target(node.url, bodies, {"node": node.pid} if node.pid else {})
        named = "1 shard" if shards == 1 else f"{shards} shards"
        name = f"Elasticsearch, {count:,} records, {named}: one node alone, up to 16 searches at once"
        load.measure(name, target, seconds / 2)  # a server that has just begun takes longer: not what is asked here
        found = load.measure(name, target, seconds)
        middle = {name: _medians(direct, words, times) for name, words in (("broad", broad), ("selective", selective))}
        told = {f"{name}_ms": statistics.median(some) * 1e3 for name, some in middle.items()}
        spreads = {f"{name}_spread": f"{spread(some):.0%}" for name, some in middle.items()}
        yield Result(name, "told", found.measured, found.unit, True, 0.0, None, {**told, **spreads, **found.details})


def _medians(direct: Direct, words: Sequence[str], times: int) -> list[float]:
    """The median seconds of each word."""
    for word in words:
        direct.ask(word)
    return [statistics.median(direct.ask(word)[0] for _ in range(times)) for word in words]
