"""What MongoDB and SciCat do to values: dates, encoded keys, object ids."""

import itertools
import re
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

Doc = dict[str, Any]

ENCODED = ("scientificMetadata", "sampleCharacteristics", "customMetadata", "metadata")
"""The fields whose keys SciCat encodes in the database, because MongoDB reads dots and dollars in them."""

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$")
_counter = itertools.count(secrets.randbelow(1 << 24))
_machine = secrets.token_hex(5)


def object_id(now: datetime) -> str:
    """A new MongoDB ObjectId as 24 hexadecimal digits."""
    return f"{int(now.timestamp()) & 0xFFFFFFFF:08x}{_machine}{next(_counter) & 0xFFFFFF:06x}"


def as_date(value: Any) -> Any:
    """A string that begins YYYY-MM-DD and is a date becomes one (milliseconds, UTC); anything else stays."""
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return aware.astimezone(UTC).replace(microsecond=aware.microsecond // 1000 * 1000)
    if not isinstance(value, str) or not _DATE.match(value):
        return value
    try:
        return as_date(datetime.fromisoformat(value))
    except ValueError:
        return value


def iso(value: datetime) -> str:
    """A date as JavaScript writes it: milliseconds and Z."""
    return value.strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"


def plain(value: Any) -> Any:
    """A stored value with dates as text, ready for JSON (NaN becomes null there)."""
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return value


def encode_key(key: str) -> str:
    """A key as SciCat keeps it: percent-encoded, dots too."""
    return quote(key, safe="-_!~*'()").replace(".", "%2E")


def encoded(doc: Mapping[str, Any]) -> Doc:
    """The document with the keys below the free fields encoded."""
    return {key: _renamed(value, encode_key) if key in ENCODED else value for key, value in doc.items()}


def decoded(doc: Mapping[str, Any]) -> Doc:
    """The document as it was before `encoded`."""
    return {key: _renamed(value, unquote) if key in ENCODED else value for key, value in doc.items()}


def _renamed(value: Any, name: Callable[[str], str]) -> Any:
    if isinstance(value, dict):
        return {name(key): _renamed(inner, name) for key, inner in value.items()}
    if isinstance(value, list):
        return [_renamed(inner, name) for inner in value]
    return value
