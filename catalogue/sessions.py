"""This file is the store of sign-in sessions and of sign-ins under way, by hashes of what the browser carries."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import delete, insert, or_, select, update

from catalogue.database import Database
from catalogue.ports import Session
from catalogue.tables import sessions, sign_ins, tickets
from catalogue.tickets import hashed


class Sessions:
    """The SessionStore in SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, session: Session) -> None:
        """Keep a session (a new one or with refreshed tokens, which ends the refresh)."""
        values: dict[str, Any] = {name: getattr(session, name) for name in msgspec.structs.asdict(session)}
        values |= {"lock_owner": None, "lock_until": None}
        own = sessions.c.hash == session.hash
        with self._database.write("put session") as connection:
            if connection.execute(update(sessions).where(own).values(values)).rowcount == 0:
                connection.execute(insert(sessions).values(values))

    def get(self, hash: str, now: datetime) -> Session | None:
        """The live session of that hash."""
        live = (sessions.c.hash == hash, sessions.c.expires > now)
        with self._database.read() as connection:
            row = connection.execute(select(sessions).where(*live)).one_or_none()
        if row is None:
            return None
        return Session(row.hash, row.viewer, row.csrf, row.tokens, row.expires, row.created)

    def refresh_lock(self, hash: str, owner: str, seconds: float) -> bool:
        """Whether the caller may refresh this session's tokens now; until then nobody else may, or until `put`."""
        now = self._database.clock()
        free = or_(sessions.c.lock_until.is_(None), sessions.c.lock_until <= now, sessions.c.lock_owner == owner)
        locked = {"lock_owner": owner, "lock_until": now + timedelta(seconds=seconds)}
        with self._database.write("refresh lock") as connection:
            done = connection.execute(update(sessions).where(sessions.c.hash == hash, free).values(locked))
            return done.rowcount == 1

    def remove(self, hash: str) -> None:
        """Sign out."""
        with self._database.write("remove session") as connection:
            connection.execute(delete(sessions).where(sessions.c.hash == hash))

    def purge(self, now: datetime) -> int:
        """Forget expired sessions, sign-in states and tickets; how many."""
        with self._database.write("purge") as connection:
            return sum(
                connection.execute(delete(table).where(table.c.expires <= now)).rowcount
                for table in (sessions, sign_ins, tickets)
            )

    def put_state(self, state: str, data: bytes, expires: datetime) -> None:
        """Keep what a started sign-in needs at its callback."""
        row = {"hash": hashed(state), "data": data, "expires": expires}
        with self._database.write("put state") as connection:
            connection.execute(insert(sign_ins).values(row))

    def take_state(self, state: str, now: datetime) -> bytes | None:
        """That data, once."""
        own = (sign_ins.c.hash == hashed(state), sign_ins.c.expires > now)
        with self._database.write("take state") as connection:
            data = connection.execute(delete(sign_ins).where(*own).returning(sign_ins.c.data)).scalar_one_or_none()
        return None if data is None else bytes(data)
