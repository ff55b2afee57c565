"""This file is cursors: where a page ended, signed, and bound to the question it was made for.

A cursor is base64url of a JSON array and 16 bytes of HMAC-SHA-256 before it. What the question was is kept as a digest, so
that a cursor of another query is refused and not silently misread.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, TypeVar

import msgspec

from catalogue.query import Position, Scope, Search
from schema.errors import CursorInvalid

_LONGEST = 8_192
_MAC = 16
_INVALID = "This cursor was not made for this query. Begin at the first page again, without `after`."

T = TypeVar("T")


def question(search: Search) -> str:
    """A digest of what is asked, page, size and facets apart. In scope MINE it names the viewer's groups too."""
    groups = sorted(search.groups) if search.scope is Scope.MINE else []
    asked = (search.kind, search.scope, groups, search.asked, search.clauses, search.sort)
    return hashlib.sha256(msgspec.json.encode(asked)).hexdigest()[:20]


def seal(key: bytes, question: str, place: Any) -> str:
    """A cursor for a place (any JSON value or struct) in the answer to a question."""
    body = msgspec.json.encode([question, place])
    return urlsafe_b64encode(_mac(key, body) + body).rstrip(b"=").decode("ascii")


def unseal(key: bytes, question: str, cursor: str, type: type[T]) -> T:
    """The place that a cursor names. Raises CursorInvalid when it was altered or belongs to another question."""
    try:
        if len(cursor) > _LONGEST or not cursor.isascii():
            raise CursorInvalid(_INVALID)
        data = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        mac, body = data[:_MAC], data[_MAC:]
        if urlsafe_b64encode(data).rstrip(b"=").decode() != cursor or not hmac.compare_digest(mac, _mac(key, body)):
            raise CursorInvalid(_INVALID)
        made_for, place = msgspec.json.decode(body, type=tuple[str, msgspec.Raw])
        if made_for != question:
            raise CursorInvalid(_INVALID)
        return msgspec.json.decode(place, type=type)
    except (binascii.Error, msgspec.DecodeError):
        raise CursorInvalid(_INVALID) from None


def seal_position(key: bytes, search: Search, position: Position) -> str:
    """The cursor of a hit."""
    return seal(key, question(search), position)


def unseal_position(key: bytes, search: Search, cursor: str) -> Position:
    """The position that a cursor of this search names. Raises CursorInvalid."""
    return unseal(key, question(search), cursor, Position)


def _mac(key: bytes, body: bytes) -> bytes:
    return hmac.new(key, body, hashlib.sha256).digest()[:_MAC]
