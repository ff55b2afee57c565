"""This file is the records that are measured with: the demo's invented facility, and as many variations of it as are wanted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache

from msgspec.structs import replace

from demo.scicat import dress, freya
from demo.scicat.engine import Page
from demo.scicat.store import Store
from schema.crosswalks import scicat
from schema.crosswalks.place import Place
from schema.documents import join
from schema.records import AnyRecord, Dataset, Document, Kind, Provenance, Reject
from schema.techniques import default

FEWEST = 300  # datasets of the demo among which some are public
FACILITY, SOURCE = "freya", "freya/scicat"
_FIRST = datetime(2016, 1, 1, tzinfo=UTC)
_LAST = timedelta(days=3_650)
_DRESSES = {"Instrument": dress.with_id, "Proposal": dress.proposal, "Sample": dress.sample}
_CROSSWALKS = {"Instrument": scicat.instrument, "Proposal": scicat.proposal, "Sample": scicat.sample}


@cache
def patterns(count: int) -> tuple[Dataset, ...]:
    """So many public datasets of the demo, through the real crosswalk, joined with what they name."""
    store = Store()
    freya.fill(store, count)
    place = Place(FACILITY, SOURCE, default(), authenticated=True)
    parts: dict[tuple[Kind, str], AnyRecord] = {}
    for name, crosswalk in _CROSSWALKS.items():
        for raw in store.engine.find(name, {}, Page()):
            record = crosswalk(place, _DRESSES[name](raw))
            if not isinstance(record, Reject):
                parts[record.kind, record.id] = record
    found = []
    for raw in store.engine.find("Dataset", {}, Page()):
        made = scicat.dataset(place, dress.dataset(raw, store.release, store.started))
        if isinstance(made, Dataset) and made.visibility.public:
            joined = join(made, lambda kind, id: parts.get((kind, id)))
            assert isinstance(joined, Dataset)
            found.append(joined)
    return tuple(found)


def documents(count: int, models: int = 2_000) -> Iterator[Document]:
    """So many public documents: the demo's datasets over and over, each with its own name, id and time (spread over ten years)."""
    found = patterns(min(models, max(count, FEWEST)))
    for number in range(count):
        model = found[number % len(found)]
        start = _FIRST + _LAST * (number / count)
        record = replace(
            model,
            id=f"b{number:07}",
            pid=f"10.82001/b{number:07}",
            doi=f"10.82001/b{number:07}",
            title=f"{model.title} {number}",
            start=start,
            end=start + timedelta(hours=2),
            modified=start + timedelta(days=1),
        )
        way = Provenance(SOURCE, "scicat", record.id, _FIRST + _LAST, True, record.source_url, record.modified)
        yield Document(record, (way,), number + 1, number + 1, start)
