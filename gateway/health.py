"""This file is what machines that watch us ask: alive, ready, and figures."""

from __future__ import annotations

import time

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gateway.ports import Health

_KEPT_S = 2.0
NEEDED = frozenset({"index", "records"})


def routes(health: Health) -> list[Route]:
    """/livez (this process), /readyz (searches can be answered: 200, else 503 with what is wrong), /metrics (Prometheus)."""
    seen: tuple[float, dict[str, str]] = (-_KEPT_S, {})

    async def live(_request: Request) -> Response:
        return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})

    async def ready(_request: Request) -> Response:
        nonlocal seen
        if time.monotonic() - seen[0] > _KEPT_S:
            seen = (time.monotonic(), await health.ready())
        wrong = [name for name, state in seen[1].items() if state != "ok" and name in NEEDED]
        body = {"status": "unavailable" if wrong else "ok", "parts": seen[1]}
        return JSONResponse(body, 503 if wrong else 200, headers={"Cache-Control": "no-store"})

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/livez", live), Route("/readyz", ready), Route("/metrics", metrics)]
