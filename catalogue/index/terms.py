"""This file is what an index keeps of a document besides its JSON: the terms, values, numbers and labels of every field.

Pure, and the same for both engines: they hold what is decided here and nothing of their own, so that they answer alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple, Protocol

import msgspec

from catalogue.index import completions
from catalogue.index.quantities import VALUE_LENGTH, Quantity, folded, names_of, path, quantities
from catalogue.index.wording import texts
from catalogue.query import Field
from schema.records import (
    AnyRecord,
    Dataset,
    Document,
    Instrument,
    InstrumentPart,
    Investigation,
    Parameter,
    Publication,
    Sample,
    SamplePart,
    Technique,
)
from schema.text import clean, fold

TITLE_LENGTH = 64  # characters of the folded title that order by TITLE
FACETS = tuple(field for field in Field if field is not Field.PID)  # every field but this can be counted
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = (datetime(1970, 1, 1, 0, 0, 0, 1) - datetime(1970, 1, 1)).resolution


class Techniques(Protocol):
    """What an index needs of the technique vocabulary (an IRI it does not know has none of these). It never changes."""

    def __hash__(self) -> int: ...

    def ancestors(self, iri: str, /) -> Sequence[str]:
        """The IRIs of all broader techniques, near and far."""

    def label(self, iri: str, /) -> str | None:
        """The preferred label."""

    def synonyms(self, iri: str, /) -> Sequence[str]:
        """Other labels."""


class NoTechniques:
    """A vocabulary that knows nothing: techniques are what the documents say."""

    def ancestors(self, _iri: str, /) -> Sequence[str]:
        """None."""
        return ()

    def label(self, _iri: str, /) -> str | None:
        """None."""
        return None

    def synonyms(self, _iri: str, /) -> Sequence[str]:
        """None."""
        return ()


class Terms(msgspec.Struct, frozen=True):
    """One document as an index keeps it.

    `texts` by text field (see wording), `values` the values that facets count and filters find, `also` further names that
    filters find (folded), `labels` what to show for a value that does not show itself. Times are microseconds since 1970 (UTC).
    `parameter_texts` are `path=text` of parameters that are words. `completions` are empty for what is not public.
    """

    pid: str
    version: int
    number: int | None
    texts: dict[str, str]
    values: dict[Field, tuple[str, ...]]
    also: dict[Field, tuple[str, ...]]
    labels: tuple[tuple[Field, str, str], ...]
    started: int | None
    released: int | None
    title: str
    quantities: tuple[Quantity, ...]
    parameter_texts: tuple[str, ...]
    groups: tuple[str, ...]
    completions: tuple[str, ...]


class _Mention(NamedTuple):
    """What one mention of something gives: a value of a field, other names, what to show, what suggests it. Shared: never changed."""

    field: Field
    value: str
    also: dict[str, None]
    label: str | None
    completions: dict[str, None]


@lru_cache(maxsize=131_072)
def _mention(
    field: Field, value: str | None, names: tuple[str | None, ...], label: str | None = None, complete: str = ""
) -> _Mention | None:
    """A value with further names; without value its first name is the value. `complete`: the kind of suggestion it makes.

    Cached, as the same people, instruments and keywords are met in thousands of documents.
    """
    known = [name for name in names if name]
    first = value[:VALUE_LENGTH] if value else (folded(known[0]) if known else "")
    if not first:
        return None
    also = dict.fromkeys(map(folded, known)) if value or len(known) > 1 else {}
    shown = label or (known[0] if known else None)
    offered = (label, *known) if complete else ()
    found = {entry: None for text in offered if text for entry in completions.entries(complete, first, text)}
    return _Mention(field, first, also, _shown(shown) if shown and shown != first else None, found)


class _Values:
    """The values of a document's fields while they are collected."""

    def __init__(self) -> None:
        self.values: dict[Field, dict[str, None]] = {}
        self.also: dict[Field, dict[str, None]] = {}
        self.labels: dict[tuple[Field, str], str] = {}
        self.completions: dict[str, None] = {}

    def add(self, mention: _Mention | None) -> None:
        """Take up a mention."""
        if mention is None:
            return
        field, value, also, label, completing = mention
        values = self.values.get(field)
        if values is None:
            self.values[field] = {value: None}
        else:
            values[value] = None
        if also:
            self.also.setdefault(field, {}).update(also)
        if label:
            self.labels.setdefault((field, value), label)
        if completing:
            self.completions.update(completing)


@lru_cache(maxsize=65_536)
def _shown(label: str) -> str:
    return clean(label[: 2 * VALUE_LENGTH]).strip()[:VALUE_LENGTH]


def micros(moment: datetime) -> int:
    """An aware time as whole microseconds since 1970 (UTC)."""
    return (moment - _EPOCH) // _MICROSECOND


def started_of(record: AnyRecord) -> datetime | None:
    """The time a record is found and ordered by: its start, or when it was published."""
    if isinstance(record, Dataset | Investigation):
        return record.start
    if isinstance(record, Publication):
        return record.published or (
            datetime(record.year, 1, 1, tzinfo=UTC) if record.year and 1 <= record.year <= 9999 else None
        )
    return None


def released_of(record: AnyRecord) -> datetime | None:
    """When a record's data became or become open."""
    if isinstance(record, Dataset | Investigation):
        return record.release
    return record.published if isinstance(record, Publication) else None


def title_of(record: AnyRecord) -> str:
    """What a record is called."""
    return record.name if isinstance(record, Instrument | Sample) else record.title


def title_key(record: AnyRecord) -> str:
    """What TITLE orders by (as code points)."""
    return fold(title_of(record))[:TITLE_LENGTH]


def terms(document: Document, techniques: Techniques, *, public: bool) -> Terms:
    """The document as an index keeps it."""
    record = document.record
    found = _Values()
    _circumstances(found, document)
    _references(found, record)
    _techniques(found, getattr(record, "techniques", ()), techniques)
    parameters: tuple[Parameter, ...] = getattr(record, "parameters", ())
    _parameters(found, parameters)
    started, released = started_of(record), released_of(record)
    return Terms(
        pid=record.pid,
        version=document.version,
        number=document.public_number,
        texts=texts(record, techniques),
        values={field: tuple(values) for field, values in found.values.items()},
        also={field: tuple(values) for field, values in found.also.items() if values},
        labels=tuple((field, value, label) for (field, value), label in found.labels.items()),
        started=None if started is None else micros(started),
        released=None if released is None else micros(released),
        title=title_key(record),
        quantities=quantities(parameters) if parameters else (),
        parameter_texts=_parameter_texts(parameters),
        groups=() if public else record.visibility.groups,
        completions=tuple(found.completions) if public else (),
    )


def _circumstances(found: _Values, document: Document) -> None:
    record = document.record
    found.add(_mention(Field.FACILITY, record.facility, ()))
    for source in dict.fromkeys((record.source, *(way.source for way in document.provenance))):
        found.add(_mention(Field.SOURCE, source, ()))
    for keyword in getattr(record, "keywords", ()):
        found.add(_mention(Field.KEYWORD, None, (keyword,), None, "keyword"))
    started = started_of(record)
    if started is not None:
        found.add(_mention(Field.YEAR, f"{started.astimezone(UTC).year:04d}", ()))
    if isinstance(record, Dataset):
        found.add(_mention(Field.ACCESS, record.access.value, ()))
        for form in record.files.formats:
            found.add(_mention(Field.FILE_FORMAT, None, (form,)))


def _references(found: _Values, record: AnyRecord) -> None:
    doi = getattr(record, "doi", None)
    found.values[Field.PID] = {record.pid: None}
    if doi and doi != record.pid:
        found.also[Field.PID] = {folded(doi): None}
    for person in getattr(record, "people", ()):
        found.add(_mention(Field.PERSON, person.orcid, (person.name,), None, "person"))
    instruments: Iterable[InstrumentPart | Instrument] = getattr(record, "instruments", ())
    for instrument in (record,) if isinstance(record, Instrument) else instruments:
        names = (instrument.name, getattr(instrument, "full_name", None))
        found.add(_mention(Field.INSTRUMENT, instrument.pid, names, None, "instrument"))
    samples: Iterable[SamplePart | Sample] = getattr(record, "samples", ())
    for sample in (record,) if isinstance(record, Sample) else samples:
        found.add(_mention(Field.SAMPLE, sample.pid, (sample.name, sample.formula), None, "sample"))
    investigation = record if isinstance(record, Investigation) else getattr(record, "investigation", None)
    if investigation is not None:
        names = (investigation.title, investigation.proposal)
        found.add(_mention(Field.INVESTIGATION, investigation.pid, names, None, "investigation"))


def _techniques(found: _Values, used: Iterable[Technique], known: Techniques) -> None:
    for technique in used:
        for mention in _technique(technique.pid, technique.name, known):
            found.add(mention)


@lru_cache(maxsize=8_192)
def _technique(iri: str | None, name: str, known: Techniques) -> tuple[_Mention | None, ...]:
    """What a technique gives: itself, and every broader one."""
    if iri is None:
        fields = (Field.TECHNIQUE_EXACT, Field.TECHNIQUE)
        return tuple(_mention(field, None, (name,), None, "technique") for field in fields)
    label = known.label(iri) or name
    return (
        _mention(Field.TECHNIQUE_EXACT, iri, (), label),
        _mention(Field.TECHNIQUE, iri, tuple(known.synonyms(iri)), label, "technique"),
        *(_mention(Field.TECHNIQUE, broader, (), known.label(broader)) for broader in known.ancestors(iri)),
    )


def _parameters(found: _Values, parameters: Iterable[Parameter]) -> None:
    for parameter in parameters:
        names = (parameter.name or parameter.source_name, parameter.source_name)
        found.add(_mention(Field.PARAMETER_NAME, None, names, None, "parameter"))


def _parameter_texts(parameters: Iterable[Parameter]) -> tuple[str, ...]:
    told: dict[str, None] = {}
    for parameter in parameters:
        if parameter.text:
            text = folded(parameter.text)
            told.update(dict.fromkeys(f"{path(name, None)}={text}" for name in names_of(parameter)))
    return tuple(told)
