"""The ASGI application around a Store, and a server for tests."""

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from email.utils import format_datetime
from urllib.parse import unquote
from zlib import crc32

import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from demo.scicat.asking import Asked, Endpoint, Reply, said
from demo.scicat.faults import Fault
from demo.scicat.refusals import Refused, broken, refused
from demo.scicat.routes import routes
from demo.scicat.store import Store

HEAD_LIMIT = 16_384
"""Node's limit of a request's head, in bytes."""
_PAGE = b"<!DOCTYPE html><html><head><title>Please sign in</title></head><body><h1>Maintenance</h1></body></html>"


def app(store: Store) -> ASGIApp:
    """The backend as an ASGI application. Its base is the root: /api/v3, /api/v4 and /explorer-json lie below it."""
    table = [
        Route(path, _served(store, endpoint), methods=[method]) for method, path, endpoint in routes(store.release)
    ]
    inner = Starlette(
        routes=[
            *table,
            Route("/{rest:path}", _served(store, _nowhere), methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
        ]
    )
    return _Door(inner, store)


@contextmanager
def serve(store: Store, port: int = 0) -> Iterator[str]:
    """Serve the store on the loopback in a thread; gives the base `http://127.0.0.1:PORT`, to which /api/v3 is to be added."""
    listener = socket.socket(
        socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )  # named, or asyncio leaves Nagle on: 40 ms a reply
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    config = uvicorn.Config(
        app(store), log_level="critical", access_log=False, date_header=False, server_header=False, lifespan="off"
    )
    server = _Quick(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the stand-in did not start")
            time.sleep(0.005)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)
        listener.close()


class _Quick(uvicorn.Server):
    """Looks every 10 ms whether it shall end, as the tests start many."""

    async def main_loop(self) -> None:
        while not self.should_exit:
            await asyncio.sleep(0.01)


class _Door:
    """What stands before the routes: the head's size, paths kept encoded, load, bad days."""

    def __init__(self, inner: ASGIApp, store: Store) -> None:
        self._inner = inner
        self._store = store
        self._inside = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        raw = scope["raw_path"].decode("latin-1")
        url = raw + ("?" + scope["query_string"].decode("latin-1") if scope["query_string"] else "")
        self._store.requests.append(f"{scope['method']} {url}")
        reply: Response | None = None
        if len(url) + sum(len(name) + len(value) + 4 for name, value in scope["headers"]) > HEAD_LIMIT:
            reply = Response(status_code=431, headers={"connection": "close"})
        elif self._store.capacity is not None and self._inside >= self._store.capacity:
            reply = _response(_refusal(broken()), self._store)
        elif (fault := self._store.faults.take(url)) is not None:
            if fault.kind in {"slow", "truncated", "reset"}:
                scope["state"] = {**scope.get("state", {}), "fault": fault}
            else:
                reply = _failed(fault, self._store)
        self._inside += 1
        try:
            await (reply or self._inner)({**scope, "path": _lowered(raw), "root_path": ""}, receive, send)
        finally:
            self._inside -= 1


def _lowered(raw: str) -> str:
    """The path still encoded, so that %2F stays inside its part; fixed names in lower case, as the router ignores it."""
    parts = raw.split("/")
    lower = {
        "origdatablocks",
        "datablocks",
        "attachments",
        "thumbnail",
        "count",
        "fullquery",
        "fullfacet",
        "findone",
        "public",
        "self",
    }
    return "/".join(part.lower() if place < 4 or part.lower() in lower else part for place, part in enumerate(parts))


def _served(store: Store, endpoint: Endpoint) -> Callable[[Request], Awaitable[Response]]:
    async def respond(request: Request) -> Response:
        fault = request.scope.get("state", {}).get("fault")
        delay = store.latency + (fault.seconds if fault is not None and fault.kind == "slow" else 0)
        if delay:
            await asyncio.sleep(delay)
        response = _response(await _answer(store, endpoint, request), store, request.headers.get("if-none-match"))
        return _cut(response, fault) if fault is not None and fault.kind != "slow" else response

    return respond


async def _answer(store: Store, endpoint: Endpoint, request: Request) -> Reply:
    try:
        body = orjson.loads(await request.body() or b"null") if request.method == "POST" else None
    except orjson.JSONDecodeError:
        return _refusal(refused(400, "Unexpected token in JSON"))
    try:
        asked = Asked(
            store=store,
            caller=store.caller(_token(request)),
            query=request.query_params,
            path={**{name: unquote(part) for name, part in request.path_params.items()}, "url": _url(request)},
            header_filter=request.headers.get("filter"),
            body=body,
        )
        return endpoint(asked)
    except Refused as no:
        return _refusal(no)


def _token(request: Request) -> str | None:
    """The token of a Bearer header, or of ?access_token=Bearer …; a raw token is not looked at."""
    for sent in (request.headers.get("authorization", ""), request.query_params.get("access_token", "")):
        scheme, _, token = sent.partition(" ")
        if scheme.lower() == "bearer" and token:
            return token
    return None


def _nowhere(asked: Asked) -> Reply:
    raise refused(404, f"Cannot GET {asked.path['url']}")


def _url(request: Request) -> str:
    query = request.scope["query_string"].decode("latin-1")
    path: str = request.scope["raw_path"].decode("latin-1")
    return path + (f"?{query}" if query else "")


def _refusal(no: Refused) -> Reply:
    return said(no.body, no.status)


def _response(reply: Reply, store: Store, known: str | None = None) -> Response:
    headers = {"date": _date(store), "x-powered-by": "Express", **reply.headers}
    if reply.status == 200 and reply.body:
        headers["etag"] = f'W/"{len(reply.body):x}-{crc32(reply.body):08x}"'
        if known == headers["etag"]:
            return Response(status_code=304, headers=headers)
    if reply.body:
        headers["content-type"] = reply.media
    return Response(reply.body, reply.status, headers)


def _date(store: Store) -> str:
    return format_datetime(store.now(), usegmt=True)


def _failed(fault: Fault, store: Store) -> Response:
    date = {"date": _date(store)}
    if fault.kind in {"503", "429"}:
        no = refused(int(fault.kind), "slow down")
        return Response(
            orjson.dumps(no.body), no.status, {**date, "retry-after": f"{fault.seconds:g}"}, "application/json"
        )
    if fault.kind in {"html", "502-html"}:
        return Response(_PAGE, 200 if fault.kind == "html" else 502, date, "text/html")
    if fault.kind == "garbage":
        return Response(b'{"pid": "a", ]', 200, date, "application/json")
    return _response(_refusal(broken()), store)


def _cut(response: Response, fault: Fault) -> Response:
    """Half the body: with its own length (truncated), or with the whole one's, so that the connection dies (reset)."""
    whole = bytes(response.body)
    half = whole[: len(whole) // 2]
    headers = {name: value for name, value in response.headers.items() if name != "content-length"}
    if fault.kind == "truncated":
        return Response(half, response.status_code, headers)

    async def dying() -> AsyncIterator[bytes]:
        yield half

    return StreamingResponse(dying(), response.status_code, {**headers, "content-length": str(len(whole))})
