"""This file is which words of a record are searched, and how much each weighs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from schema.records import AnyRecord
from schema.text import words

# The text fields and how much a word found in one weighs. Every document has all three, so that both engines reckon with the same number
# of documents and the same mean lengths.
WEIGHTS: dict[str, float] = {"title": 4.0, "names": 2.0, "body": 1.0}
TIE_BREAKER = 0.1  # how much of a word's lesser fields is added to its best one
PART = "|"  # stands between the parts of a field: no word is it, so no phrase reaches from one part into the next
_NAME, _SERIES, _SHARED = 64, 256, 4_096  # characters of a text whose words are remembered
TEXT_LENGTH = 65_536  # characters of one field that are searched, as many as are highlighted

Told = dict[str, str]
"""Parts of a field, each with its words: parted by blanks, ready for an engine that splits at blanks only. A part told twice is one."""


def texts(record: AnyRecord, names: Iterable[Told], body: Iterable[Told]) -> dict[str, str]:
    """The words of each text field: of the record's own, and of `names` and `body`, which many records mention alike."""
    return {
        "title": _text(_own(_title(record))),
        "names": _text(_own((record.pid, getattr(record, "doi", None))), told(_names(record)), *names),
        "body": _text(told(_body(record)), *body, {part: _again(part) for part in _abstracts(record) if part}),
    }


def told(parts: Iterable[str | None]) -> Told:
    """The parts that say something, with their words."""
    return {part: _words(part) if len(part) <= _SERIES else _ended(part[:TEXT_LENGTH]) for part in parts if part}


def _own(parts: Iterable[str | None]) -> Told:
    """The same of what no other record says: it is not remembered."""
    return {part: _ended(part[:TEXT_LENGTH]) for part in parts if part}


def _text(parts: Told, *others: Told) -> str:
    """`parts` are one's own, and take up the others."""
    for other in others:
        parts.update(other)
    if len("".join(parts)) > TEXT_LENGTH:
        parts = told(_within(parts))
    return " ".join((PART, *parts.values()))


def _within(parts: Iterable[str]) -> Iterator[str]:
    """As much as is searched; a name is not cut."""
    left = TEXT_LENGTH
    for part in parts:
        yield part if len(part) <= _NAME else part[:left]
        left -= len(part)
        if left <= 0:
            break


def _ended(part: str) -> str:
    return " ".join((*words(part), PART))


@lru_cache(maxsize=32_768)
def _words(part: str) -> str:
    """Names come again and again, and what the datasets of one series say alike; a long text does not ..."""
    return _ended(part)


def _again(part: str) -> str:
    """... unless it is that of the investigation which all datasets of it show."""
    return (
        _words(part) if len(part) <= _SERIES else _shared(part) if len(part) <= _SHARED else _ended(part[:TEXT_LENGTH])
    )


@lru_cache(maxsize=2_048)
def _shared(part: str) -> str:
    return _ended(part)


def _title(record: AnyRecord) -> list[str | None]:
    return [getattr(record, field, None) for field in ("title", "name", "full_name")]


def _names(record: AnyRecord) -> list[str | None]:
    return [record.facility, getattr(record, "formula", None), getattr(record, "proposal", None)]


def _body(record: AnyRecord) -> list[str | None]:
    return [
        *[getattr(record, field, None) for field in ("description", "abstract", "type", "publisher")],
        *[sample.type for sample in getattr(record, "samples", ())],
        *[said for detail in record.details for said in (detail.name, detail.text)],
        *[parameter.text for parameter in getattr(record, "parameters", ())],
    ]


def _abstracts(record: AnyRecord) -> list[str | None]:
    whole = getattr(record, "investigation", None)
    return [
        *[person.affiliation for person in getattr(record, "people", ())],
        None if whole is None else whole.abstract,
        *[related.title for related in getattr(record, "related", ())],
    ]
