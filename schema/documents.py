"""This file is how a record is joined with those it names, so that a found document is complete as stored.

Pure: `lookup` gives the live record of the same source, and gives it only where whoever sees the one may see the other
(`schema.access.covers`). What is missing there stays as the source sent it. An instrument that is named without an id is the one of
that name, if there is exactly one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from schema.records import (
    AnyRecord,
    Dataset,
    Instrument,
    InstrumentPart,
    Investigation,
    InvestigationPart,
    Kind,
    Person,
    Publication,
    Related,
    Sample,
    SamplePart,
)
from schema.text import fold

Lookup = Callable[[Kind, str], AnyRecord | None]
Name = tuple[Kind, str]
T = TypeVar("T")

_NAME = 512
"""Characters of a name that are compared, so that a name in an id's place is no longer than an id may be."""

_PAPERS = ("article", "paper", "text", "thesis", "dissertation", "book", "report", "preprint")
"""Words in a publication's type that tell a text about the data from a publication of the data."""


def by_name(name: str) -> str:
    """What stands in an id's place for "the one instrument that is called so" (in any case and accents). Crosswalks take control
    characters out of ids, so no source's id is like it."""
    return "\x1f" + fold(name)[:_NAME]


def is_name(id: str) -> bool:
    """Whether an id was made `by_name`."""
    return id.startswith("\x1f")


class _Part(msgspec.Struct, frozen=True, gc=False):
    """Of a part its name."""

    id: str | None = None
    name: str | None = None


class Naming(msgspec.Struct, frozen=True, gc=False):
    """Of a record what it is kept under and whom it names: all that is needed to find its neighbours, in a third of the time."""

    source: str
    id: str
    investigation: _Part | None = None
    instruments: tuple[_Part, ...] = ()
    samples: tuple[_Part, ...] = ()
    datasets: tuple[str, ...] = ()


_NAMING: msgspec.json.Decoder[Naming] = msgspec.json.Decoder(Naming)


def naming(data: bytes) -> Naming:
    """That of a record's JSON (see `schema.records.encode`); it has the same `references`, but for an instrument's own name."""
    return _NAMING.decode(data)


def references(record: AnyRecord | Naming) -> tuple[Name, ...]:
    """The (kind, id at the source) of every record this one names, once each, in order. An instrument without an id is named
    `by_name`, and so is, by itself, every instrument."""
    whole = getattr(record, "investigation", None)
    named = [(Kind.INVESTIGATION, None if whole is None else whole.id)]
    named += [(Kind.INSTRUMENT, _sought(part)) for part in getattr(record, "instruments", ())]
    if isinstance(record, Instrument):
        named.append((Kind.INSTRUMENT, by_name(record.name)))
    named += [(Kind.SAMPLE, part.id) for part in getattr(record, "samples", ())]
    named += [(Kind.DATASET, id) for id in getattr(record, "datasets", ())]
    return tuple(dict.fromkeys([(kind, id) for kind, id in named if id]))


def offered(record: AnyRecord) -> bytes:
    """What others show of this record, as bytes to compare: equal means that nobody who names it need change.

    Nobody shows anything of a dataset: it offers nothing.
    """
    if isinstance(record, Investigation):
        return msgspec.json.encode(_investigation(InvestigationPart(), record))
    if isinstance(record, Instrument):
        return msgspec.json.encode(_instrument(InstrumentPart(), record))
    if isinstance(record, Sample):
        return msgspec.json.encode(_sample(SamplePart(), record))
    if isinstance(record, Publication):
        shown = (record.doi, record.title, record.type, record.license, record.people, record.keywords)
        return msgspec.json.encode(shown)
    return b""


def join(record: AnyRecord, lookup: Lookup, publications: Sequence[Publication] = ()) -> AnyRecord:
    """The record with the parts it names filled in; a dataset also with what the publications that hold it add."""
    if isinstance(record, Dataset):
        filled = replace(
            record,
            investigation=_fill_investigation(record.investigation, lookup),
            instruments=tuple(_fill_instrument(part, lookup) for part in record.instruments),
            samples=tuple(_fill_sample(part, lookup) for part in record.samples),
        )
        for publication in sorted(publications, key=lambda publication: publication.id):
            filled = _published(filled, publication)
        return filled
    if isinstance(record, Investigation):
        return replace(record, instruments=tuple(_fill_instrument(part, lookup) for part in record.instruments))
    if isinstance(record, Sample):
        return replace(record, investigation=_fill_investigation(record.investigation, lookup))
    return record


def _fill_investigation(part: InvestigationPart | None, lookup: Lookup) -> InvestigationPart | None:
    found = lookup(Kind.INVESTIGATION, part.id) if part is not None and part.id else None
    return _investigation(part, found) if part is not None and isinstance(found, Investigation) else part


def _sought(part: InstrumentPart | _Part) -> str | None:
    """What an instrument is looked up by: its id; without one, its name."""
    return part.id or (by_name(part.name) if part.name else None)


def _fill_instrument(part: InstrumentPart, lookup: Lookup) -> InstrumentPart:
    sought = _sought(part)
    found = lookup(Kind.INSTRUMENT, sought) if sought else None
    return _instrument(part, found) if isinstance(found, Instrument) else part


def _fill_sample(part: SamplePart, lookup: Lookup) -> SamplePart:
    found = lookup(Kind.SAMPLE, part.id) if part.id else None
    return _sample(part, found) if isinstance(found, Sample) else part


def _investigation(part: InvestigationPart, found: Investigation) -> InvestigationPart:
    return replace(
        part,
        pid=found.pid,
        title=found.title or part.title,
        proposal=found.proposal or part.proposal,
        start=found.start or part.start,
        end=found.end or part.end,
        abstract=found.abstract or part.abstract,
    )


def _instrument(part: InstrumentPart, found: Instrument) -> InstrumentPart:
    return replace(part, pid=found.pid, name=found.name or part.name)


def _sample(part: SamplePart, found: Sample) -> SamplePart:
    return replace(
        part,
        pid=found.pid,
        name=found.name or part.name,
        formula=found.formula or part.formula,
        type=found.type or part.type,
    )


def _published(dataset: Dataset, publication: Publication) -> Dataset:
    """The dataset with what a publication that holds it says of it. A dataset without DOI gets none of its own."""
    return replace(
        dataset,
        license=dataset.license or publication.license,
        people=_people(dataset.people, publication.people),
        keywords=_once((*dataset.keywords, *publication.keywords), str.casefold),
        related=_related(dataset, publication),
    )


def _people(own: tuple[Person, ...], others: tuple[Person, ...]) -> tuple[Person, ...]:
    """Own people, then those of the publication who are not among them (by ORCID or by name)."""
    known = {name for person in own for name in _names(person)}
    return (*own, *(person for person in others if known.isdisjoint(_names(person))))


def _names(person: Person) -> set[str]:
    return {person.name.casefold(), *([person.orcid] if person.orcid else [])}


def _related(dataset: Dataset, publication: Publication) -> tuple[Related, ...]:
    """The dataset's links and one to the publication's DOI, in DataCite's words (Metadata Schema 4.6, relationType)."""
    doi = publication.doi
    if doi is None or doi == dataset.doi or any(link.identifier == doi for link in dataset.related):
        return dataset.related
    about = any(word in (publication.type or "").casefold() for word in _PAPERS)
    relation = "IsDocumentedBy" if about else "IsPartOf"
    return (*dataset.related, Related(identifier=doi, relation=relation, type="DOI", title=publication.title))


def _once(values: Iterable[T], key: Callable[[T], object]) -> tuple[T, ...]:
    kept: dict[object, T] = {}
    for value in values:
        kept.setdefault(key(value), value)
    return tuple(kept.values())
