"""This file is Relay ids: a type and a key, opaque and URL-safe (base64url without padding)."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode

from schema.errors import BadInput

_LONGEST = 4_096


def encode(type: str, key: str) -> str:
    """The id of the thing of that type and key."""
    return urlsafe_b64encode(f"{type}:{key}".encode("utf-8", "surrogatepass")).rstrip(b"=").decode("ascii")


def decode(id: str) -> tuple[str, str] | None:
    """The type and key of an id; None when it is none of ours."""
    if len(id) > _LONGEST or not id.isascii():
        return None
    try:
        text = urlsafe_b64decode(id + "=" * (-len(id) % 4)).decode("utf-8", "surrogatepass")
    except (binascii.Error, UnicodeDecodeError):
        return None
    type_, colon, key = text.partition(":")
    return (type_, key) if colon and key and encode(type_, key) == id else None


def key(id: str, type: str, field: str) -> str:
    """The key of an id that must be of that type. Raises BadInput."""
    found = decode(id)
    if found is None or found[0] != type:
        raise BadInput(f"This is not the id of a {type}.", field=field, remedy="Take the `id` that a query gave.")
    return found[1]
