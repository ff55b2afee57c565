"""This file is what every answer of the gateway has in common: a correlation id, headers that keep browsers safe, errors as people
or machines read them, and the request's figures. Plain ASGI, so that streams stay streams."""

from __future__ import annotations

import secrets
import time
from collections.abc import Awaitable, Callable

import structlog
from prometheus_client import Counter, Histogram
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import MASKED, http_status, is_public
from gateway.limits import Limits
from schema.errors import PangateError, RateLimited

log = structlog.get_logger("pangate.gateway")

SAFE = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action *; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}

REQUESTS = Counter("pangate_http_requests_total", "Requests answered.", ["route", "method", "status"])
SECONDS = Histogram("pangate_http_request_seconds", "Seconds until the answer began.", ["route"])

ErrorPage = Callable[[Request, int, str, str, str], Awaitable[Response]]


class Common:
    """The outermost layer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})["correlation_id"] = correlation = secrets.token_hex(8)
        began = time.perf_counter()
        app = self._app if _fits(scope) else _TOO_LONG

        async def dressed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Correlation-Id"] = correlation
                for name, value in SAFE.items():
                    headers.setdefault(name, value)
                _count(scope, message["status"], time.perf_counter() - began)
            await send(message)

        await app(scope, receive, dressed)


_LIMITS = Limits()
_TOO_LONG = JSONResponse(
    {
        "type": "about:blank",
        "status": 431,
        "title": f"A request has at most {_LIMITS.headers} headers, of {_LIMITS.head} bytes together.",
        "code": "LIMIT_EXCEEDED",
    },
    431,
    media_type="application/problem+json",
)


def _fits(scope: Scope) -> bool:
    """Whether a request's address and headers are as few and short as they may be (as bytes of HTTP/1.1: a colon, a blank, a line's
    end). The server sees to that of what comes in pieces; what comes at once it takes whole."""
    headers = scope["headers"]
    length = len(scope.get("raw_path") or b"") + len(scope.get("query_string") or b"")
    length += sum(len(name) + len(value) + 4 for name, value in headers)
    return len(headers) <= _LIMITS.headers and length <= _LIMITS.head


def _count(scope: Scope, status: int, seconds: float) -> None:
    """The figures, by route (never by address: its cardinality has no bound)."""
    route = getattr(scope.get("route"), "path", None) or "other"
    method = scope.get("method", "GET")
    REQUESTS.labels(route, method if method in ("GET", "POST", "HEAD") else "other", f"{status // 100}xx").inc()
    SECONDS.labels(route).observe(seconds)


def correlation_of(request: Request) -> str:
    """The request's correlation id."""
    return str(request.scope.get("state", {}).get("correlation_id", ""))


def wants_page(request: Request) -> bool:
    """Whether a person's browser asks."""
    return "text/html" in request.headers.get("accept", "")


class Errors:
    """How an exception becomes an answer: a page for people, problem details (RFC 9457) for machines."""

    def __init__(self, page: ErrorPage) -> None:
        self._page = page

    async def ours(self, request: Request, error: Exception) -> Response:
        """An error of schema.errors."""
        assert isinstance(error, PangateError)
        shown = is_public(error)
        if not shown:
            log.error("internal_error", correlation_id=correlation_of(request), exc_info=error)
        response = await self._answer(
            request, http_status(error), error.code if shown else "INTERNAL", error.message if shown else MASKED
        )
        if isinstance(error, RateLimited):
            response.headers["Retry-After"] = str(int(error.retry_after_s) + 1)
        return response

    async def http(self, request: Request, error: Exception) -> Response:
        """A route that is not there, a method that does not fit."""
        assert isinstance(error, HTTPException)
        code = {404: "NOT_FOUND", 405: "BAD_INPUT", 413: "LIMIT_EXCEEDED"}.get(error.status_code, "BAD_INPUT")
        words = {404: "There is nothing at this address.", 405: "This address does not take that method."}
        response = await self._answer(
            request, error.status_code, code, words.get(error.status_code, "This request cannot be answered.")
        )
        response.headers.update(error.headers or {})
        return response

    async def unknown(self, request: Request, error: Exception) -> Response:
        """Anything else: logged whole, shown masked."""
        log.error("internal_error", correlation_id=correlation_of(request), exc_info=error)
        return await self._answer(request, 500, "INTERNAL", MASKED)

    async def _answer(self, request: Request, status: int, code: str, message: str) -> Response:
        correlation = correlation_of(request)
        if wants_page(request):
            return await self._page(request, status, code, message, correlation)
        problem = {
            "type": "about:blank",
            "status": status,
            "title": message,
            "code": code,
            "correlationId": correlation,
        }
        return JSONResponse(problem, status, media_type="application/problem+json")
