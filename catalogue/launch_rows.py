"""This file is the rows of a launch: how one is found, written, and read as a value."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, insert, select

from catalogue.assembly import digest
from catalogue.changes import EVENTS, Numbers
from catalogue.tables import events, launches
from schema.activities import ALIVE, Launch, LaunchEvent, LaunchRequest, LaunchState
from schema.errors import NotFound

ALIVE_STATES = sorted(state.value for state in ALIVE)
_USABLE = sorted(state.value for state in ALIVE - {LaunchState.STOPPING})


def body(request: LaunchRequest) -> bytes:
    """The digest of what a person asks for: titles, paths and names, which we look up, may have changed in the meantime."""
    asked = (
        request.facility,
        request.trigger,
        request.dataset,
        request.procedure,
        request.environment,
        sorted(request.options.items()),
    )
    return digest(msgspec.json.encode(asked))


def same_launch(connection: Connection, principal: str, key: str | None, body: bytes, another: bool) -> Any:
    """The row of the person's launch with that key, or without key the newest one of that body that can still be used, or None."""
    query = select(launches).where(launches.c.principal == principal)
    if key is not None:
        return connection.execute(query.where(launches.c.key == key)).one_or_none()
    if another:
        return None
    usable = (launches.c.body == body, launches.c.state.in_(_USABLE), launches.c.wanted != "stop")
    return connection.execute(query.where(*usable).order_by(launches.c.number.desc()).limit(1)).one_or_none()


def insert_launch(connection: Connection, numbers: Numbers, id: str, values: dict[str, Any], now: datetime) -> Launch:
    """A new launch of that id, due at once, with its first event."""
    first = LaunchEvent(0, now, LaunchState.REQUESTED, "Requested.")
    number = append(connection, numbers, id, first, now)
    row = {
        "number": number,
        "id": id,
        "state": first.state.value,
        "message": first.message,
        "created": now,
        "wanted": "run",
        "due": now,
        "attempts": 0,
        "version": 1,
    }
    connection.execute(insert(launches).values(row | values))
    return read_launch(connection, id)


def append(connection: Connection, numbers: Numbers, launch: str, event: LaunchEvent, now: datetime) -> int:
    """Append an event under the ledger's next number and time."""
    id = numbers.next(EVENTS)
    row = {
        "id": id,
        "launch": launch,
        "at": now,
        "state": event.state.value,
        "message": event.message,
        "progress": event.progress,
        "failure": event.failure,
    }
    connection.execute(insert(events).values(row))
    return id


def read_launch(connection: Connection, id: str) -> Launch:
    """The launch of that id. Raises NotFound."""
    row = connection.execute(select(launches).where(launches.c.id == id)).one_or_none()
    if row is None:
        raise NotFound("There is no such launch.")
    return as_launch(row)


def as_launch(row: Any) -> Launch:
    """A row as a value."""
    return Launch(
        id=row.id,
        request=row.request,
        key=row.key,
        state=LaunchState(row.state),
        message=row.message,
        created=row.created,
        known=row.known,
        expires=row.expires,
        handle=row.handle,
        failure=row.failure,
        wanted=row.wanted,
        due=row.due,
        attempts=row.attempts,
        version=row.version,
    )


def as_event(row: Any) -> LaunchEvent:
    """A row as a value."""
    return LaunchEvent(row.id, row.at, LaunchState(row.state), row.message, row.progress, row.failure)
