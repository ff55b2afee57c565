"""This file is what becomes of a question whose asker has gone away: it is not worked on any longer.

Only what reads is ended so; a mutation that was taken is carried out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from prometheus_client import Counter
from starlette.requests import Request
from starlette.responses import Response

LEFT = 499
"""The status that counts such requests; nobody receives it (nginx's convention: client closed request)."""
LEFTS = Counter("pangate_requests_left_total", "Questions whose asker went away before the answer.")

Endpoint = Callable[[Request], Awaitable[Response]]


async def while_there(request: Request, work: Coroutine[Any, Any, Response]) -> Response:
    """The response that the work makes, ended when the client of the request leaves. The request's body must have been read."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        LEFTS.inc()
        return Response(status_code=LEFT)
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


def watched(endpoint: Callable[[Request], Coroutine[Any, Any, Response]]) -> Endpoint:
    """An endpoint that answers GET, ended when its client leaves."""

    async def answer(request: Request) -> Response:
        return await while_there(request, endpoint(request))

    return answer


async def _left(request: Request) -> None:
    """Returns when the client has gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
