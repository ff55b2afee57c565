"""The ways in which the server says no."""

from typing import Any

_NAMES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    429: "Too Many Requests",
    503: "Service Unavailable",
}


class Refused(Exception):
    """The request gets this status and this JSON body."""

    def __init__(self, status: int, body: Any) -> None:
        """Body as it will be sent."""
        super().__init__(status, body)
        self.status = status
        self.body = body


def refused(status: int, message: str) -> Refused:
    """The usual form: message, name of the status, status."""
    return Refused(status, {"message": message, "error": _NAMES[status], "statusCode": status})


def unauthorized() -> Refused:
    """The short form that the login gives."""
    return Refused(401, {"message": "Unauthorized", "statusCode": 401})


def broken() -> Refused:
    """An error inside: a bare JSON string."""
    return Refused(500, "Internal server error")
