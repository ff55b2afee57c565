"""This file is what the imitated icat.server answers when it refuses: code, HTTP status, message."""

from __future__ import annotations

STATUS = {
    "BAD_PARAMETER": 400,
    "INSUFFICIENT_PRIVILEGES": 403,
    "SESSION": 403,
    "NO_SUCH_OBJECT_FOUND": 404,
    "OBJECT_ALREADY_EXISTS": 412,
    "VALIDATION": 412,
    "INTERNAL": 500,
    "NOT_IMPLEMENTED": 501,
}


class Refusal(Exception):
    """A reply that is no result: one of the codes of icat.server with its message, and `offset` for writes."""

    def __init__(self, code: str, message: str, offset: int | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.offset = offset

    @property
    def status(self) -> int:
        """The HTTP status that belongs to the code."""
        return STATUS[self.code]

    def body(self) -> dict[str, object]:
        """The JSON object the server sends."""
        parts: dict[str, object] = {"code": self.code, "message": self.message}
        if self.offset is not None:
            parts["offset"] = self.offset
        return parts


def bad(message: str) -> Refusal:
    """A query the server could not read (400)."""
    return Refusal("BAD_PARAMETER", message)


def conversion(text: str) -> Refusal:
    """What comes back when a number is compared with a string (500, recorded with 6.2.0)."""
    return Refusal(
        "INTERNAL",
        "class jakarta.persistence.PersistenceException Exception [EclipseLink-3001] (Eclipse Persistence Services - "
        "4.0.1.payara-p4.v202504221851): org.eclipse.persistence.exceptions.ConversionException\n"
        f"Exception Description: The object [{text}], of class [class java.lang.String], could not be converted to "
        f'[class java.lang.Long].\nInternal Exception: java.lang.NumberFormatException: For input string: "{text}"',
    )


def compiling(query: str, start: int, end: int, path: str) -> Refusal:
    """An attribute that is not there, named outside SELECT (400); `start` and `end` are places in the query."""
    return bad(
        "An exception occurred while creating a query in EntityManager: \n"
        f"Exception Description: Problem compiling [{query}]. \n"
        f"[{start}, {end}] The state field path '{path}' cannot be resolved to a valid type."
    )


def syntax(query: str, place: int, reason: str) -> Refusal:
    """JPQL that is broken behind FROM (400)."""
    return bad(
        "An exception occurred while creating a query in EntityManager: \n"
        f"Exception Description: Syntax error parsing [{query}]. \n[{place}, {place}] {reason}"
    )
