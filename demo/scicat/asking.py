"""What an endpoint is given and gives back: one request understood, one reply to be sent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from demo.scicat.accounts import Caller
from demo.scicat.dress import FRESH
from demo.scicat.refusals import Refused
from demo.scicat.store import Store

JSON = "application/json; charset=utf-8"
_MARK = orjson.dumps(FRESH)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request: who asks, the query parameters, the filter as header, the parts of the path between slashes, decoded once."""

    store: Store
    caller: Caller
    query: Mapping[str, str]
    path: Mapping[str, str]
    header_filter: str | None = None
    body: Any = None

    def filter(self) -> str | None:
        """The filter's text, from the query or the header. Both together are refused."""
        sent = self.query.get("filter")
        if sent is not None and self.header_filter is not None:
            raise Refused(400, {"message": "Filter in header and query", "error": "Bad Request", "statusCode": 400})
        return sent if sent is not None else self.header_filter


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, body, further headers."""

    status: int
    body: bytes
    media: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


Endpoint = Callable[[Asked], Reply]


def said(value: Any, status: int = 200) -> Reply:
    """A JSON reply; NaN becomes null."""
    return Reply(status, orjson.dumps(value))


def nothing(status: int = 200) -> Reply:
    """An empty body."""
    return Reply(status, b"")


def listed(parts: list[bytes], store: Store) -> Reply:
    """A JSON array of documents that are already rendered, with new ids where they stand for new at every read."""
    return Reply(200, freshened(b"[" + b",".join(parts) + b"]", store))


def freshened(body: bytes, store: Store) -> bytes:
    """The rendered document with every placeholder replaced by an id never given before."""
    pieces = body.split(_MARK)
    if len(pieces) == 1:
        return body
    filled = [pieces[0]]
    for piece in pieces[1:]:
        filled += [b'"', store.new_id().encode(), b'"', piece]
    return b"".join(filled)


def picture(doc: Mapping[str, Any] | None) -> dict[str, Any]:
    """The thumbnail object of an attachment; empty without one."""
    return {"thumbnail": doc["thumbnail"]} if doc and doc.get("thumbnail") else {}
