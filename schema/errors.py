"""This file is every error that crosses a room's border, named by what the caller does next."""

from __future__ import annotations

from datetime import datetime


class PangateError(Exception):
    """The root of all errors below. `str(error)` is one sentence for a person, free of secrets and tracebacks."""

    code = "INTERNAL"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Refusal(PangateError):
    """The request will not be carried out as asked; `code` is stable and public (design section 10, errors)."""


class BadInput(Refusal):
    """Change the request and ask again. `field` says where it was wrong, `remedy` what to write instead."""

    code = "BAD_INPUT"

    def __init__(self, message: str, *, field: str | None = None, remedy: str | None = None) -> None:
        super().__init__(message if remedy is None else f"{message} {remedy}")
        self.field = field
        self.remedy = remedy


class Unauthenticated(Refusal):
    """Sign in, then ask again."""

    code = "UNAUTHENTICATED"


class Forbidden(Refusal):
    """Ask somebody who may."""

    code = "FORBIDDEN"


class NotFound(Refusal):
    """Nothing of that name is here, or not for this viewer: the same answer on purpose."""

    code = "NOT_FOUND"


class CursorInvalid(Refusal):
    """Begin at the first page again: this cursor was not made by us for this query."""

    code = "CURSOR_INVALID"


class CursorExpired(Refusal):
    """Begin at the first page again: the searcher this cursor belongs to is closed."""

    code = "CURSOR_EXPIRED"


class LimitExceeded(Refusal):
    """Ask for less."""

    code = "LIMIT_EXCEEDED"


class RateLimited(Refusal):
    """Ask again later, after `retry_after_s` seconds."""

    code = "RATE_LIMITED"

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Conflict(Refusal):
    """What was asked contradicts what is already there (the same key was used for something else)."""

    code = "CONFLICT"


class Unavailable(Refusal):
    """A part we depend on does not answer; ask again later."""

    code = "UNAVAILABLE"


class DiskFailed(Unavailable):
    """Make room on the disk, or look at it; nothing else is to be done, since all work goes on by itself afterwards. `reason` is a
    stable word: disk-full or disk-error."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class RetryLater(PangateError):
    """A source or platform failed in passing: try the same call again, not before `not_before` if it is given."""

    code = "UNAVAILABLE"

    def __init__(self, message: str, *, not_before: datetime | None = None) -> None:
        super().__init__(message)
        self.not_before = not_before


class StopHarvest(PangateError):
    """This harvest cannot go on without a person: the message says what to mend. `reason` is a stable word."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class LeaseLost(PangateError):
    """Somebody else holds the lease now: drop what you were doing, write nothing."""


class Misconfigured(PangateError):
    """Mend the configuration: `where` is file, line and path as far as known."""

    code = "BAD_INPUT"

    def __init__(self, message: str, *, where: str = "") -> None:
        super().__init__(f"{where}: {message}" if where else message)
        self.where = where
