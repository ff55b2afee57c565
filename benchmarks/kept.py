"""This file is indexes that are filled once through the Index port and kept in a folder, so that the next run need not build them.

Searching reads the index alone (`pangate serve` asks the truth for nothing when it answers a search), so the million stands in the
index and the truth stays empty. What is written is what the projector writes: entries of documents, in batches, through `rebuild`.
"""

from __future__ import annotations

import time
from hashlib import blake2b
from itertools import islice
from pathlib import Path

import orjson

from benchmarks import records
from catalogue.index import elastic_mapping, embedded_schema
from catalogue.index.elastic import ElasticIndex
from catalogue.index.elastic_client import Connection
from catalogue.index.elastic_generations import Layout
from catalogue.index.embedded import EmbeddedIndex
from catalogue.ports import Entry, Index
from catalogue.project import BATCH, batches
from schema.records import Document
from schema.techniques import default

SECONDS = "seconds"


def called(count: int) -> str:
    """What the index of so many documents is called: another name whenever the rows of its documents change."""
    told = blake2b(digest_size=4)
    told.update(f"{embedded_schema.FORMAT} {elastic_mapping.FORMAT}".encode())
    for document in islice(records.documents(count), 50):
        cells = orjson.loads(elastic_mapping.row(document, default(), public=True))
        told.update(orjson.dumps(cells, option=orjson.OPT_SORT_KEYS))
    return f"bench{count}_{told.hexdigest()}"


def embedded_folder(cache: Path, count: int) -> Path:
    """The data folder of the embedded index of so many documents."""
    return cache / "embedded" / called(count)


def embedded(cache: Path, count: int) -> tuple[Path, float]:
    """The data folder of an embedded index of so many documents, and the seconds that building it took (in this run or an earlier one)."""
    data = embedded_folder(cache, count)
    index = EmbeddedIndex(data / "index", techniques=default())
    try:
        return data, _filled(index, count, data / SECONDS)
    finally:
        index.close()


def elastic(cache: Path, url: str, count: int, shards: int = 1) -> tuple[Layout, float]:
    """What the index of so many documents in a cluster is called, and the seconds that building it took."""
    parted = "" if shards == 1 else f"_{shards}"
    layout = Layout(called(count) + parted, shards=shards, template=False)
    index = ElasticIndex(Connection(url), layout, techniques=default())
    try:
        return layout, _filled(index, count, cache / f"{layout.prefix}.{SECONDS}")
    finally:
        index.close()


def _filled(index: Index, count: int, note: Path) -> float:
    if index.mark() == count and note.exists():
        return float(note.read_text())
    began = time.perf_counter()
    fill(index, count)
    took = time.perf_counter() - began
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(f"{took:.1f}")
    return took


def fill(index: Index, count: int) -> None:
    """Build it anew with so many documents."""
    aside = index.rebuild()
    for entries in batches(map(_entry, records.documents(count)), BATCH):
        aside.apply(entries, entries[-1].version)
    aside.swap()


def _entry(document: Document) -> Entry:
    record = document.record
    return Entry(record.kind, record.pid, document.version, lambda: document, public=document.public_number is not None)
