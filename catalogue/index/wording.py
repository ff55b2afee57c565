"""This file is which words of a record are searched, and how much each weighs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Protocol

from schema.records import AnyRecord
from schema.text import words

# The text fields and how much a word found in one weighs. Every document has all three, so that both engines reckon with the same number
# of documents and the same mean lengths.
WEIGHTS: dict[str, float] = {"title": 4.0, "names": 2.0, "body": 1.0}
TIE_BREAKER = 0.1  # how much of a word's lesser fields is added to its best one
PART = "¦"  # stands between the parts of a field: no word is it, so no phrase reaches from one part into the next
_NAME, _SERIES, _SHARED = 64, 256, 4_096  # characters of a text whose words are remembered
TEXT_LENGTH = 65_536  # characters of one field that are searched, as many as are highlighted


class Labels(Protocol):
    """What the words of a technique need of the vocabulary. It never changes."""

    def __hash__(self) -> int: ...

    def label(self, iri: str, /) -> str | None:
        """The preferred label."""

    def synonyms(self, iri: str, /) -> Iterable[str]:
        """Other labels."""


def texts(record: AnyRecord, labels: Labels) -> dict[str, str]:
    """The words of each text field, parted by blanks, ready for an engine that splits at blanks only."""
    return {
        "title": _joined(_title(record)),
        "names": _joined(_names(record, labels), _titles(record)),
        "body": _joined(_body(record), _abstracts(record)),
    }


def _joined(own: Iterable[str | None], shared: Iterable[str | None] = ()) -> str:
    """The words of what is the record's own, then of what other records say too."""
    again = dict.fromkeys(shared)
    parts = [part for part in {**dict.fromkeys(own), **again} if part]
    told = parts if sum(map(len, parts)) <= TEXT_LENGTH else _within(parts)
    pieces = [_words(part) if len(part) <= _SERIES else _long(part, part in again) for part in told]
    return " ".join((PART, *pieces))


def _within(parts: Iterable[str]) -> Iterator[str]:
    """As much as is searched; a name is not cut."""
    left = TEXT_LENGTH
    for part in parts:
        yield part if len(part) <= _NAME else part[:left]
        left -= len(part)
        if left <= 0:
            break


def _long(part: str, shared: bool) -> str:
    return _shared(part) if shared and len(part) <= _SHARED else _ended(part)


def _ended(part: str) -> str:
    return " ".join((*words(part), PART))


@lru_cache(maxsize=32_768)
def _words(part: str) -> str:
    """Names come again and again, and what the datasets of one series say alike; a long text does not ..."""
    return _ended(part)


@lru_cache(maxsize=2_048)
def _shared(part: str) -> str:
    """... unless it is that of the investigation which all datasets of it show."""
    return _ended(part)


def _title(record: AnyRecord) -> Iterator[str | None]:
    yield getattr(record, "title", None)
    yield getattr(record, "name", None)
    yield getattr(record, "full_name", None)


def _names(record: AnyRecord, labels: Labels) -> Iterator[str | None]:
    yield record.pid
    yield getattr(record, "doi", None)
    yield record.facility
    yield getattr(record, "formula", None)
    yield getattr(record, "proposal", None)
    yield from getattr(record, "keywords", ())
    for person in getattr(record, "people", ()):
        yield person.name
    for instrument in getattr(record, "instruments", ()):
        yield instrument.name
    for sample in getattr(record, "samples", ()):
        yield sample.name
        yield sample.formula
    for technique in getattr(record, "techniques", ()):
        yield technique.name
        yield technique.source_name
        if technique.pid is not None:
            yield from _called(technique.pid, labels)


def _titles(record: AnyRecord) -> Iterator[str | None]:
    investigation = getattr(record, "investigation", None)
    if investigation is not None:
        yield investigation.proposal
        yield investigation.title


@lru_cache(maxsize=4_096)
def _called(iri: str, labels: Labels) -> tuple[str | None, ...]:
    return (labels.label(iri), *labels.synonyms(iri))


def _body(record: AnyRecord) -> Iterator[str | None]:
    yield getattr(record, "description", None)
    yield getattr(record, "abstract", None)
    yield getattr(record, "type", None)
    yield getattr(record, "publisher", None)
    for sample in getattr(record, "samples", ()):
        yield sample.type
    for detail in record.details:
        yield detail.name
        yield detail.text
    for parameter in getattr(record, "parameters", ()):
        yield parameter.name
        yield parameter.source_name
        yield parameter.text


def _abstracts(record: AnyRecord) -> Iterator[str | None]:
    for person in getattr(record, "people", ()):
        yield person.affiliation
    investigation = getattr(record, "investigation", None)
    if investigation is not None:
        yield investigation.abstract
    for related in getattr(record, "related", ()):
        yield related.title
