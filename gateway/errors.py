"""This file is how errors look from outside: a stable code, a sentence, a correlation id, and never an exception's own text.

Codes: design section 10, "errors". Whatever is not one of ours is logged whole and shown as INTERNAL.
"""

from __future__ import annotations

from typing import Any

import structlog
from graphql import FieldNode, GraphQLError

from schema.errors import (
    Conflict,
    Forbidden,
    LimitExceeded,
    NotFound,
    PangateError,
    RateLimited,
    Refusal,
    RetryLater,
    Unauthenticated,
    Unavailable,
)

log = structlog.get_logger("pangate.gateway")

INTERNAL = "INTERNAL"
MASKED = "Something went wrong on our side. Tell the operator the correlation id if it happens again."

_STATUS: tuple[tuple[type[PangateError], int], ...] = (
    (Unauthenticated, 401),
    (Forbidden, 403),
    (NotFound, 404),
    (Conflict, 409),
    (RateLimited, 429),
    (LimitExceeded, 400),
    (Unavailable, 503),
    (RetryLater, 503),
)
_PUBLIC = frozenset(
    {
        "UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND", "BAD_INPUT", "CURSOR_INVALID", "CURSOR_EXPIRED",
        "LIMIT_EXCEEDED", "RATE_LIMITED", "CONFLICT", "UNAVAILABLE",
    }
)  # fmt: skip


def is_public(error: BaseException | None) -> bool:
    """Whether an error's own sentence may be shown: it is ours, and made for the person who asked."""
    return isinstance(error, Refusal | RetryLater) and error.code in _PUBLIC


def http_status(error: PangateError) -> int:
    """The HTTP status of a request that failed as a whole with this error (500 for what is masked)."""
    if not is_public(error):
        return 500
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 400)


def entry(error: BaseException, correlation: str) -> dict[str, Any]:
    """One error of a response (GraphQL, October 2021, 7.1.2): message and extensions. Unknown ones are logged and masked."""
    if not isinstance(error, PangateError) or not is_public(error):
        log.error("internal_error", correlation_id=correlation, exc_info=error)
        return {"message": MASKED, "extensions": {"code": INTERNAL, "correlationId": correlation}}
    extensions: dict[str, Any] = {"code": error.code, "correlationId": correlation}
    if (field := getattr(error, "field", None)) is not None:
        extensions["field"] = field
    if isinstance(error, RateLimited):
        extensions["retryAfter"] = error.retry_after_s
    log.info("refused", code=error.code, correlation_id=correlation, reason=error.message)
    return {"message": error.message, "extensions": extensions}


def located(error: GraphQLError, correlation: str) -> dict[str, Any]:
    """An error of an execution: as `entry`, with its place in the document and its path in the response."""
    cause = _cause(error)
    if cause is None and error.nodes and not any(isinstance(node, FieldNode) for node in error.nodes):
        # graphql-core's own words about an argument: made from the document alone
        shown = {"message": error.message, "extensions": {"code": "BAD_INPUT", "correlationId": correlation}}
    else:
        shown = entry(cause if cause is not None else error, correlation)
    return _placed(shown, error)


def rejected(error: GraphQLError, correlation: str) -> dict[str, Any]:
    """An error found before execution (syntax, validation, variables): the request is to be changed."""
    code = "LIMIT_EXCEEDED" if error.message.endswith(" aborted.") else "BAD_INPUT"
    shown = {"message": error.message, "extensions": {"code": code, "correlationId": correlation}}
    return _placed(shown, error)


def _cause(error: GraphQLError) -> BaseException | None:
    """The exception behind a located error, if it is not graphql-core's own."""
    cause: BaseException | None = error.original_error
    while isinstance(cause, GraphQLError):
        if not cause.nodes and cause.original_error is None:
            return cause  # a value of ours that its type refuses: our fault, masked
        cause = cause.original_error
    return cause


def _placed(shown: dict[str, Any], error: GraphQLError) -> dict[str, Any]:
    placed: dict[str, Any] = {"message": shown["message"]}
    if error.locations:
        placed["locations"] = [{"line": at.line, "column": at.column} for at in error.locations]
    if error.path is not None:
        placed["path"] = list(error.path)
    placed["extensions"] = shown["extensions"]
    return placed
