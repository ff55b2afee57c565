"""This file is what of an error is shown: ours as they are, everything else masked."""

import pytest
from graphql import GraphQLError

from gateway import errors
from schema.errors import (
    BadInput,
    Conflict,
    CursorExpired,
    Forbidden,
    LeaseLost,
    LimitExceeded,
    Misconfigured,
    NotFound,
    PangateError,
    RateLimited,
    RetryLater,
    StopHarvest,
    Unauthenticated,
    Unavailable,
)


class OfATrigger(Conflict):
    """A refusal of another room."""


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (BadInput("This is wrong.", field="x", remedy="Do that."), "BAD_INPUT", 400),
        (Unauthenticated("Sign in."), "UNAUTHENTICATED", 401),
        (Forbidden("No."), "FORBIDDEN", 403),
        (NotFound("Nothing."), "NOT_FOUND", 404),
        (Conflict("Other."), "CONFLICT", 409),
        (OfATrigger("Other."), "CONFLICT", 409),
        (CursorExpired("Old."), "CURSOR_EXPIRED", 400),
        (LimitExceeded("Much."), "LIMIT_EXCEEDED", 400),
        (RateLimited("Often.", 3.5), "RATE_LIMITED", 429),
        (Unavailable("Down."), "UNAVAILABLE", 503),
        (RetryLater("Down."), "UNAVAILABLE", 503),
    ],
)
def test_a_refusal_is_shown_with_its_code_and_status(error, code, status):
    shown = errors.entry(error, "c1")
    assert shown["message"] == error.message
    assert (shown["extensions"]["code"], shown["extensions"]["correlationId"]) == (code, "c1")
    assert errors.http_status(error) == status


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("secret"),
        PangateError("secret"),
        Misconfigured("secret"),
        StopHarvest("x", "secret"),
        LeaseLost("secret"),
        GraphQLError("secret"),
    ],
)
def test_whatever_is_not_for_the_reader_is_masked(error):
    for shown in (errors.entry(error, "c1"), errors.located(GraphQLError("secret", original_error=error), "c1")):
        assert shown["message"] == errors.MASKED
        assert shown["extensions"] == {"code": "INTERNAL", "correlationId": "c1"}
    if isinstance(error, PangateError):
        assert errors.http_status(error) == 500


def test_more_is_told_where_it_helps():
    assert errors.entry(BadInput("Wrong.", field="filter.x"), "c")["extensions"]["field"] == "filter.x"
    assert errors.entry(RateLimited("Often.", 3.5), "c")["extensions"]["retryAfter"] == 3.5
