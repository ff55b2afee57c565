"""This file is which media type a client is answered in (RFC 9110, 12.5.1; GraphQL over HTTP, 5 and 6)."""

from __future__ import annotations

import re

JSON = "application/json"
GRAPHQL = "application/graphql-response+json"
EVENTS = "text/event-stream"

_OFFERED = (JSON, GRAPHQL)
_QUALITY = re.compile(r"(?:0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.ASCII)


def chosen(accept: str | None, offered: tuple[str, ...] = _OFFERED) -> str | None:
    """The offered type the client likes best (the first of equals; no header: the first), or None when it takes none."""
    if accept is None or not accept.strip():
        return offered[0]
    ranges = [_range(part) for part in accept.split(",")[:64]]
    best, best_quality = None, 0.0
    for type_ in offered:
        quality = _liking(type_, ranges)
        if quality > best_quality or (quality == best_quality > 0 and _named(type_, ranges) > _named(best, ranges)):
            best, best_quality = type_, quality
    return best


def wants_events(accept: str | None) -> bool:
    """Whether the client asks for server-sent events by name."""
    return any(name == EVENTS and quality > 0 for name, quality in map(_range, (accept or "").split(",")[:64]))


def _range(part: str) -> tuple[str, float]:
    name, *parameters = (piece.strip().lower() for piece in part.split(";"))
    quality = 1.0
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key == "q":
            quality = float(value) if _QUALITY.fullmatch(value) else 0.0
        elif key == "charset" and value.strip('"') not in ("utf-8", "utf8"):
            quality = 0.0
    return name, quality


def _liking(type_: str, ranges: list[tuple[str, float]]) -> float:
    family = type_.split("/", maxsplit=1)[0] + "/*"
    for pattern in (type_, family, "*/*"):
        found = [quality for name, quality in ranges if name == pattern]
        if found:
            return max(found)
    return 0.0


def _named(type_: str | None, ranges: list[tuple[str, float]]) -> int:
    """Where a type stands when equally liked: by name counts more than by pattern, earlier more than later."""
    return next((len(ranges) - at for at, (name, _) in enumerate(ranges) if name == type_), 0)
