"""This file is what an index keeps of a document besides its JSON: the terms, values, numbers and labels of every field.

Pure, and the same for both engines: they hold what is decided here and nothing of their own, so that they answer alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Protocol

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
    InvestigationPart,
    Parameter,
    Person,
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
    """What an index needs of the technique vocabulary (an IRI it does not know has none of these)."""

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


class _Values:
    """The values of a document's fields while they are collected."""

    def __init__(self) -> None:
        self.values: dict[Field, dict[str, None]] = {}
        self.also: dict[Field, dict[str, None]] = {}
        self.labels: dict[tuple[Field, str], str] = {}
        self.completions: dict[str, None] = {}

    def add(self, field: Field, value: str | None, label: str | None = None, names: Iterable[str | None] = ()) -> None:
        """A value with what to show for it and further names to find it by; without value its first name is the value."""
        known = [name for name in names if name]
        first = value or (folded(known[0]) if known else "")
        if not first:
            return
        self.values.setdefault(field, {})[first[:VALUE_LENGTH]] = None
        also = self.also.setdefault(field, {})
        for name in known:
            also[folded(name)] = None
        shown = label or (known[0] if known else None)
        if shown and shown != first:
            self.labels.setdefault((field, first[:VALUE_LENGTH]), clean(shown).strip()[:VALUE_LENGTH])

    def complete(self, kind: str, value: str | None, text: str | None) -> None:
        """Let a value be suggested by the words of a text."""
        if text and (known := value or folded(text)):
            self.completions.update(dict.fromkeys(completions.entries(kind, known[:VALUE_LENGTH], text)))


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
    found.add(Field.PID, record.pid, names=[getattr(record, "doi", None)])
    found.add(Field.FACILITY, record.facility)
    for source in dict.fromkeys((record.source, *(way.source for way in document.provenance))):
        found.add(Field.SOURCE, source)
    for keyword in getattr(record, "keywords", ()):
        found.add(Field.KEYWORD, None, names=[keyword])
        found.complete("keyword", None, keyword)
    started = started_of(record)
    if started is not None:
        found.add(Field.YEAR, f"{started.astimezone(UTC).year:04d}")
    if isinstance(record, Dataset):
        found.add(Field.ACCESS, record.access.value)
        for form in record.files.formats:
            found.add(Field.FILE_FORMAT, None, names=[form])


def _references(found: _Values, record: AnyRecord) -> None:
    for person in getattr(record, "people", ()):
        _person(found, person)
    instruments: Iterable[InstrumentPart | Instrument] = getattr(record, "instruments", ())
    for instrument in (record,) if isinstance(record, Instrument) else instruments:
        found.add(Field.INSTRUMENT, instrument.pid, names=[instrument.name, getattr(instrument, "full_name", None)])
        found.complete("instrument", instrument.pid, instrument.name)
    samples: Iterable[SamplePart | Sample] = getattr(record, "samples", ())
    for sample in (record,) if isinstance(record, Sample) else samples:
        found.add(Field.SAMPLE, sample.pid, names=[sample.name, sample.formula])
        for text in (sample.name, sample.formula):
            found.complete("sample", sample.pid or (folded(sample.name) if sample.name else None), text)
    investigation = record if isinstance(record, Investigation) else getattr(record, "investigation", None)
    if investigation is not None:
        _investigation(found, investigation)


def _person(found: _Values, person: Person) -> None:
    found.add(Field.PERSON, person.orcid, names=[person.name])
    found.complete("person", person.orcid, person.name)


def _investigation(found: _Values, part: InvestigationPart | Investigation) -> None:
    names = [part.title, part.proposal]
    found.add(Field.INVESTIGATION, part.pid, names=names)
    value = part.pid or next((folded(name) for name in names if name), None)
    for text in names:
        found.complete("investigation", value, text)


def _techniques(found: _Values, used: Iterable[Technique], known: Techniques) -> None:
    for technique in used:
        if technique.pid is None:
            found.add(Field.TECHNIQUE_EXACT, None, names=[technique.name])
            found.add(Field.TECHNIQUE, None, names=[technique.name])
            found.complete("technique", None, technique.name)
            continue
        label = known.label(technique.pid) or technique.name
        found.add(Field.TECHNIQUE_EXACT, technique.pid, label)
        found.add(Field.TECHNIQUE, technique.pid, label)
        for text in (label, *known.synonyms(technique.pid)):
            found.complete("technique", technique.pid, text)
        for broader in known.ancestors(technique.pid):
            found.add(Field.TECHNIQUE, broader, known.label(broader))


def _parameters(found: _Values, parameters: Iterable[Parameter]) -> None:
    for parameter in parameters:
        found.add(Field.PARAMETER_NAME, None, names=[parameter.name or parameter.source_name])
        also = found.also.setdefault(Field.PARAMETER_NAME, {})
        for name in names_of(parameter):
            also[name[:VALUE_LENGTH]] = None
            found.complete("parameter", folded(parameter.name or parameter.source_name), name)


def _parameter_texts(parameters: Iterable[Parameter]) -> tuple[str, ...]:
    told: dict[str, None] = {}
    for parameter in parameters:
        if parameter.text:
            text = folded(parameter.text)
            told.update(dict.fromkeys(f"{path(name, None)}={text}" for name in names_of(parameter)))
    return tuple(told)
