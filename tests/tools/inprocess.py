"""A stand-in asked without a socket: this file answers a polite session's calls from an ASGI application, in the same thread.

The application is the stand-in's own, whole. What is left out: requests, the kernel's loopback, the server's event loop, and the timer
of each call; those are tested in test_http.py and by every test that serves a stand-in. A stand-in that waits needs the real server.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

import orjson
from starlette.types import ASGIApp, Message, Scope

from harvesters.arrival import Broken
from harvesters.http import Reply, _date

Fate = Callable[[], str]
"""What becomes of the request about to be sent: "" it arrives; "refused": nobody listens; "cut": half of the answer comes. It may raise."""
FORM = "application/x-www-form-urlencoded"


class InProcess:
    """The way to an application, in the place of PoliteSession._call."""

    def __init__(self, app: ASGIApp, fate: Fate) -> None:
        self._app = app
        self._fate = fate

    def __call__(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        json: Any = None,
        data: Mapping[str, str] | None = None,
    ) -> Reply:
        """The whole answer. Raises Broken."""
        fate = self._fate()
        if fate == "refused":
            raise Broken("127.0.0.1 did not answer: no connection.")
        body = orjson.dumps(json) if json is not None else urlencode(data or {}).encode()
        media = "application/json" if json is not None else FORM
        sent = {"host": "127.0.0.1", "accept": "application/json", **(headers or {})}
        if body:
            sent["content-type"] = media
        reply = _answered(self._app, _scope(method, url, params or {}, sent), body)
        if fate == "cut":
            raise Broken("127.0.0.1 broke off its answer: the answer was cut.")
        return reply


def _answered(app: ASGIApp, scope: Scope, body: bytes) -> Reply:
    answer: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        answer.append(message)

    call = app(scope, receive, send)
    try:
        call.send(None)  # type: ignore[attr-defined]
    except StopIteration:
        head, *parts = answer
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in head["headers"]}
        whole = b"".join(part.get("body", b"") for part in parts)
        return Reply(head["status"], headers, whole, _date(headers.get("date", "")))
    raise AssertionError("this application waits for something; it needs a real server")


def _scope(method: str, url: str, params: Mapping[str, str], headers: Mapping[str, str]) -> Scope:
    place = urlsplit(url)
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(place.path),
        "raw_path": place.path.encode(),
        "query_string": urlencode(params).encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }
