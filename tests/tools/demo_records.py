"""The records of the demo's invented facility, through the real crosswalk and joined, without a server."""

from datetime import UTC, datetime
from functools import cache

from demo.scicat import dress, freya
from demo.scicat.engine import Page
from demo.scicat.store import Store
from schema.crosswalks import scicat
from schema.crosswalks.place import Place
from schema.documents import by_name, join
from schema.records import AnyRecord, Document, Instrument, Kind, Provenance, Reject
from schema.techniques import default

HARVESTED = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
_DRESSES = {"Instrument": dress.with_id, "Proposal": dress.proposal, "Sample": dress.sample}
_CROSSWALKS = {"Instrument": scicat.instrument, "Proposal": scicat.proposal, "Sample": scicat.sample}


@cache
def demo_documents(datasets: int = 200, facility: str = "freya") -> tuple[Document, ...]:
    """Documents of so many datasets and of what they name."""
    store = Store()
    freya.fill(store, datasets)
    place = Place(facility, f"{facility}/scicat", default(), authenticated=True)
    parts: dict[tuple[Kind, str], AnyRecord] = {}
    for name, crosswalk in _CROSSWALKS.items():
        for doc in store.engine.find(name, {}, Page()):
            record = crosswalk(place, _DRESSES[name](doc))
            if not isinstance(record, Reject):
                parts[record.kind, record.id] = record
                if isinstance(record, Instrument):  # their names differ
                    parts[record.kind, by_name(record.name)] = record
    records: list[AnyRecord] = list({(each.kind, each.id): each for each in parts.values()}.values())
    for doc in store.engine.find("Dataset", {}, Page()):
        record = scicat.dataset(place, dress.dataset(doc, store.release, store.started))
        if not isinstance(record, Reject):
            records.append(join(record, lambda kind, id: parts.get((kind, id))))
    return tuple(_document(record, number) for number, record in enumerate(records, 1))


def _document(record: AnyRecord, number: int) -> Document:
    way = Provenance(record.source, "scicat", record.id, HARVESTED, True, record.source_url, record.modified)
    return Document(record, (way,), number, number if record.visibility.public else None, HARVESTED)
