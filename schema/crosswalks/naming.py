"""This file is what several crosswalks share: techniques resolved, details collected, rejects made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from schema.crosswalks.place import Place
from schema.crosswalks.reading import NAME, TEXT, said, text
from schema.records import Detail, Reject, Technique

RAW = 262_144


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
    return tuple(Detail(name, found) for name in names if (found := _readable(raw.get(name))) is not None)


def _readable(value: object) -> str | None:
    if isinstance(value, list):
        return ", ".join(found for each in value[:1000] if (found := said(each, TEXT))) or None
    if isinstance(value, Mapping):
        return shown(value) if value else None
    return said(value, TEXT)


def shown(value: object) -> str:
    """Any JSON as text, for reading; never raises."""
    try:
        return json.dumps(value, ensure_ascii=False, default=str)[:TEXT]
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
