"""This file is GraphQL over server-sent events, distinct connections mode: `next` for each payload, then `complete`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import orjson
from starlette.background import BackgroundTask
from starlette.responses import Response, StreamingResponse

from gateway import errors
from gateway.graphql.context import Context
from gateway.graphql.execute import Answer, Stream

_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff"}
_MEDIA = "text/event-stream; charset=utf-8"
_COMPLETE = b"event: complete\ndata:\n\n"
_STILL_HERE = b":\n\n"
HEARTBEAT_S = 15.0


def single(answer: Answer) -> Response:
    """One payload (a query's answer, or why there is none), then the end."""
    status = answer.status if answer.status in (429, 503) else 200
    headers = dict(_HEADERS)
    if answer.retry_after_s is not None:
        headers["Retry-After"] = str(max(1, round(answer.retry_after_s)))
    return Response(_next(answer.body) + _COMPLETE, status, headers=headers, media_type=_MEDIA)


def streamed(stream: Stream, context: Context) -> Response:
    """The payloads of a subscription as they come."""
    close = BackgroundTask(stream.aclose)  # also when the client left before the first byte
    return StreamingResponse(_events(stream, context), headers=_HEADERS, media_type=_MEDIA, background=close)


async def _events(stream: Stream, context: Context) -> AsyncIterator[bytes]:
    yield _STILL_HERE
    waiting: asyncio.Future[bytes] | None = None
    try:
        while True:
            waiting = waiting or asyncio.ensure_future(anext(stream))
            done, _ = await asyncio.wait({waiting}, timeout=HEARTBEAT_S)
            if not done:
                yield _STILL_HERE
                continue
            payload, waiting = _taken(waiting, context), None
            if payload is None:
                break
            yield _next(payload[0])
            if payload[1]:
                break
        yield _COMPLETE
    finally:
        if waiting is not None:
            waiting.cancel()
            await asyncio.wait({waiting})
        await stream.aclose()


def _taken(done: asyncio.Future[bytes], context: Context) -> tuple[bytes, bool] | None:
    """A payload and whether it is the last; None at the end."""
    error = done.exception()
    if error is None:
        return done.result(), False
    if isinstance(error, StopAsyncIteration):
        return None
    return failed(error, context), True


def failed(error: BaseException, context: Context) -> bytes:
    """The payload that tells why a stream broke off."""
    return orjson.dumps({"errors": [errors.entry(error, context.correlation_id)]})


def _next(payload: bytes) -> bytes:
    return b"event: next\ndata: " + payload + b"\n\n"
