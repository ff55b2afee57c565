"""This file measures projection into a real Elasticsearch node against a bare `parallel_bulk` of the same documents, made beforehand.

Projection is the whole way: changes and documents read from the records, joined, made into rows, written, seen and marked. The bare helper
is given what came out of that as dictionaries, as everybody gives it documents; and, as a sharper comparison, as JSON that needs no work.
They take turns, forwards and backwards, and the ratio is the median of the turns' ratios: a machine whose speed drifts hits both alike.
"""

from __future__ import annotations

import gc
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
from elasticsearch import Elasticsearch
from elasticsearch.helpers import parallel_bulk

from benchmarks.house import filled
from benchmarks.measure import Result, spread
from benchmarks.node import Absent, node
from catalogue.index.elastic import ElasticIndex
from catalogue.index.elastic_client import Cluster, Connection, Request, run
from catalogue.index.elastic_generations import Layout, created
from catalogue.index.elastic_mapping import identity, row
from catalogue.index.elastic_marks import refreshing
from catalogue.ports import Truth
from catalogue.project import project
from schema.techniques import default

_GOAL = 0.8
_WARMING = 2  # turns in which the node's compiler warms up


def measure(count: int, times: int) -> list[Result]:
    """Documents a second of either, over one node, in turns; nothing but a note where no node can be had."""
    try:
        with tempfile.TemporaryDirectory() as name, filled(Path(name), count) as house, node() as server:
            return _measured(server.url, house.truth, count, times)
    except Absent as reason:
        print(f"Projection is left out: {reason}", file=sys.stderr)
        return []


def _measured(url: str, truth: Truth, count: int, times: int) -> list[Result]:
    documents = list(truth.walk())
    rows = [(identity(each.record.kind, each.record.pid), row(each, default(), public=True)) for each in documents]
    plain = [(id, msgspec.json.decode(content)) for id, content in rows]
    ways: dict[str, Callable[[str], float]] = {
        "bare": lambda prefix: _bare(url, prefix, plain),
        "bare_of_bytes": lambda prefix: _bare(url, prefix, rows),
        "projected": lambda prefix: _projected(url, prefix, truth),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    del documents
    gc.collect()
    gc.freeze()  # what lies ready must not cost those who make objects
    for turn in range(_WARMING + times):
        for name in sorted(ways, reverse=bool(turn % 2)):
            gc.collect()
            took = _alone(url, ways[name], len(rows))
            if turn >= _WARMING:
                seconds[name].append(took)
    gc.unfreeze()
    return _results(count, seconds, sum(len(content) for _, content in rows) / len(rows))


def _results(count: int, seconds: dict[str, list[float]], length: float) -> list[Result]:
    rates = {f"{name}_per_s": count / statistics.median(took) for name, took in seconds.items()}
    ratios, of_bytes = (
        [bare / ours for bare, ours in zip(seconds[name], seconds["projected"], strict=True)]
        for name in ("bare", "bare_of_bytes")
    )
    ratio = statistics.median(ratios)
    told = rates | {
        "documents": count,
        "bytes_of_a_row": length,
        "over_bare_of_bytes": statistics.median(of_bytes),
    }
    return [
        Result(
            "projection into Elasticsearch, documents a second over those of a bare parallel_bulk of ready-made ones",
            "≥ 0.8", ratio, "times", ratio >= _GOAL, spread(ratios), spread(seconds["bare"]), told,
        ),
    ]  # fmt: skip


def _alone(url: str, way: Callable[[str], float], count: int) -> float:
    """Seconds of one way on indexes of its own, which must hold everything in the end."""
    prefix = f"bench{uuid4().hex[:10]}"
    try:
        took = way(prefix)
        with httpx.Client(base_url=url, timeout=60) as client:
            client.post(f"/{prefix}*/_refresh").raise_for_status()
            assert client.get(f"/{prefix}*-public/_count").json()["count"] >= count
        return took
    finally:
        with httpx.Client(base_url=url, timeout=60) as client:
            names = list(client.get(f"/{prefix}*?filter_path=*.settings.index.uuid").json())
            client.delete(f"/{','.join(names)}").raise_for_status()


def _bare(url: str, prefix: str, rows: Sequence[tuple[str, Any]]) -> float:
    """What the client's own helper takes, at its defaults."""
    cluster = Cluster(Connection(url))
    generation = run(cluster, created(Layout(prefix, template=False)))
    run(cluster, refreshing(generation, "-1"))
    with Elasticsearch(url, request_timeout=90) as client:
        actions = ({"_index": generation.public, "_id": id, "_source": source} for id, source in rows)
        began = time.perf_counter()
        done = sum(good for good, _ in parallel_bulk(client, actions))
        cluster.send(Request("POST", f"/{generation.public}/_refresh"))
        took = time.perf_counter() - began
    cluster.close()
    assert done == len(rows)
    return took


def _projected(url: str, prefix: str, truth: Truth) -> float:
    """The whole: changes and documents read from the truth, joined, made into rows and written, until they are seen and marked."""
    index = ElasticIndex(Connection(url), Layout(prefix, template=False), techniques=default())
    index.apply((), 0)  # its indexes are made beforehand, as those of the helper
    index.mark()
    began = time.perf_counter()
    project(truth, index)
    assert index.mark() == truth.head()
    took = time.perf_counter() - began
    index.close()
    return took
