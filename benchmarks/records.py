"""This file is the records that are measured with: the demo's invented facility, and as many variations of it as are wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from msgspec.structs import replace

from demo.scicat import dress, freya
from demo.scicat.engine import Page
from demo.scicat.store import Store
from schema.access import Access
from schema.crosswalks import scicat
from schema.crosswalks.place import Place
from schema.documents import join
from schema.records import AnyRecord, Dataset, Document, Kind, Provenance, Reject
from schema.techniques import default

FEWEST = 300  # datasets of the demo among which some are public
FACILITY, SOURCE = "freya", "freya/scicat"
_FIRST = datetime(2016, 1, 1, tzinfo=UTC)
_LAST = timedelta(days=3_650)
_MIDDLE = ("Ada", "Bo", "Cy", "Dag", "Eli", "Fay", "Gus", "Hal", "Ida", "Jo", "Kai", "Liv", "Max", "Nia", "Ole", "Pia")
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
    """So many public documents: the demo's datasets over and over, each with its own name, id and time (spread over ten years).

    Every round over the models has its own investigations and samples, and every eighth its own people: a catalogue that grows has more
    of these, while instruments, techniques and what is measured stay the same.
    """
    found = patterns(min(models, max(count, FEWEST)))
    for number in range(count):
        model = found[number % len(found)]
        start = _FIRST + _LAST * (number / count)
        record = replace(
            model,
            **_own(model, number // len(found)),
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


def proposals(count: int, wanted: int) -> tuple[str, ...]:
    """Proposal numbers, each of one investigation in the later part of so many documents, whose open datasets are few."""
    found = patterns(min(2_000, max(count, FEWEST)))
    named = Counter(
        model.investigation.proposal
        for model in (found if count > len(found) else found[count // 2 : count])
        if model.investigation and model.investigation.proposal and model.access is Access.OPEN
    )
    middle = max(0, count // len(found) * 3 // 4)
    few = sorted(named, key=lambda name: (-named[name], name))
    return tuple(f"{name}{_suffix(middle)}" for name in few[:wanted])


def _own(model: Dataset, round: int) -> dict[str, Any]:
    """What another round has instead of the model's."""
    if not round:
        return {}
    suffix = _suffix(round)
    changed: dict[str, Any] = {
        "samples": tuple(
            replace(one, id=f"{one.id}{suffix}", pid=f"{one.pid}{suffix}", name=f"{one.name}, batch {round}")
            for one in model.samples
        ),
        "people": tuple(replace(one, name=_named(one.name, round // 8)) for one in model.people),
    }
    whole = model.investigation
    if whole is not None and whole.pid and whole.proposal:
        named = {"id": f"{whole.id}{suffix}", "pid": f"{whole.pid}{suffix}", "proposal": f"{whole.proposal}{suffix}"}
        changed["investigation"] = replace(whole, **named)
    return changed


def _suffix(round: int) -> str:
    return f"{round:03}" if round else ""


def _named(name: str, generation: int) -> str:
    """Another person: with a middle name."""
    given, _, family = name.partition(" ")
    return (
        f"{given} {_MIDDLE[generation % len(_MIDDLE)]}{generation // len(_MIDDLE) or ''} {family}"
        if generation
        else name
    )
