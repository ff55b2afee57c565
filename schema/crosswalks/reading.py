"""This file is how values of foreign JSON are read: total functions that never raise, bounded in what they return.

Caps: reliability reference, section 8 (string 64 KiB, title 4 KiB, relations 1,000 a record, depth 32, 500 keys an object).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from schema.mark import unmarked

TITLE = 4096
TEXT = 65_536
NAME = 512
MANY = 1_000
KEYS = 500
DEPTH = 32

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ue000\ue001]")
_SAYS_NOTHING = frozenset({"", "none", "null", "nan", "n/a", "na", "undefined", ":unav", ":null", "unknown"})
_NOTHING = max(map(len, _SAYS_NOTHING))
_NOT_NUMBER = re.compile(r"_|^\s*[+-]?0\d|[^\x00-\x7f]")
_ZONE = re.compile(r"(Z|[+-]\d{2}:?\d{2})$")


def text(value: object, cap: int = TEXT) -> str | None:
    """The value as clean text: a string without control characters, or a number or truth as it is written; else None."""
    if not isinstance(value, str):
        return _written(value)
    if len(value) <= cap and value.isascii() and value.isprintable():
        return value.strip() or None
    clean = _CONTROL.sub("", value[: cap * 2]).strip()[:cap].strip()
    return clean or None


def _written(value: object) -> str | None:
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(value) if isinstance(value, int | float) else None


def said(value: object, cap: int = NAME) -> str | None:
    """The same, but None for words that mean "nothing" (None, n/a, :unav …)."""
    if value is None or value == "":
        return None
    found = text(value, cap)
    return None if found is None or (len(found) <= _NOTHING and found.lower() in _SAYS_NOTHING) else found


def prose(value: object) -> str | None:
    """A text that describes a record, as `said`, without the marked sentence that our own feed gives to records that have none: a source
    that harvests us may send it back."""
    found = said(value, TEXT)
    return None if found is None else unmarked(found)


def number(value: object) -> float | None:
    """A finite number, also when it came as text (but 007 is a name, and 1_000 is none of science's); never a truth value."""
    if type(value) is float:
        return value + 0.0 if math.isfinite(value) else None
    if value is None or isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and (len(value) > 64 or _NOT_NUMBER.search(value)):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found + 0.0 if math.isfinite(found) else None


def count(value: object) -> int | None:
    """A number of things: whole, at least 0, below 2**63."""
    found = number(value)
    return int(found) if found is not None and 0 <= found < 2**63 else None


def number_text(value: int | float) -> str | None:
    """A number as a reader writes it (3.0 is 3)."""
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value) if abs(value) < 10**40 else None


def truth(value: object) -> bool:
    """Whether the value is a clear yes; anything unclear is no."""
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")


def instant(value: object) -> datetime | None:
    """An ISO 8601 instant in UTC (a zone is required, except for a bare date, which is midnight UTC); the years 1 to 9999.

    MongoDB's extended form `{"$date": …}` is read too.
    """
    if not isinstance(value, str) and isinstance(value, Mapping):
        value = value.get("$date")
    if not isinstance(value, str) or not 8 <= len(value.strip()) <= 40:
        return None
    written = value.strip()
    try:
        found = datetime.fromisoformat(written)
        if found.tzinfo is None:
            if len(written) > 10 and not _ZONE.search(written):
                return None
            found = found.replace(tzinfo=UTC)
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def items(value: object) -> list[Any]:
    """A list as it is (capped), a single value as a list of one, nothing as an empty list; nulls left out."""
    if value is None:
        return []
    if isinstance(value, list | tuple):
        return [each for each in value[:MANY] if each is not None]
    return [value]


def texts(value: object, cap: int = NAME) -> tuple[str, ...]:
    """The clean, telling texts among `items`, once each, in order."""
    if value is None or value == []:
        return ()
    return tuple(dict.fromkeys([found for each in items(value) if (found := said(each, cap)) is not None]))


def mapping(value: object) -> Mapping[str, Any]:
    """The value if it is an object, else an empty one."""
    return value if isinstance(value, dict | Mapping) else {}


def parts(value: object) -> Iterator[Mapping[str, Any]]:
    """The objects among `items`."""
    return (each for each in items(value) if isinstance(each, dict | Mapping))
