"""This file measures the room that a record takes: in SQLite, in PostgreSQL, in the embedded index and in Elasticsearch."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psycopg

from benchmarks import kept
from benchmarks.house import fill, processor_s, settings
from benchmarks.measure import Result
from benchmarks.node import Node, servers
from catalogue.index.elastic import ElasticIndex
from catalogue.index.elastic_client import Connection
from catalogue.index.elastic_generations import Layout
from pangate.house import open_house
from schema.techniques import default


def truth(count: int) -> Iterator[Result]:
    """Bytes of a record in either database, beyond those of an empty one: tables, keys, indexes, all that a harvest leaves. And how fast
    they were committed (PostgreSQL without fsync, as the tests run it) and projected into an embedded index."""
    with TemporaryDirectory() as name:
        yield _sqlite(Path(name), count)
    tests = servers("postgresql")
    try:
        with tests.Postgresql() as server, TemporaryDirectory() as name:
            yield _postgresql(Path(name), server.url, count)
    except servers("daemon").Missing as error:
        print(f"PostgreSQL is left out: {error}", file=sys.stderr)


def embedded(cache: Path, count: int) -> Result:
    """Bytes of a record in an embedded index as it is kept."""
    size = _size(kept.embedded_folder(cache, count) / "index")
    return _told(f"embedded, {count:,} records: bytes a record in the index", size / count)


def elastic(node: Node, count: int) -> Result:
    """Bytes of a record in the public index of a node, without replicas."""
    told = httpx.get(f"{node.url}/{kept.called(count)}-public/_stats/store", timeout=30).json()
    size = told["_all"]["primaries"]["store"]["size_in_bytes"]
    return _told(f"Elasticsearch, {count:,} records: bytes a record in the index", size / count)


def written(node: Node, count: int) -> Result:
    """What writing into Elasticsearch costs the processor: here, where rows are made and sent, and in the node."""
    layout = Layout("benchwritten", template=False)
    index = ElasticIndex(Connection(node.url), layout, techniques=default())
    try:
        began, ours, theirs = time.perf_counter(), time.process_time(), _used(node)
        kept.fill(index, count)
        took, cost = time.perf_counter() - began, (_used(node) - theirs) / count * 1e6
        made = (time.process_time() - ours) / count * 1e6
    finally:
        index.close()
        names = httpx.get(f"{node.url}/benchwritten-*").json()
        for name in names:
            httpx.delete(f"{node.url}/{name}", timeout=30)
    details = {"node_processor_us": cost, "our_processor_us": made}
    return Result(
        f"Elasticsearch, {count:,} records written", "told", count / took, "records/s", True, 0.0, None, details
    )


def _used(node: Node) -> float:
    return float("nan") if node.pid is None else processor_s(node.pid)


def _sqlite(folder: Path, count: int) -> Result:
    with open_house(settings(folder), write_index=True) as house:
        empty = _database(folder)
        committing, projecting = fill(house, count)
    size = _database(folder)  # when it is closed, its log has been written into it
    return _weighed("SQLite", count, size - empty, committing, projecting)


def _postgresql(folder: Path, url: str, count: int) -> Result:
    with open_house(settings(folder).model_copy(update={"database": url}), write_index=True) as house:
        empty = _asked(url)
        committing, projecting = fill(house, count)
    return _weighed("PostgreSQL", count, _asked(url) - empty, committing, projecting)


def _database(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("pangate.sqlite*"))


def _asked(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("select pg_database_size(current_database())").fetchone()
    assert row is not None
    return int(row[0])


def _weighed(name: str, count: int, size: int, committing: float, projecting: float) -> Result:
    details = {"committed_per_s": count / committing, "projected_per_s": count / projecting}
    return _told(f"{name}, {count:,} records: bytes a record", size / count, details)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _told(name: str, measured: float, details: dict[str, float] | None = None) -> Result:
    return Result(name, "told", measured, "bytes", True, 0.0, None, details or {})
