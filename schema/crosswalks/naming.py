"""This file is what several crosswalks share: techniques resolved, details collected, rejects made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from schema.crosswalks.place import Place
from schema.crosswalks.reading import MANY, NAME, TEXT, said, text
from schema.records import AnyRecord, Detail, Kind, Reject, Technique, encode

RAW = 262_144
RECORD = 1 << 20
R = TypeVar("R", bound=AnyRecord)


def identified(
    place: Place, kind: Kind, raw: object, noun: str, keys: tuple[str, ...]
) -> tuple[str, Mapping[str, Any]] | Reject:
    """The record's id (under the first of the keys that has one) and its fields; else the reject that says what is wrong."""
    if not isinstance(raw, Mapping):
        return reject(place, kind, None, "not-an-object", f"A {noun} must be a JSON object.", raw)
    id = next((found for key in keys if (found := text(raw.get(key))) is not None), None)
    if id is None:
        return reject(place, kind, None, "no-id", f"The {noun} has no {keys[0]}.", raw)
    if len(id) > NAME:
        return reject(place, kind, id, "id-too-long", f"The {noun}'s {keys[0]} has more than {NAME} characters.", raw)
    return id, raw


def fitting(place: Place, record: R, raw: object) -> R | Reject:
    """The record, unless it is larger than a record may be (1 MiB: reliability reference, section 8)."""
    size = len(encode(record))
    if size <= RECORD:
        return record
    message = f"The record has {size} bytes, and one may have {RECORD}."
    return reject(place, record.kind, record.id, "too-large", message, raw)


def technique(place: Place, pid: object, name: object) -> Technique | None:
    """The technique that an identifier or, failing that, a name resolves to in the vocabulary; else the source's own words.

    A name may be several dotted ontology paths; an identifier may be a bare code, a PURL, another URL or a UUID.
    """
    given, words = said(pid, 1024), said(name, TEXT)
    for spelling in (given, words):
        term = place.vocabulary.resolve(spelling) if spelling else None
        if term is not None:
            own = words if words and words.lower() != term.label.lower() else None
            return Technique(name=term.label, pid=term.iri, source_name=own)
    if words is None and given is None:
        return None
    return Technique(name=(words or given or "")[:NAME], source_name=given if words else None)


def techniques(place: Place, named: Iterable[tuple[object, object]]) -> tuple[Technique, ...]:
    """The techniques of (pid, name) pairs, once each."""
    found = (technique(place, pid, name) for pid, name in named)
    return tuple({(each.pid or each.name): each for each in found if each is not None}.values())


def details(raw: Mapping[str, Any], names: Iterable[str]) -> tuple[Detail, ...]:
    """The named plain facts of a raw record as details, under the source's own names."""
    found = []
    for name in names:
        value = raw.get(name)
        if value is not None and (shown_as := _readable(value)) is not None:
            found.append(Detail(name, shown_as))
    return tuple(found)


def _readable(value: object) -> str | None:
    if isinstance(value, str):
        return said(value, TEXT)
    if isinstance(value, list):
        parts = (
            shown(each) if isinstance(each, Mapping | list) and each else said(each, TEXT) for each in value[:MANY]
        )
        return ", ".join(part for part in parts if part)[:TEXT] or None
    if isinstance(value, Mapping):
        return shown(value) if value else None
    return said(value, TEXT)


def shown(value: object) -> str:
    """Any JSON as text, for reading; never raises."""
    try:
        return text(json.dumps(value, ensure_ascii=False, default=str)) or ""
    except (RecursionError, ValueError):
        return "(nested too deeply to be shown)"


def reject(place: Place, kind: str, id: object, reason: str, message: str, raw: object) -> Reject:
    """A refusal that keeps the raw record (capped at 256 KiB)."""
    try:
        kept = json.dumps(raw, ensure_ascii=False, default=str)[:RAW]
    except (RecursionError, ValueError):
        kept = "(nested too deeply to be kept)"
    kept = kept.encode("utf-8", "replace").decode()
    return Reject(source=place.source, kind=kind, id=text(id, NAME) or "?", reason=reason, message=message, raw=kept)
