"""This file measures the room that a record takes: in SQLite, in PostgreSQL, in the embedded index and in Elasticsearch."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import psycopg

from benchmarks import kept
from benchmarks.house import fill, settings
from benchmarks.measure import Result
from benchmarks.node import Node, servers
from pangate.house import open_house


def truth(count: int) -> Iterator[Result]:
    """Bytes of a record in either database: tables, keys, indexes; written by the ledger, so with all that a harvest leaves."""
    with TemporaryDirectory() as name:
        yield _told(f"SQLite, {count:,} records: bytes a record", _sqlite(Path(name), count))
    tests = servers("postgresql")
    try:
        with tests.Postgresql() as server, TemporaryDirectory() as name:
            yield _told(f"PostgreSQL, {count:,} records: bytes a record", _postgresql(Path(name), server.url, count))
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


def _sqlite(folder: Path, count: int) -> float:
    with open_house(settings(folder), write_index=True) as house:
        fill(house, count)
    return sum(file.stat().st_size for file in folder.glob("pangate.sqlite*")) / count


def _postgresql(folder: Path, url: str, count: int) -> float:
    with open_house(settings(folder).model_copy(update={"database": url}), write_index=True) as house:
        fill(house, count)
    with psycopg.connect(url) as connection:
        row = connection.execute("select pg_database_size(current_database())").fetchone()
    assert row is not None
    return float(row[0]) / count


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def _told(name: str, measured: float) -> Result:
    return Result(name, "told", measured, "bytes", True, 0.0)
