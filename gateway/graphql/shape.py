"""This file is where each field of the API lies in a stored document: the one mapping between the two namings.

A rule is data (`At`), so that a selection can be compiled from it later; what needs a computation over the stored value
alone is a plain function of it. What needs the request (ids of the federation, the vocabulary, the clock) is a resolver.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from gateway.graphql import ids
from schema import pids, text

_INT = 2_147_483_647


class Stored(msgspec.Struct, frozen=True):
    """A stored value on its way out: its type in the API, its JSON object, its facility, and the document around it."""

    type: str
    data: Mapping[str, Any]
    facility: str
    document: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class At:
    """A field's value lies under `key`; `absent` is given when it does not. `type` is the API type of an object, or of each."""

    key: str
    absent: Any = None
    type: str | None = None
    many: bool = False


Rule = At | Callable[[Stored], Any]

TYPE_OF_KIND = {
    "dataset": "Dataset",
    "investigation": "Investigation",
    "publication": "Publication",
    "instrument": "Instrument",
    "sample": "Sample",
}
KIND_OF_TYPE = {type_: kind for kind, type_ in TYPE_OF_KIND.items()}


def document(raw: bytes) -> Stored:
    """The stored document of a hit, decoded once."""
    whole = _decode(raw)
    record = whole["record"]
    return Stored(TYPE_OF_KIND[record["kind"]], record, record["facility"], whole)


def read(_name: str, _default: Any, value: Stored, info: Any, **_arguments: Any) -> Any:
    """graphene's default resolver of the types below."""
    return field(value, info.field_name)


def field(value: Stored, name: str) -> Any:
    """The value of a field of the API. Raises KeyError for one that needs a resolver."""
    return READERS[value.type][name](value)


_FOUND_BY = {"Investigation": ("title", "proposal"), "Sample": ("name", "formula")}


def pid(value: Stored) -> str:
    """The pid of a record; of a part that holds none, the folded name that filters find it by."""
    own = value.data.get("pid")
    if own:
        return str(own)
    names = (value.data.get(key) for key in _FOUND_BY.get(value.type, ("name",)))
    known = next((name for name in names if name), None)
    if known:
        return text.fold(known)
    return pids.pid_of(value.facility, KIND_OF_TYPE[value.type], str(value.data.get("id") or ""), ())


def relay_id(value: Stored) -> str:
    """The Relay id of a record or part."""
    return ids.encode(value.type, pid(value))


def _name(value: Stored) -> str:
    data = value.data
    return str(data.get("title") or data.get("name") or data.get("proposal") or data.get("id") or pid(value))


def _investigation(value: Stored) -> Stored | None:
    part = value.data.get("investigation")
    if not part or not any(part.get(key) for key in ("pid", "id", "title", "proposal")):
        return None
    return Stored("Investigation", part, value.facility, value.document)


def _files(value: Stored) -> Stored:
    return Stored("FileTotals", value.data.get("files") or {}, value.facility, value.document)


def _provenance(value: Stored) -> list[Stored]:
    rows: Sequence[Mapping[str, Any]] = value.document.get("provenance") or ()
    return [Stored("Provenance", row, value.facility, value.document) for row in rows]


def _count(value: Stored) -> int | None:
    count = value.data.get("count")
    return count if count is not None and count <= _INT else None


_NAMED: dict[str, Rule] = {"id": relay_id, "pid": pid}
_TIMES: dict[str, Rule] = {"startDate": At("start"), "endDate": At("end")}
_WORDS: dict[str, Rule] = {"keywords": At("keywords", ()), "people": At("people", type="Person", many=True)}

SHAPES: dict[str, dict[str, Rule]] = {
    "Dataset": {
        **_NAMED,
        **_TIMES,
        **_WORDS,
        "doi": At("doi"),
        "title": _name,
        "type": At("type"),
        "description": At("description"),
        "investigation": _investigation,
        "instruments": At("instruments", type="Instrument", many=True),
        "techniques": At("techniques", type="Technique", many=True),
        "samples": At("samples", type="Sample", many=True),
        "parameters": At("parameters", type="Parameter", many=True),
        "releaseDate": At("release"),
        "access": At("access", "CLOSED"),
        "license": At("license"),
        "files": _files,
        "provenance": _provenance,
        "details": At("details", type="Detail", many=True),
        "related": At("related", type="Related", many=True),
    },
    "Investigation": {
        **_NAMED,
        **_TIMES,
        **_WORDS,
        "title": _name,
        "proposal": At("proposal"),
        "abstract": At("abstract"),
        "type": At("type"),
        "releaseDate": At("release"),
    },
    "Publication": {
        **_NAMED,
        **_WORDS,
        "doi": At("doi"),
        "title": _name,
        "type": At("type"),
        "abstract": At("abstract"),
        "publisher": At("publisher"),
        "year": At("year"),
        "published": At("published"),
        "license": At("license"),
    },
    "Instrument": {
        **_NAMED,
        "name": _name,
        "fullName": At("full_name"),
        "description": At("description"),
        "type": At("type"),
        "url": At("url"),
    },
    "Sample": {
        **_NAMED,
        "name": _name,
        "formula": At("formula"),
        "type": At("type"),
        "description": At("description"),
    },
    "Person": {"name": At("name", ""), "orcid": At("orcid"), "role": At("role"), "affiliation": At("affiliation")},
    "Technique": {"pid": At("pid"), "name": At("name", "")},
    "Parameter": {
        "name": At("name", ""),
        "sourceName": At("source_name", ""),
        "value": At("value"),
        "text": At("text"),
        "min": At("min"),
        "max": At("max"),
        "unit": At("unit"),
        "siValue": At("si_value"),
        "siUnit": At("si_unit"),
    },
    "FileTotals": {"count": _count, "bytes": At("bytes"), "formats": At("formats", ())},
    "Provenance": {
        "source": At("source"),
        "kind": At("kind"),
        "sourceId": At("source_id"),
        "sourceUrl": At("source_url"),
        "modifiedThere": At("modified"),
        "harvestedAt": At("harvested"),
        "primary": At("primary"),
    },
    "Detail": {"name": At("name", ""), "text": At("text", "")},
    "Related": {
        "identifier": At("identifier", ""),
        "relation": At("relation", ""),
        "type": At("type"),
        "title": At("title"),
    },
}


def _reader(rule: Rule) -> Callable[[Stored], Any]:
    """A rule as a function."""
    if not isinstance(rule, At):
        return rule
    key, absent, type_ = rule.key, rule.absent, rule.type

    def plain(value: Stored) -> Any:
        found = value.data.get(key)
        return absent if found is None else found

    if type_ is None:
        return plain

    def part(value: Stored) -> Stored | None:
        found = value.data.get(key)
        return None if found is None else Stored(type_, found, value.facility, value.document)

    def parts(value: Stored) -> list[Stored]:
        return [Stored(type_, each, value.facility, value.document) for each in value.data.get(key) or ()]

    return parts if rule.many else part


READERS = {type_: {name: _reader(rule) for name, rule in rules.items()} for type_, rules in SHAPES.items()}
"""The rules as functions."""

_decode = msgspec.json.Decoder().decode


def encode(whole: Mapping[str, Any]) -> bytes:
    """A decoded document as it was stored."""
    return msgspec.json.encode(whole)
