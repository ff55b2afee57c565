"""This file is GraphQL over HTTP: POST and GET at /graphql, server-sent events by the Accept header, and the schema's text.

GraphQL over HTTP (working draft, stage 2); the rule against forged requests: reference on reliability, 2.4.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

from graphql import OperationType
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket

from gateway.graphql import negotiation, sse, websocket
from gateway.graphql.api import sdl
from gateway.graphql.context import Context
from gateway.graphql.execute import Answer, Desk, Plan, refusal
from gateway.graphql.request import Options, Request, from_json, from_parameters
from gateway.leaving import while_there
from gateway.limits import Limits
from schema.errors import BadInput, Forbidden, LimitExceeded, PangateError

ContextOf = Callable[[HTTPConnection], Awaitable[Context]]
_GUARDS = ("x-csrf-token", "x-requested-with", "graphql-require-preflight", "apollo-require-preflight")


class _Refused(Exception):
    """A refusal with a status of its own."""

    def __init__(self, status: int, error: PangateError, **headers: str) -> None:
        super().__init__(error.message)
        self.status = status
        self.error = error
        self.headers = headers


def routes(context_of: ContextOf, options: Options | None = None) -> list[BaseRoute]:
    """The routes /graphql (HTTP and web socket) and /schema.graphql. `context_of` may raise schema.errors."""
    options = options or Options()
    desk = Desk(options.limits, rated=options.rated)

    async def over_http(request: HttpRequest) -> Response:
        return await _endpoint(request, desk, context_of, options)

    async def over_socket(socket: WebSocket) -> None:
        await websocket.serve(socket, desk, context_of, options.url)

    async def schema_text(_request: HttpRequest) -> Response:
        return Response(_SDL, media_type="application/graphql; charset=utf-8", headers={"Cache-Control": "max-age=300"})

    methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"]
    return [
        Route("/graphql", over_http, methods=methods),
        WebSocketRoute("/graphql", over_socket),
        Route("/schema.graphql", schema_text, methods=["GET"]),
    ]


_SDL = sdl()


async def _endpoint(request: HttpRequest, desk: Desk, context_of: ContextOf, options: Options) -> Response:
    accept = request.headers.get("accept")
    events = negotiation.wants_events(accept)
    media = negotiation.chosen(accept)
    correlation = uuid.uuid4().hex
    try:
        if media is None and not events:
            raise _Refused(406, BadInput("Answers are application/graphql-response+json or application/json."))
        asked = await _read(request, desk.limits)
        context = await context_of(request)
        correlation = context.correlation_id or correlation
        if request.method == "POST":
            guard(request, context, options.url)
        return await _answer(asked, request, desk, context, None if events else media)
    except _Refused as refused:
        answer = refusal(refused.error, correlation)
        return _response(answer, media or negotiation.JSON, refused.status, refused.headers)
    except PangateError as error:
        answer = refusal(error, correlation)
        return _response(answer, media or negotiation.JSON, answer.status)


async def _read(request: HttpRequest, limits: Limits) -> Request:
    """The request, whatever way it came. Raises what refuses it."""
    if request.method == "GET":
        if len(request.url.query) > limits.body:
            raise _Refused(414, LimitExceeded(f"The address is longer than {limits.body} bytes."))
        return from_parameters(request.query_params, limits)
    if request.method != "POST":
        raise _Refused(405, BadInput("Use GET or POST."), Allow="GET, POST")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise _Refused(415, BadInput("Compressed requests are not taken."))
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.partition("charset=")[2].strip().strip('"').lower()
    if kind.strip().lower() != negotiation.JSON or charset not in ("", "utf-8", "utf8"):
        raise _Refused(415, BadInput("The body must be application/json in UTF-8."))
    return from_json(await _body(request, limits.body), limits)


async def _body(request: HttpRequest, limit: int) -> bytes:
    """The body, refused as soon as it is longer than the limit."""
    too_long = _Refused(413, LimitExceeded(f"The body is longer than {limit} bytes."))
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise too_long
    chunks, length = [], 0
    try:
        async for chunk in request.stream():
            length += len(chunk)
            if length > limit:
                raise too_long
            chunks.append(chunk)
    except ClientDisconnect:
        raise _Refused(400, BadInput("The body ended too early.")) from None
    return b"".join(chunks)


def guard(connection: HTTPConnection, context: Context, url: str) -> None:
    """Raises Forbidden for a request that another site's page may have made with our cookie.

    A session cookie counts only with our own Origin or, without any, a header that such a page cannot set.
    """
    if not context.cookie_session:
        return
    origin = connection.headers.get("origin")
    if origin is not None:
        if origin not in own_origins(connection, url):
            raise Forbidden("This request comes from another site.")
    elif not any(name in connection.headers for name in _GUARDS):
        raise Forbidden("A request with a session cookie needs an Origin or the header X-CSRF-Token.")


def own_origins(connection: HTTPConnection, url: str) -> set[str]:
    """The origins that are ours: the public address's when it is set, else what the client called us by."""
    parts = urlsplit(url) if url else urlsplit(str(connection.base_url))
    return {f"{parts.scheme}://{parts.netloc}"}


async def _answer(asked: Request, request: HttpRequest, desk: Desk, context: Context, media: str | None) -> Response:
    plan = desk.plan(asked, context)
    if isinstance(plan, Answer):
        return _shown(plan, media)
    if request.method == "GET" and plan.kind is OperationType.MUTATION:
        raise _Refused(405, BadInput("A mutation is sent with POST."), Allow="POST")
    if media is None:
        return await _events(plan, desk, context)
    if plan.kind is OperationType.SUBSCRIPTION:
        raise _Refused(406, BadInput("A subscription is answered as text/event-stream, or over a web socket."))
    if plan.kind is OperationType.MUTATION:
        return await _run(plan, desk, context, media)
    return await while_there(request, _run(plan, desk, context, media))


async def _run(plan: Plan, desk: Desk, context: Context, media: str) -> Response:
    return _shown(await desk.run(plan, context), media)


async def _events(plan: Plan, desk: Desk, context: Context) -> Response:
    if plan.kind is not OperationType.SUBSCRIPTION:
        return sse.single(await desk.run(plan, context))
    stream = await desk.subscribe(plan, context)
    return sse.single(stream) if isinstance(stream, Answer) else sse.streamed(stream, context)


def _shown(answer: Answer, media: str | None) -> Response:
    """An answer in its media type; application/json says 200 for whatever GraphQL itself refuses (6.4.1)."""
    if media is None:
        return sse.single(answer)
    plain = media == negotiation.JSON and answer.status == 400
    return _response(answer, media, 200 if plain else answer.status)


def _response(answer: Answer, media: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    sent = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Vary": "Accept, Cookie, Authorization"}
    sent.update(headers or {})
    if answer.retry_after_s is not None:
        sent["Retry-After"] = str(max(1, round(answer.retry_after_s)))
    return Response(answer.body, status, headers=sent, media_type=f"{media}; charset=utf-8")
