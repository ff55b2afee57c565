"""This file is GraphQL over a web socket: the protocol graphql-transport-ws (graphql-ws, PROTOCOL.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import orjson
from graphql import OperationType
from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from gateway.graphql import sse
from gateway.graphql.context import Context
from gateway.graphql.execute import Answer, Desk, Plan, refusal
from gateway.graphql.request import from_parts
from schema.errors import PangateError

PROTOCOL = "graphql-transport-ws"
INIT_S = 10.0
_OPERATIONS = 16  # operations of one socket at once
_ID_LENGTH = 256

BAD_MESSAGE, UNAUTHORIZED, FORBIDDEN = 4400, 4401, 4403
BAD_PROTOCOL, INIT_TIMEOUT, TAKEN, TOO_MANY = 4406, 4408, 4409, 4429


class _Close(Exception):
    """The socket is to be closed with this code and these words."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


async def serve(
    socket: WebSocket, desk: Desk, context_of: Callable[[HTTPConnection], Awaitable[Context]], url: str
) -> None:
    """One connection, from handshake to close."""
    if PROTOCOL not in socket.scope.get("subprotocols", ()):
        await socket.accept()
        await socket.close(BAD_PROTOCOL, "Subprotocol not acceptable")
        return
    await socket.accept(PROTOCOL)
    talk: _Talk | None = None
    try:
        talk = _Talk(socket, desk, lambda: _context(socket, context_of, url))
        await talk.who()
        await talk.run()
    except _Close as close:
        if socket.application_state is not WebSocketState.DISCONNECTED:
            await socket.close(close.code, close.reason[:120])
    except WebSocketDisconnect:
        pass
    finally:
        if talk is not None:
            await talk.end()


async def _context(socket: WebSocket, context_of: Callable[[HTTPConnection], Awaitable[Context]], url: str) -> Context:
    try:
        context = await context_of(socket)
    except PangateError as error:
        raise _Close(UNAUTHORIZED if error.code == "UNAUTHENTICATED" else FORBIDDEN, error.message) from None
    origin = socket.headers.get("origin")
    if context.cookie_session and not _ours(origin, socket, url):
        raise _Close(FORBIDDEN, "Forbidden")  # a page of another site would read with our cookie
    return context


def _ours(origin: str | None, socket: WebSocket, url: str) -> bool:
    if origin is None:
        return False
    given = urlsplit(origin)
    if url:
        own = urlsplit(url)
        return (given.scheme, given.netloc) == (own.scheme, own.netloc)
    return given.netloc == socket.headers.get("host", "")


class _Talk:
    """A connection and its operations."""

    def __init__(self, socket: WebSocket, desk: Desk, who: Callable[[], Awaitable[Context]]) -> None:
        self.who = who  # asked anew for each operation: a session may have ended
        self._socket = socket
        self._desk = desk
        self._running: dict[str, asyncio.Task[None]] = {}
        self._sending = asyncio.Lock()
        self._ready = False

    async def run(self) -> None:
        """Read messages until the client leaves. Raises _Close when it breaks the protocol."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + INIT_S
        while True:
            try:
                async with asyncio.timeout_at(None if self._ready else deadline):
                    text = await self._text()
            except TimeoutError:
                raise _Close(INIT_TIMEOUT, "Connection initialisation timeout") from None
            await self._take(_message(text, self._desk.limits.body))

    async def end(self) -> None:
        """Stop whatever still runs."""
        running = list(self._running.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _text(self) -> str:
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code", 1005))
        if message.get("text") is None:
            raise _Close(BAD_MESSAGE, "Messages are text")
        return str(message["text"])

    async def _take(self, message: dict[str, Any]) -> None:
        kind = message["type"]
        if kind == "connection_init":
            if self._ready:
                raise _Close(TOO_MANY, "Too many initialisation requests")
            self._ready = True
            await self._send({"type": "connection_ack"})
        elif kind == "ping":
            await self._send({"type": "pong"})
        elif kind == "pong":
            return
        elif kind == "subscribe":
            self._subscribe(message)
        elif kind == "complete":
            task = self._running.pop(_id(message), None)
            if task is not None:
                task.cancel()
        else:
            raise _Close(BAD_MESSAGE, "Unknown message type")

    def _subscribe(self, message: dict[str, Any]) -> None:
        if not self._ready:
            raise _Close(UNAUTHORIZED, "Unauthorized")
        name, payload = _id(message), message.get("payload")
        if not isinstance(payload, dict) or not isinstance(payload.get("query"), str):
            raise _Close(BAD_MESSAGE, "A subscribe message has a payload with a query")
        if name in self._running:
            raise _Close(TAKEN, f"Subscriber for {name} already exists")
        if len(self._running) >= _OPERATIONS:
            raise _Close(TOO_MANY, "Too many operations at once")
        self._running[name] = asyncio.create_task(self._operate(name, payload))

    async def _operate(self, name: str, payload: dict[str, Any]) -> None:
        try:
            refused = await self._answered(name, payload)
            if self._running.get(name) is asyncio.current_task():
                del self._running[name]
            if refused is None:
                await self._send({"id": name, "type": "complete"})
            else:
                errors = orjson.loads(refused.body)["errors"]
                await self._send({"id": name, "type": "error", "payload": errors})
        except _Close as close:
            self._running.pop(name, None)
            await self._socket.close(close.code, close.reason[:120])
        except WebSocketDisconnect:
            return  # the socket is gone; nobody is left to tell

    async def _answered(self, name: str, payload: dict[str, Any]) -> Answer | None:
        try:
            return await self._payloads(name, payload)
        except (WebSocketDisconnect, _Close):
            raise
        except Exception as error:  # noqa: BLE001  the border of an operation: told masked, and the socket lives on
            return refusal(error, "")

    async def _payloads(self, name: str, payload: dict[str, Any]) -> Answer | None:
        """Send every payload of an operation; the answer that refuses it instead, if one does."""
        context = await self.who()
        try:
            request = from_parts(payload, self._desk.limits)
        except PangateError as error:
            return refusal(error, context.correlation_id)
        plan = self._desk.plan(request, context)
        if isinstance(plan, Answer):
            return plan
        if plan.kind is OperationType.SUBSCRIPTION:
            return await self._stream(name, plan, context)
        answer = await self._desk.run(plan, context)
        if answer.executed:
            await self._next(name, answer.body)
        return None if answer.executed else answer

    async def _stream(self, name: str, plan: Plan, context: Context) -> Answer | None:
        stream = await self._desk.subscribe(plan, context)
        if isinstance(stream, Answer):
            return stream  # a source that would not open is an error, too
        try:
            async for each in stream:
                await self._next(name, each)
        except WebSocketDisconnect:
            raise
        except Exception as error:  # noqa: BLE001  the border of a stream: told masked, and the socket lives on
            await self._next(name, sse.failed(error, context))
        finally:
            await stream.aclose()
        return None

    async def _next(self, name: str, payload: bytes) -> None:
        body = b'{"id":' + orjson.dumps(name) + b',"type":"next","payload":' + payload + b"}"
        await self._write(body)

    async def _send(self, message: dict[str, Any]) -> None:
        await self._write(orjson.dumps(message))

    async def _write(self, body: bytes) -> None:
        async with self._sending:
            try:
                await self._socket.send_text(body.decode("utf-8"))
            except RuntimeError:  # starlette's word for a socket that is closed already
                raise WebSocketDisconnect(1006) from None


def _message(text: str, limit: int) -> dict[str, Any]:
    if len(text.encode("utf-8", "surrogatepass")) > limit:
        raise _Close(BAD_MESSAGE, "Message too long")
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise _Close(BAD_MESSAGE, "Invalid message") from None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise _Close(BAD_MESSAGE, "Invalid message")
    return message


def _id(message: dict[str, Any]) -> str:
    name = message.get("id")
    if not isinstance(name, str) or not 0 < len(name) <= _ID_LENGTH:
        raise _Close(BAD_MESSAGE, "A message of an operation has an id")
    return name
