"""This file is the ledger of launches: rows with append-only events, owed work, one-time tickets, what platforms can do."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from secrets import token_bytes
from statistics import median
from typing import Any

import msgspec
from sqlalchemy import exists, func, literal, or_, select, update
from sqlalchemy.sql import ColumnElement

from catalogue import tickets
from catalogue.assembly import chunks
from catalogue.changes import EVENTS, Numbers
from catalogue.database import Database
from catalogue.inserts import insert_once
from catalogue.launch_rows import (
    ALIVE_STATES,
    append,
    as_event,
    as_launch,
    body,
    insert_launch,
    read_launch,
    same_launch,
)
from catalogue.leases import Leases, check
from catalogue.ports import Lease, TriggerState, launch_lease
from catalogue.tables import capabilities, events, launches, leases
from schema.activities import FINAL, Launch, LaunchEvent, LaunchRequest, LaunchState, launch_id, may_move, named_by
from schema.errors import Conflict

_RECENT = 20
"""How many launches of a platform tell how long a start takes."""

_ENDED = sorted(state.value for state in FINAL)


class Launches(Leases):
    """The LaunchLedger in SQL. `key` is the gateway's own (at most 64 bytes, secret): its launches are known by it."""

    def __init__(self, database: Database, key: bytes = b"") -> None:
        super().__init__(database)
        self._key = key

    def request(self, request: LaunchRequest, key: str | None, another: bool, expires: datetime) -> tuple[Launch, bool]:
        """The launch of this request and whether it is new. Idempotent on (principal, key); without key a live launch of the same
        body is given unless `another`. Raises Conflict when the key was used for another body."""
        now = self._database.clock()
        asked = body(request)
        with self._database.write("request launch") as connection:
            numbers = Numbers(connection, EVENTS)
            same = same_launch(connection, request.principal, key, asked, another)
            if same is not None:
                if same.body != asked:
                    raise Conflict("This key was used for another launch already; take a new key for a new request.")
                return as_launch(same), False
            names = {"principal": request.principal, "trigger": request.trigger, "key": key, "body": asked}
            values = {**names, "request": request, "expires": expires}
            launch = insert_launch(connection, numbers, launch_id(token_bytes(9), self._key), values, now)
            numbers.keep()
            return launch, True

    def launch(self, id: str) -> Launch | None:
        """The launch of that id."""
        with self._database.read() as connection:
            row = connection.execute(select(launches).where(launches.c.id == id)).one_or_none()
        return None if row is None else as_launch(row)

    def ours(self, id: str) -> bool:
        """Whether this gateway gave that id, also when the launch is not known any more."""
        return named_by(id, self._key)

    def launches(self, principal: str, first: int, before: str | None) -> tuple[list[Launch], int]:
        """The person's launches, newest first, older than launch `before`, and how many there are in all."""
        own = launches.c.principal == principal
        query = select(launches).where(own).order_by(launches.c.number.desc()).limit(first)
        if before is not None:
            place = select(launches.c.number).where(launches.c.id == before, own).scalar_subquery()
            query = query.where(launches.c.number < place)
        with self._database.read() as connection:
            total = connection.execute(select(func.count()).select_from(launches).where(own)).scalar_one()
            return [as_launch(row) for row in connection.execute(query)], total

    def alive(self, *, trigger: str | None = None, principal: str | None = None) -> list[Launch]:
        """Launches that may have something at a site, oldest first."""
        query = select(launches).where(launches.c.state.in_(ALIVE_STATES)).order_by(launches.c.number)
        if trigger is not None:
            query = query.where(launches.c.trigger == trigger)
        if principal is not None:
            query = query.where(launches.c.principal == principal)
        with self._database.read() as connection:
            return [as_launch(row) for row in connection.execute(query)]

    def started_since(self, principal: str, since: datetime) -> int:
        """How many launches the person asked for since then."""
        own = (launches.c.principal == principal, launches.c.created >= since)
        with self._database.read() as connection:
            return int(connection.execute(select(func.count()).where(*own)).scalar_one())

    def owed(self, now: datetime, limit: int) -> list[Launch]:
        """Launches with work due that nobody holds a lease of, longest due first."""
        held = exists().where(
            leases.c.name == literal(launch_lease("")) + launches.c.id, leases.c.owner != "", leases.c.expires > now
        )
        query = select(launches).where(launches.c.due <= now, ~held).order_by(launches.c.due, launches.c.number)
        with self._database.read() as connection:
            return [as_launch(row) for row in connection.execute(query.limit(limit))]

    def record(
        self,
        lease: Lease | None,
        launch: Launch,
        event: LaunchEvent | None,
        *,
        due: datetime | None,
        handle: dict[str, str] | None = None,
        expires: datetime | None = None,
        known: datetime | None = None,
        attempts: int | None = None,
    ) -> Launch:
        """Append an event and move the launch, if its version is still that of `launch` and the lease still holds. What is None
        stays as it was, except `due`. Raises Conflict, LeaseLost; ValueError for an illegal move."""
        state = launch.state if event is None else event.state
        if not may_move(launch.state, state):
            raise ValueError(f"a launch that is {launch.state} cannot become {state}")
        now = self._database.clock()
        kept = {"handle": handle, "expires": expires, "known": known, "attempts": attempts}
        values: dict[str, Any] = {"due": due} | {name: value for name, value in kept.items() if value is not None}
        with self._database.write("record launch") as connection:
            if lease is not None:
                check(connection, lease)
            numbers = Numbers(connection, EVENTS)
            if event is not None:
                values |= {"state": state.value, "message": event.message, "failure": event.failure}
                if state is LaunchState.READY:
                    values["ready"] = func.coalesce(launches.c.ready, literal(now, launches.c.ready.type))
            same = (launches.c.id == launch.id, launches.c.version == launch.version)
            done = connection.execute(update(launches).where(*same).values(version=launch.version + 1, **values))
            if done.rowcount != 1:
                raise Conflict("The launch has moved on; look at it again.")
            if event is not None:
                append(connection, numbers, launch.id, event, now)
            numbers.keep()
            return read_launch(connection, launch.id)

    def want(self, id: str, wanted: str) -> Launch:
        """Note what the person wants ("run" or "stop") and make the launch due at once; one that has ended stays as it is. Raises
        NotFound, and ValueError for another wish."""
        if wanted not in ("run", "stop"):
            raise ValueError(f"nobody can want a launch to {wanted}")
        live = launches.c.state.not_in(_ENDED)
        return self._change(id, live, wanted=wanted, due=self._database.clock())

    def extend(self, id: str, expires: datetime) -> Launch:
        """A later end of the lease on the session; an earlier one changes nothing. Raises NotFound."""
        later = or_(launches.c.expires.is_(None), launches.c.expires < expires)
        return self._change(id, later, expires=expires)

    def _change(self, id: str, condition: ColumnElement[bool], **values: Any) -> Launch:
        with self._database.write("change launch") as connection:
            own = update(launches).where(launches.c.id == id, condition)
            connection.execute(own.values(version=launches.c.version + 1, **values))
            return read_launch(connection, id)

    def events(self, launch: str, after: int = 0) -> list[LaunchEvent]:
        """Events of a launch above that event id, in order."""
        return [event for _, event in self.events_since(after, [launch])]

    def events_since(self, after: int, launches: Iterable[str]) -> list[tuple[str, LaunchEvent]]:
        """Events of any of the launches above that id, in order."""
        with self._database.read() as connection:
            rows = [
                row
                for chunk in chunks(launches)
                for row in connection.execute(
                    select(events).where(events.c.launch.in_(chunk), events.c.id > after).order_by(events.c.id)
                )
            ]
        return [(row.launch, as_event(row)) for row in sorted(rows, key=lambda row: row.id)]

    def ticket(self, launch: str, principal: str, session: str, expires: datetime) -> str:
        """A new one-time ticket (256 random bits; only its hash is kept) for opening a launch."""
        with self._database.write("ticket") as connection:
            return tickets.issue(connection, launch, principal, session, expires)

    def redeem(self, ticket: str, principal: str, session: str, now: datetime) -> str | None:
        """The launch a ticket opens, consuming it; None when it is unknown, used, expired or another's."""
        with self._database.write("redeem") as connection:
            return tickets.redeem(connection, ticket, principal, session, now)

    def capability(self, trigger: str) -> TriggerState | None:
        """What a platform could do when last looked at."""
        with self._database.read() as connection:
            row = connection.execute(select(capabilities).where(capabilities.c.trigger == trigger)).one_or_none()
        return None if row is None else TriggerState(row.trigger, row.at, row.up, row.message, row.version)

    def note_capability(self, state: TriggerState) -> None:
        """Keep what a worker found out about a platform; an older finding does not replace a newer one."""
        values = msgspec.structs.asdict(state)
        with self._database.write("capability") as connection:
            own = capabilities.c.trigger == state.trigger
            at = connection.execute(select(capabilities.c.at).where(own)).scalar_one_or_none()
            if at is None:
                insert_once(connection, capabilities, values)
            elif at <= state.at:
                connection.execute(update(capabilities).where(own).values(values))

    def typical_seconds(self, trigger: str) -> int | None:
        """The median time from request to READY of the platform's recent launches."""
        there = (launches.c.trigger == trigger, launches.c.ready.is_not(None))
        query = select(launches.c.created, launches.c.ready).where(*there).order_by(launches.c.number.desc())
        with self._database.read() as connection:
            rows = connection.execute(query.limit(_RECENT)).all()
        return round(median((row.ready - row.created).total_seconds() for row in rows)) if rows else None
