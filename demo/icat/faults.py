"""This file is what goes wrong with a real icat.server: planned failures, slowness, and the foreign pages they bring."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

Kind = Literal["html_404", "sql_500", "session_expired", "process_412", "return_412", "truncated"]
KINDS: tuple[Kind, ...] = (
    "html_404",
    "sql_500",
    "session_expired",
    "process_412",
    "return_412",
    "truncated",
)

SQL_SESSION = (
    "class org.eclipse.persistence.exceptions.DatabaseException \nInternal Exception: java.sql.SQLException: "
    "java.lang.reflect.UndeclaredThrowableException\nError Code: 0\nCall: SELECT ID, EXPIREDATETIME, USERNAME FROM "
    "SESSION_ WHERE (ID = ?)\n\tbind => [1 parameter bound]\nQuery: ReadObjectQuery(...)"
)
SQL_LOGIN = (
    "Unexpected DB response class jakarta.persistence.PersistenceException Exception [EclipseLink-4002]: "
    "org.eclipse.persistence.exceptions.DatabaseException\nInternal Exception: java.sql.SQLException: Error in "
    "allocating a connection.\nError Code: 0\nCall: INSERT INTO SESSION_ (ID, EXPIREDATETIME, USERNAME) VALUES "
    "(?, ?, ?)\n\tbind => [3 parameters bound]\nQuery: InsertObjectQuery(...)"
)


def page(reason: str) -> str:
    """The HTML the container sends for what is not deployed (a restart answers so for about 35 s)."""
    return (
        '<!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><head><title>Payara Server - Error report</title>'
        f"</head><body><h1>HTTP Status 404 - {reason}</h1><hr/><p>The requested resource is not available.</p>"
        "<hr/><h3>Payara Server 6.2025.9</h3></body></html>"
    )


@dataclass
class Costs:
    """What a reply costs in seconds: a constant a query, and so much for every included object (N+1 queries in SQL)."""

    query: float = 0.0
    included: float = 0.0


class Faults:
    """The failures to come, and whether the database is down; each planned one hits a single request."""

    def __init__(self) -> None:
        self._planned: deque[Kind] = deque()
        self.database_down = False

    def plan(self, count: int, kind: Kind) -> None:
        """Let the next `count` requests fail in that manner, after what is planned already."""
        if kind not in KINDS:
            raise ValueError(f"no such failure: {kind}")
        self._planned.extend([kind] * count)

    def take(self) -> Kind | None:
        """The failure of this request, if one is planned."""
        return self._planned.popleft() if self._planned else None
