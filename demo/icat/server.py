"""This file is the HTTP side of the stand-in for icat.server 6.2.0 (also 6.0.1, 5.0.1, 4.10) on Payara 6.

How it is known: 307 replies recorded from servers 6.2.0 and 6.0.1; the older versions by their schema alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.icat import calls, export
from demo.icat.calls import Reply
from demo.icat.errors import Refusal
from demo.icat.faults import SQL_LOGIN, SQL_SESSION, Kind, page
from demo.icat.store import Store

LINE_AND_HEADERS = 8192  # bytes; Payara's default for the request line plus all headers [run]
PAYARA = "Payara Server 6.2025.9"
HEADERS = {
    "Server": PAYARA,
    "X-Powered-By": f"Servlet/6.0 JSP/3.1 ({PAYARA} Java/Debian/17)",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, DELETE, PUT",
    "X-Frame-Options": "SAMEORIGIN",
}
WELCOME = "<!doctype html><html><head><title>Payara Server - Server Running</title></head><body></body></html>"

Form = dict[str, str]
Call = Callable[[Store, Request, Form], Reply]


def _sent(reply: Reply) -> Response:
    closing = reply.status in (400, 500, 501)
    extra = {"Connection": "close"} if closing else {}
    return Response(
        reply.body or None,
        reply.status,
        {**HEADERS, **extra, **dict(reply.headers)},
        reply.media if reply.body else None,
    )


def _refused(refusal: Refusal) -> Reply:
    return Reply(refusal.status, orjson.dumps(refusal.body()))


def _html(status: int, text: str) -> Response:
    return Response(text, status, HEADERS, "text/html")


def _container(reason: str) -> Reply:
    # What the container itself refuses comes without a media type [run].
    return Reply(500, orjson.dumps({"code": "INTERNAL", "message": f"class jakarta.ws.rs.{reason}"}), "")


def _faulty(kind: Kind, store: Store, request: Request) -> Response | None:
    """The reply of a planned failure; None where it hits only the way of the bytes."""
    session = request.query_params.get("sessionId", "")
    most = store.max_entities
    refusals = {
        "sql_500": Refusal("INTERNAL", SQL_SESSION),
        "session_expired": Refusal("SESSION", f"Session id:{session} has expired"),
        "process_412": Refusal("VALIDATION", f"attempt to process more than {most} entities"),
        "return_412": Refusal("VALIDATION", f"attempt to return more than {most} entities"),
    }
    if kind == "html_404":
        return _html(404, page(""))
    return _sent(_refused(refusals[kind])) if kind in refusals else None


def _acceptable(request: Request, media: str) -> bool:
    accept = request.headers.get("accept", "*/*")
    kinds = [part.partition(";")[0].strip() for part in accept.split(",")]
    return any(kind in ("*/*", media, f"{media.partition('/')[0]}/*") for kind in kinds)


async def _form(request: Request) -> Form | None:
    if request.method not in ("POST", "PUT"):
        return {}
    media = request.headers.get("content-type", "").partition(";")[0].strip()
    if request.method == "POST" and media != "application/x-www-form-urlencoded":
        return None
    return {key: str(value) for key, value in (await request.form()).items()}


def _endpoint(store: Store, call: Call, media: str = "application/json") -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        if not _acceptable(request, media):
            return _sent(_container("NotAcceptableException HTTP 406 Not Acceptable"))
        form = await _form(request)
        if form is None:
            return _sent(_container("NotSupportedException HTTP 415 Unsupported Media Type"))
        reply = _called(store, call, request, form)
        if reply.seconds:
            await asyncio.sleep(reply.seconds)
        return _sent(reply)

    return respond


def _called(store: Store, call: Call, request: Request, form: Form) -> Reply:
    with store.lock:
        try:
            if store.faults.database_down and not request.url.path.endswith("/version"):
                login = request.method == "POST" and request.url.path.endswith("/session")
                raise Refusal("INTERNAL", SQL_LOGIN if login else SQL_SESSION)
            return call(store, request, form)
        except Refusal as refusal:
            reply = _refused(refusal)
            return Reply(reply.status, reply.body, "text/plain") if request.url.path == "/icat/jpql" else reply


def _searching(empty: bytes) -> Call:
    return lambda store, asked, _: calls.search(store, asked.query_params, empty)


JSON, TEXT = "application/json", "text/plain"
CALLS: dict[tuple[str, str], tuple[Call, str]] = {
    ("GET", "/icat/version"): (lambda store, *_: calls.version(store), JSON),
    ("GET", "/icat/properties"): (lambda store, *_: calls.properties(store), JSON),
    ("POST", "/icat/session"): (lambda store, _, form: calls.login(store, form), JSON),
    ("GET", "/icat/session/{id}"): (lambda store, asked, _: calls.session(store, asked.path_params["id"]), JSON),
    ("PUT", "/icat/session/{id}"): (lambda store, asked, _: calls.refresh(store, asked.path_params["id"]), JSON),
    ("DELETE", "/icat/session/{id}"): (lambda store, asked, _: calls.logout(store, asked.path_params["id"]), JSON),
    ("GET", "/icat/entityManager"): (lambda store, asked, _: calls.query(store, asked.query_params), JSON),
    ("POST", "/icat/entityManager"): (lambda store, _, form: calls.write(store, form), JSON),
    ("DELETE", "/icat/entityManager"): (lambda store, asked, _: calls.delete(store, asked.query_params), JSON),
    ("GET", "/icat/user/{mnemonic}/{name}"): (lambda store, asked, _: calls.user_state(store, asked.path_params), JSON),
    ("GET", "/icat/jpql"): (lambda store, asked, _: calls.jpql(store, asked.query_params), TEXT),
    ("GET", "/icat/port"): (lambda store, asked, _: export.export(store, asked.query_params), TEXT),
    ("GET", "/icat/search/documents"): (_searching(b'{"results":[]}'), JSON),
    ("GET", "/icat/facet/documents"): (_searching(b"{}"), JSON),
    ("GET", "/icat/lucene/data"): (_searching(b"[]"), JSON),
    ("GET", "/icat/lucene/db"): (_searching(b"[]"), JSON),
}


async def _options(request: Request) -> Response:
    methods = sorted(method for method, path in CALLS if request.url.path == path)
    return Response(None, 200, {**HEADERS, "Allow": ", ".join(["HEAD", *methods, "OPTIONS"])}, JSON)


async def _wrong_method(_: Request) -> Response:
    return _sent(_container("NotAllowedException HTTP 405 Method Not Allowed"))


async def _unknown(request: Request) -> Response:
    if request.url.path == "/":
        return _html(200, WELCOME)
    if not request.url.path.startswith("/icat/"):
        return _html(404, page("Not Found"))
    refused = _refused(Refusal("NOT_IMPLEMENTED", "Operation not implemented by this ICAT server."))
    return _sent(Reply(refused.status, refused.body, ""))


def _routes(store: Store) -> list[Route]:
    found = []
    for path in dict.fromkeys(path for _, path in CALLS):
        for method in ("GET", "POST", "PUT", "DELETE"):
            if (method, path) in CALLS:
                call, media = CALLS[(method, path)]
                found.append(Route(path, _endpoint(store, call, media), methods=[method]))
        found.append(Route(path, _options, methods=["OPTIONS"]))
        found.append(Route(path, _wrong_method, methods=["PATCH", "GET", "POST", "PUT", "DELETE"]))
    every = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
    return [*found, Route("/{rest:path}", _unknown, methods=every)]


class Container:
    """What stands in front of the application: the limit of the request line, and what goes wrong on the way."""

    def __init__(self, inner: ASGIApp, store: Store) -> None:
        self.inner = inner
        self.store = store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One ASGI event."""
        if scope["type"] != "http":
            await self.inner(scope, receive, send)
            return
        if _size(scope) > LINE_AND_HEADERS:
            bare = Response(None, 400, {"X-Frame-Options": "SAMEORIGIN", "Content-Length": "0"})
            await bare(scope, receive, send)
            return
        if self.store.tls_port is not None:
            await _to_tls(scope, self.store.tls_port)(scope, receive, send)
            return
        with self.store.lock:
            kind = self.store.faults.take()
        response = _faulty(kind, self.store, Request(scope)) if kind else None
        if response is not None:
            await response(scope, receive, send)
        elif kind == "truncated":
            await self.inner(scope, receive, _half(send))
        else:
            await self.inner(scope, receive, send)


def _size(scope: Scope) -> int:
    line = len(scope["method"]) + len(scope["raw_path"]) + len(scope["query_string"]) + len("  HTTP/1.1\r\n?")
    return line + sum(len(name) + len(value) + 4 for name, value in scope["headers"]) + 2


def _to_tls(scope: Scope, port: int) -> Response:
    # The released descriptor is CONFIDENTIAL: plain http is sent to the TLS port [run].
    host = Request(scope).url.hostname
    location = f"https://{host}:{port}{Request(scope).url.path}"
    return Response("<html><body>Document moved</body></html>", 302, {**HEADERS, "Location": location}, "text/html")


def _half(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] != "http.response.body":
            await send(message)
            return
        body = message.get("body", b"")
        await send({**message, "body": body[: len(body) // 2], "more_body": True})
        raise ConnectionResetError("planned: the connection ends in the middle of a reply")

    return sending


def app(store: Store) -> Starlette:
    """The application over a store."""
    return Starlette(routes=_routes(store), middleware=[Middleware(Container, store=store)])


def configuration(store: Store, port_: int) -> uvicorn.Config:
    """uvicorn without the headers that Payara does not send (no Date)."""
    return uvicorn.Config(
        app(store),
        host="127.0.0.1",
        port=port_,
        log_level="critical",
        date_header=False,
        server_header=False,
        access_log=False,
        lifespan="off",
        h11_max_incomplete_event_size=65_536,
    )


@contextlib.contextmanager
def serve(store: Store, port: int = 0) -> Iterator[str]:
    """Serve a store in a thread; gives the base URL `http://127.0.0.1:PORT/icat`. Raises OSError if the port is taken."""
    with socket.create_server(("127.0.0.1", port)) as listening:
        # asyncio does this only for sockets it made itself; without it every small reply waits 40 ms.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = uvicorn.Server(configuration(store, 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.005)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/icat"
        finally:
            server.should_exit = True
            thread.join(timeout=10)
