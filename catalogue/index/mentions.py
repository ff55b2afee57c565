"""This file is what the mentions of a document give an index: people, instruments, techniques and the like, sort by sort.

Thousands of documents mention the same, so what a sort gives is made once and remembered.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import msgspec

from catalogue.index import completions
from catalogue.index.quantities import VALUE_LENGTH, folded
from catalogue.index.vocabulary import Techniques
from catalogue.index.wording import Told, told
from catalogue.query import Field
from schema.records import (
    AnyRecord,
    Dataset,
    Document,
    Instrument,
    InstrumentPart,
    Investigation,
    Sample,
    SamplePart,
)
from schema.text import clean

_CROWD = 64  # more mentions of one sort are not remembered together


class Label(NamedTuple):
    """What to show for a value that does not show itself."""

    field: Field
    value: str
    text: str


class Mentioned(msgspec.Struct, frozen=True, eq=False, gc=False):
    """What the mentions of one sort in a document give together (all people, say). No other sort has its fields.

    `names` and `body` are the words it brings to those text fields. Thousands of documents share a `common` one. It is never changed
    and equals itself alone, so what is made of it can be remembered too.
    """

    values: dict[Field, tuple[str, ...]]
    also: dict[Field, tuple[str, ...]] = {}
    labels: tuple[Label, ...] = ()
    completions: tuple[str, ...] = ()
    names: Told = {}
    body: Told = {}
    common: bool = False


@dataclass(frozen=True, eq=False, slots=True)
class _Sort:
    """A sort of things, each told by (value, name, ...): whose values they are, what suggestions they make, and which of what is told
    is words of which text field."""

    field: Field
    complete: str = ""
    text: str = "names"
    said: tuple[int, ...] = ()


_KEYWORD = _Sort(Field.KEYWORD, "keyword", said=(1,))
_FILE_FORMAT = _Sort(Field.FILE_FORMAT)
_PERSON = _Sort(Field.PERSON, "person", said=(1,))
_INSTRUMENT = _Sort(Field.INSTRUMENT, "instrument", said=(1,))
_SAMPLE = _Sort(Field.SAMPLE, "sample", said=(1, 2))
_INVESTIGATION = _Sort(Field.INVESTIGATION, "investigation", said=(2, 1))
_TECHNIQUE = _Sort(Field.TECHNIQUE, "technique", said=(1, 2))
_PARAMETER = _Sort(Field.PARAMETER_NAME, "parameter", "body", said=(1, 2))
# what a record says of itself is in its own words already
_ITSELF = {sort.field: _Sort(sort.field, sort.complete) for sort in (_INSTRUMENT, _SAMPLE, _INVESTIGATION)}

Names = tuple[tuple[str | None, ...], ...]


def mentions(document: Document, year: int | None, techniques: Techniques) -> list[Mentioned]:
    """Sort by sort. `year` is the one the document is found by."""
    record = document.record
    access, formats = (record.access.value, record.files.formats) if isinstance(record, Dataset) else (None, ())
    found = [_plain(record.facility, (record.source, *[way.source for way in document.provenance]), year, access)]
    if keywords := getattr(record, "keywords", ()):
        found.append(_known(_KEYWORD, tuple([(None, keyword) for keyword in keywords])))
    if formats:
        found.append(_known(_FILE_FORMAT, tuple([(None, form) for form in formats])))
    found += (_itself(record.pid, getattr(record, "doi", None)), *_things(record))
    if used := getattr(record, "techniques", ()):
        found.append(_known(_TECHNIQUE, tuple([(one.pid, one.name, one.source_name) for one in used]), techniques))
    if parameters := getattr(record, "parameters", ()):
        named = tuple([(None, one.name or one.source_name, one.source_name) for one in parameters])
        found.append(_known(_PARAMETER, named))
    return found


def _things(record: AnyRecord) -> list[Mentioned]:
    """The people and things it names, or is."""
    found: list[Mentioned] = []
    if people := getattr(record, "people", ()):
        found.append(_known(_PERSON, tuple([(person.orcid, person.name) for person in people])))
    instruments: Sequence[InstrumentPart] = getattr(record, "instruments", ())
    if instruments:
        found.append(_known(_INSTRUMENT, tuple([(one.pid, one.name) for one in instruments])))
    samples: Sequence[SamplePart] = getattr(record, "samples", ())
    if samples:
        found.append(_known(_SAMPLE, tuple([(one.pid, one.name, one.formula) for one in samples])))
    whole = getattr(record, "investigation", None)
    if whole is not None:
        found.append(_known(_INVESTIGATION, ((whole.pid, whole.title, whole.proposal),)))
    match record:
        case Instrument():
            found.append(_known(_ITSELF[Field.INSTRUMENT], ((record.pid, record.name, record.full_name),)))
        case Sample():
            found.append(_known(_ITSELF[Field.SAMPLE], ((record.pid, record.name, record.formula),)))
        case Investigation():
            found.append(_known(_ITSELF[Field.INVESTIGATION], ((record.pid, record.title, record.proposal),)))
    return found


def _itself(pid: str, doi: str | None) -> Mentioned:
    return Mentioned({Field.PID: (pid,)}, {Field.PID: (folded(doi),)} if doi and doi != pid else {})


@lru_cache(maxsize=4_096)
def _plain(facility: str, sources: tuple[str, ...], year: int | None, access: str | None) -> Mentioned:
    """Values that show themselves."""
    shown = (
        (Field.FACILITY, facility),
        *((Field.SOURCE, source) for source in sources),
        (Field.YEAR, None if year is None else f"{year:04d}"),
        (Field.ACCESS, access),
    )
    return _together((_mention(field, value, ()) for field, value in shown), common=True)


def _known(sort: _Sort, named: Names, techniques: Techniques | None = None) -> Mentioned:
    """Things told by (value, name, ...). Some are named together again and again; a crowd is not."""
    if len(named) > _CROWD:
        return _all(sort, named, techniques, common=False)
    return _few(sort, named, techniques)


@lru_cache(maxsize=16_384)
def _few(sort: _Sort, named: Names, techniques: Techniques | None) -> Mentioned:
    return _all(sort, named, techniques, common=True)


def _all(sort: _Sort, named: Names, techniques: Techniques | None, *, common: bool) -> Mentioned:
    said = [one[at] for one in named for at in sort.said]
    if techniques is None:
        each = [_mention(sort.field, value, tuple(names), None, sort.complete) for value, *names in named]
    else:
        each = [mention for iri, name, _ in named for mention in _technique(iri, name or "", techniques)]
        said += [name for iri, *_ in named if iri for name in (techniques.label(iri), *techniques.synonyms(iri))]
    return _together(each, common=common, **{sort.text: told(said)})


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
    said = _shown(shown) if shown and shown != first else None
    return _Mention(field, first, also, Label(field, first, said) if said else None, found)


def _together(
    each: Iterable[_Mention | None], *, common: bool, names: Told | None = None, body: Told | None = None
) -> Mentioned:
    values: dict[Field, dict[str, None]] = {}
    also: dict[Field, dict[str, None]] = {}
    labels: dict[tuple[Field, str], Label] = {}
    completing: dict[str, None] = {}
    for mention in each:
        if mention is None:
            continue
        values.setdefault(mention.field, {})[mention.value] = None
        if mention.also:
            also.setdefault(mention.field, {}).update(mention.also)
        if mention.label:
            labels.setdefault((mention.field, mention.value), mention.label)
        completing.update(mention.completions)
    shown = tuple(labels.values())
    return Mentioned(_listed(values), _listed(also), shown, tuple(completing), names or {}, body or {}, common)


def _listed(found: dict[Field, dict[str, None]]) -> dict[Field, tuple[str, ...]]:
    return {field: tuple(values) for field, values in found.items()}


def _shown(label: str) -> str:
    return clean(label[: 2 * VALUE_LENGTH]).strip()[:VALUE_LENGTH]
