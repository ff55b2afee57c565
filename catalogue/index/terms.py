"""This file is what an index keeps of a document besides its JSON: the terms, values, numbers and labels of every field.

Pure, and the same for both engines: they hold what is decided here and nothing of their own, so that they answer alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple, Protocol

import msgspec

from catalogue.index import completions
from catalogue.index.quantities import VALUE_LENGTH, folded
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
)
from schema.text import clean, fold

TITLE_LENGTH = 64  # characters of the folded title that order by TITLE
FACETS = tuple(field for field in Field if field is not Field.PID)  # every field but this can be counted
_CROWD = 64  # more mentions of one sort are not remembered together
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


class Label(NamedTuple):
    """What to show for a value that does not show itself."""

    field: Field
    value: str
    text: str


@dataclass(frozen=True, eq=False, slots=True)
class Mentioned:
    """What the mentions of one sort in a document give together (all people, say). No other sort has its fields.

    Thousands of documents share a `common` one. It is never changed and equals itself alone, so what is made of it can be remembered too.
    """

    values: dict[Field, tuple[str, ...]]
    also: dict[Field, tuple[str, ...]]
    labels: tuple[Label, ...] = ()
    completions: tuple[str, ...] = ()
    common: bool = False


class Terms(msgspec.Struct, frozen=True, gc=False):
    """One document as an index keeps it.

    `texts` by text field (see wording), `mentioned` what facets count, filters find and suggestions complete, sort by sort. Times are
    microseconds since 1970 (UTC). `parameters` are what quantities and their texts are made of, which the engines keep in their own ways.
    """

    pid: str
    version: int
    number: int | None
    texts: dict[str, str]
    mentioned: tuple[Mentioned, ...]
    started: int | None
    released: int | None
    title: str
    parameters: tuple[Parameter, ...]
    groups: tuple[str, ...]
    public: bool

    @property
    def values(self) -> dict[Field, tuple[str, ...]]:
        """The values that facets count and filters find."""
        return {field: values for one in self.mentioned for field, values in one.values.items()}

    @property
    def also(self) -> dict[Field, tuple[str, ...]]:
        """Further names that filters find, folded."""
        return {field: names for one in self.mentioned for field, names in one.also.items()}

    @property
    def labels(self) -> tuple[Label, ...]:
        """What to show for values that do not show themselves."""
        return tuple(label for one in self.mentioned for label in one.labels)

    @property
    def completions(self) -> tuple[str, ...]:
        """What suggestions are found by; nothing of what is not public."""
        return tuple(entry for one in self.mentioned for entry in one.completions) if self.public else ()


class _Mention(NamedTuple):
    """What one mention of something gives: a value of a field, other names, what to show, what suggests it. Shared: never changed."""

    field: Field
    value: str
    also: dict[str, None]
    label: Label | None
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
    told = _shown(shown) if shown and shown != first else None
    return _Mention(field, first, also, Label(field, first, told) if told else None, found)


def _together(mentions: Iterable[_Mention | None], *, common: bool) -> Mentioned:
    values: dict[Field, dict[str, None]] = {}
    names: dict[Field, dict[str, None]] = {}
    labels: dict[tuple[Field, str], Label] = {}
    completing: dict[str, None] = {}
    for mention in mentions:
        if mention is None:
            continue
        values.setdefault(mention.field, {})[mention.value] = None
        if mention.also:
            names.setdefault(mention.field, {}).update(mention.also)
        if mention.label:
            labels.setdefault((mention.field, mention.value), mention.label)
        completing.update(mention.completions)
    return Mentioned(_listed(values), _listed(names), tuple(labels.values()), tuple(completing), common)


def _listed(found: dict[Field, dict[str, None]]) -> dict[Field, tuple[str, ...]]:
    return {field: tuple(values) for field, values in found.items()}


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
    started, released = started_of(record), released_of(record)
    return Terms(
        pid=record.pid,
        version=document.version,
        number=document.public_number,
        texts=texts(record, techniques),
        mentioned=(*_circumstances(document), *_references(record, techniques)),
        started=None if started is None else micros(started),
        released=None if released is None else micros(released),
        title=title_key(record),
        parameters=getattr(record, "parameters", ()),
        groups=() if public else record.visibility.groups,
        public=public,
    )


Names = tuple[tuple[str | None, ...], ...]


def _circumstances(document: Document) -> Iterable[Mentioned]:
    record = document.record
    started = started_of(record)
    access, formats = (record.access.value, record.files.formats) if isinstance(record, Dataset) else (None, ())
    plain = (
        (Field.FACILITY, record.facility),
        *((Field.SOURCE, source) for source in (record.source, *(way.source for way in document.provenance))),
        (Field.YEAR, None if started is None else f"{started.astimezone(UTC).year:04d}"),
        (Field.ACCESS, access),
    )
    yield _plain(plain)
    if keywords := getattr(record, "keywords", ()):
        yield _known(Field.KEYWORD, tuple((None, keyword) for keyword in keywords), "keyword")
    if formats:
        yield _known(Field.FILE_FORMAT, tuple((None, form) for form in formats), "")


def _references(record: AnyRecord, techniques: Techniques) -> Iterable[Mentioned]:
    yield _itself(record.pid, getattr(record, "doi", None))
    if people := getattr(record, "people", ()):
        yield _known(Field.PERSON, tuple((person.orcid, person.name) for person in people), "person")
    instruments: Iterable[InstrumentPart | Instrument] = getattr(record, "instruments", ())
    if isinstance(record, Instrument):
        instruments = (record,)
    if instruments:
        named = tuple((one.pid, one.name, getattr(one, "full_name", None)) for one in instruments)
        yield _known(Field.INSTRUMENT, named, "instrument")
    samples: Iterable[SamplePart | Sample] = (record,) if isinstance(record, Sample) else getattr(record, "samples", ())
    if samples:
        yield _known(Field.SAMPLE, tuple((one.pid, one.name, one.formula) for one in samples), "sample")
    whole = record if isinstance(record, Investigation) else getattr(record, "investigation", None)
    if whole is not None:
        yield _known(Field.INVESTIGATION, ((whole.pid, whole.title, whole.proposal),), "investigation")
    if used := getattr(record, "techniques", ()):
        yield _used(tuple((one.pid, one.name) for one in used), techniques)
    if parameters := getattr(record, "parameters", ()):
        named = tuple((None, one.name or one.source_name, one.source_name) for one in parameters)
        yield _known(Field.PARAMETER_NAME, named, "parameter")


def _itself(pid: str, doi: str | None) -> Mentioned:
    return Mentioned({Field.PID: (pid,)}, {Field.PID: (folded(doi),)} if doi and doi != pid else {})


@lru_cache(maxsize=4_096)
def _plain(told: tuple[tuple[Field, str | None], ...]) -> Mentioned:
    """Values that show themselves."""
    return _together((_mention(field, value, ()) for field, value in told), common=True)


def _known(field: Field, named: Names, complete: str) -> Mentioned:
    """Things told by (value, name, ...). Some are named together again and again; a crowd is not."""
    return (
        _few(field, named, complete) if len(named) <= _CROWD else _together(_each(field, named, complete), common=False)
    )


@lru_cache(maxsize=16_384)
def _few(field: Field, named: Names, complete: str) -> Mentioned:
    return _together(_each(field, named, complete), common=True)


def _each(field: Field, named: Names, complete: str) -> Iterable[_Mention | None]:
    return (_mention(field, value, tuple(names), None, complete) for value, *names in named)


def _used(used: tuple[tuple[str | None, str], ...], known: Techniques) -> Mentioned:
    """The techniques told by (IRI, name)."""
    return _few_used(used, known) if len(used) <= _CROWD else _together(_each_used(used, known), common=False)


@lru_cache(maxsize=4_096)
def _few_used(used: tuple[tuple[str | None, str], ...], known: Techniques) -> Mentioned:
    return _together(_each_used(used, known), common=True)


def _each_used(used: tuple[tuple[str | None, str], ...], known: Techniques) -> Iterable[_Mention | None]:
    return (mention for iri, name in used for mention in _technique(iri, name, known))


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
