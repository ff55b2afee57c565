"""This file is the mapping of our Elasticsearch indexes and a document's row in it.

Nothing is dynamic. Text fields are split at blanks alone, their words being decided in `schema.text`. They are named
by kind, as Lucene keeps the statistics of a score by field: so each kind has its own, as in the embedded engine.
Times are whole microseconds since 1970 (a `date` of Elasticsearch ends at milliseconds). Parameters are nested, so
that name, dimension, number and text are compared together.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from catalogue.index.mentions import Mentioned
from catalogue.index.quantities import folded, names_of, span
from catalogue.index.terms import FACETS, Terms, terms
from catalogue.index.vocabulary import Techniques
from catalogue.index.wording import WEIGHTS
from catalogue.query import Field
from schema.records import Document, Kind, Parameter, encode_document

FORMAT = 2  # raise it whenever mapping or rows change: it is part of every index's name, and another one is refused
PART = "\x1f"
REFRESH = "30s"  # whoever writes refreshes by himself, so that the engine need not do it as well
PARAMETERS = 5_000  # nested rows of one document (the server refuses more than 10,000)
UTMOST = 1.7976931348623157e308  # stands for infinity, which JSON has not
_KEYWORD = {"type": "keyword"}
_LONG = {"type": "long"}
_SWAPPED = bytes.maketrans(b'"\x7f', b'\x7f"')
_UNSEARCHED = {"type": "object", "enabled": False}


def text_field(kind: Kind, field: str) -> str:
    """The column of a text field for that kind."""
    return f"{kind.value}_{field}"


_TEXT_FIELDS = {kind: {field: text_field(kind, field) for field in WEIGHTS} for kind in Kind}
_ALSO = {field: field.value + PART for field in Field}
_LISTS = {name: b',"%s":[' % name.encode() for name in ("also", "label", "completion")}


def mappings() -> dict[str, Any]:
    """The mapping; only `raw` and what is not searched is stored."""
    words = {"type": "text", "analyzer": "whitespace"}
    numbers = {"low": {"type": "double"}, "high": {"type": "double"}, "points": {"type": "double"}}
    parameter = {"name": _KEYWORD, "dimension": _KEYWORD, "text": _KEYWORD, **numbers}
    return {
        "dynamic": "strict",
        "_meta": {"pangate": {"format": FORMAT}},
        "_source": {"includes": ["raw", "words", "open_to", "mark", "pit"]},
        "properties": {
            "kind": _KEYWORD,
            **{field.value: _KEYWORD for field in (*FACETS, Field.PID)},
            **dict.fromkeys(("also", "label", "groups", "completion"), _KEYWORD),
            **dict.fromkeys(("number", "started", "released"), _LONG),
            "title": _KEYWORD,
            **{text_field(kind, field): words for kind in Kind for field in WEIGHTS},
            "parameters": {"type": "nested", "dynamic": "strict", "properties": parameter},
            **dict.fromkeys(("raw", "words", "open_to", "mark", "pit"), _UNSEARCHED),
        },
    }


def settings(shards: int, replicas: int) -> dict[str, Any]:
    """What an index is made with."""
    return {
        "number_of_shards": shards,
        "number_of_replicas": replicas,
        "refresh_interval": REFRESH,
        "max_regex_length": 32_768,
    }


def identity(kind: Kind, pid: str) -> str:
    """The id of a document in the engine (an id has at most 512 bytes there, a pid may have more)."""
    return f"{kind.value}.{blake2b(pid.encode('utf-8', 'surrogatepass'), digest_size=18).hexdigest()}"


@lru_cache(maxsize=131_072)
def label_key(field: Field, value: str) -> str:
    """What the labels of a value begin with: plain letters and digits, so that it stands in a pattern as it is."""
    told = blake2b(value.encode("utf-8", "surrogatepass"), digest_size=9).hexdigest()
    return f"{field.value}{PART}{told}{PART}"


def quoted(content: bytes) -> bytes:
    """JSON as a text within JSON. Its quotation marks, hundreds of them, change places with a sign that needs no escape (DEL), so that
    neither we nor the engine escape and unescape one by one: a third of the time, and a tenth less to keep."""
    return b'"%s"' % content.translate(_SWAPPED).replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def unquoted(text: str) -> bytes:
    """The JSON of a `quoted` text, once its own JSON is decoded."""
    return text.encode().translate(_SWAPPED)


def row(document: Document, techniques: Techniques, *, public: bool) -> bytes:
    """A document as JSON for the engine. Its words are stored beside it only where scores are reckoned by ourselves."""
    record = document.record
    found = terms(document, techniques, public=public)
    columns = _TEXT_FIELDS[record.kind]
    cells: dict[str, Any] = {
        "kind": record.kind,
        "title": found.title,
        **{columns[field]: text for field, text in found.texts.items()},
        **_numbers(found),
    }
    rows = _parameters(found.parameters)
    if rows:
        cells["parameters"] = rows
    if not public:
        cells |= {"groups": found.groups, "open_to": found.groups, "words": found.texts}
    raw = quoted(encode_document(document))
    return b"".join((msgspec.json.encode(cells)[:-1], b',"raw":', raw, b",", *_shared(found), b"}"))


def _numbers(found: Terms) -> dict[str, int]:
    told = {"number": found.number, "started": found.started, "released": found.released}
    return {name: number for name, number in told.items() if number is not None}


class _Encoded(NamedTuple):
    """What one sort of mentions brings to a row, as JSON: members with its values, items of the lists that all sorts share."""

    values: bytes
    also: bytes
    label: bytes
    completion: bytes


@lru_cache(maxsize=24_576)  # as many as `terms` remembers of what is common
def _known(mentioned: Mentioned) -> _Encoded:
    """Most of a row is what thousands of documents have in common: it is put into JSON once."""
    return _encoded(mentioned)


def _encoded(mentioned: Mentioned) -> _Encoded:
    also = [_ALSO[field] + name for field, names in mentioned.also.items() for name in names]
    label = [label_key(each.field, each.value) + each.text for each in mentioned.labels]
    each = (mentioned.values, also, label, mentioned.completions)  # a Field is its name, in JSON too
    return _Encoded(*[msgspec.json.encode(one)[1:-1] if one else b"" for one in each])


def _shared(found: Terms) -> list[bytes]:
    """The members of a row that are made of mentions, in pieces; there is one at least, the pid."""
    sorts = [_known(sort) if sort.common else _encoded(sort) for sort in found.mentioned]
    values, also, label, completion = zip(*sorts, strict=True)
    pieces = [b",".join(filter(None, values))]
    for name, items in (("also", also), ("label", label), ("completion", completion if found.public else ())):
        if some := b",".join(filter(None, items)):
            pieces += (_LISTS[name], some, b"]")
    return pieces


def _parameters(parameters: Iterable[Parameter]) -> list[dict[str, Any]]:
    rows: dict[tuple[object, ...], dict[str, Any]] = {}
    for parameter in parameters:
        names = names_of(parameter)
        if not names:
            continue
        text = folded(parameter.text) if parameter.text else None
        spanned = span(parameter)
        key = (names, text, spanned)
        if key not in rows and len(rows) < PARAMETERS:
            rows[key] = _parameter(names, text, spanned)
    return list(rows.values())


def _parameter(
    names: tuple[str, ...], text: str | None, spanned: tuple[str | None, float, float] | None
) -> dict[str, Any]:
    cells: dict[str, Any] = {"name": names}
    if text is not None:
        cells["text"] = text
    if spanned is not None:
        dimension, low, high = spanned
        cells["dimension"] = dimension or ""
        if low == high:
            cells["low"] = cells["high"] = low
            cells["points"] = (low,)
        else:
            cells["low"], cells["high"] = finite(low), finite(high)
            cells["points"] = [end for end in (low, high) if math.isfinite(end)]
    return cells


def finite(value: float) -> float:
    """The number, or the utmost one for infinity."""
    return min(max(value, -UTMOST), UTMOST) + 0.0
