"""This file is the measurements in two sizes of catalogue on both engines: searching, suggesting, many at once."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import load, room, searching, shards
from benchmarks.measure import Result
from benchmarks.node import Absent, Node, node
from benchmarks.searching import Place, Wish

CACHE = "PANGATE_BENCH_CACHE"
NAMES = frozenset({"search", "million", "elastic", "elastic-million", "memory", "load", "room", "shards"})
_SMALL = {"search", "memory", "load", "room"}
_MILLION_TIMES = 4  # a search of a million takes long: fewer pairs are enough


@dataclass(frozen=True)
class Sizes:
    """How many documents in the small catalogue and in the large one, what is asked, for how long many ask at once, and how many
    records go into a database to be weighed."""

    small: int
    large: int
    wish: Wish
    load_s: float
    heap: str
    rows: int


def run(sizes: Sizes, only: set[str], cache: Path | None) -> Iterator[Result]:
    """Every measurement that is asked for. Indexes are kept in `cache`; without one they are built for this run alone."""
    with _folder(cache) as kept:
        if "room" in only:
            yield from room.truth(sizes.rows)
        if only & (_SMALL | {"million"}):
            yield from _embedded(kept, sizes, only)
        if only & {"elastic", "elastic-million", "load", "room", "shards"}:
            try:
                with node(kept / "node", sizes.heap) as cluster:
                    yield from _elastic(kept, cluster, sizes, only)
            except Absent as error:
                print(f"Elasticsearch is left out: {error}", file=sys.stderr)


def default_cache() -> Path:
    """Where indexes are kept when nobody says otherwise: a folder that the account of a test server can reach."""
    named = os.environ.get(CACHE)
    if named:
        return Path(named)
    return Path("/var/cache/pangate-bench") if os.geteuid() == 0 else Path.home() / ".cache" / "pangate-bench"


def _embedded(cache: Path, sizes: Sizes, only: set[str]) -> Iterator[Result]:
    if only & _SMALL:
        with searching.embedded(cache, sizes.small) as small:
            if "search" in only:
                yield searching.ratio(small, sizes.wish)
            if "memory" in only:
                yield searching.memory(small, sizes.wish)
            if "load" in only:
                yield _many(small, sizes, {"gateway": small.pid})
            if "room" in only:
                yield room.embedded(cache, sizes.small)
    if "million" in only:
        with searching.embedded(cache, sizes.large) as large, searching.embedded(cache, sizes.small) as small:
            yield searching.ratio(large, _fewer(sizes.wish))
            yield from searching.growth(small, large, sizes.wish.times)
            yield room.embedded(cache, sizes.large)
    if "memory" in only:
        with searching.embedded(cache, sizes.large) as large:
            yield searching.memory(large, sizes.wish)


def _elastic(cache: Path, cluster: Node, sizes: Sizes, only: set[str]) -> Iterator[Result]:
    words = (*sizes.wish.words, *searching.proposals(sizes.small))
    engine = {"node": cluster.pid} if cluster.pid else {}
    if only & {"elastic", "load", "room"}:
        with searching.elastic(cache, cluster, sizes.small, words) as small:
            if "elastic" in only:
                yield searching.ratio(small, sizes.wish)
            if "load" in only:
                yield _many(small, sizes, {"gateway": small.pid, **engine})
                yield searching.alone(small, cluster, sizes.wish.words, sizes.load_s)
            if "room" in only:
                yield room.elastic(cluster, sizes.small)
                yield room.written(cluster, sizes.rows)
    if "shards" in only:
        asked = (sizes.wish.words, searching.proposals(sizes.small))
        yield from shards.measure(cache, cluster, sizes.small, asked, sizes.wish.times, sizes.load_s)
    if "elastic-million" in only:
        more = (*sizes.wish.words, *searching.proposals(sizes.large))
        with (
            searching.elastic(cache, cluster, sizes.large, more) as large,
            searching.elastic(cache, cluster, sizes.small, words) as small,
        ):
            yield searching.ratio(large, _fewer(sizes.wish))
            yield from searching.growth(small, large, sizes.wish.times)
            yield room.elastic(cluster, sizes.large)
            yield searching.alone(large, cluster, sizes.wish.words, sizes.load_s)


def _many(place: Place, sizes: Sizes, pids: dict[str, int]) -> Result:
    name = f"{place.engine}, {place.count:,} records: one gateway process, up to 16 searches at once"
    target = load.Target(place.address, load.graphql(sizes.wish.words), pids)
    return load.measure(name, target, sizes.load_s)


def _fewer(wish: Wish) -> Wish:
    return Wish(wish.words, min(wish.times, _MILLION_TIMES), wish.searches)


@contextmanager
def _folder(cache: Path | None) -> Iterator[Path]:
    if cache is not None:
        cache.mkdir(parents=True, exist_ok=True)
        yield cache
        return
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)
