"""This file is leases: who may work on what, until when, and the fence that a late worker runs into.

Inside the caller's transaction, so that the check and the write it allows are one.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, update

from catalogue.database import Database
from catalogue.inserts import insert_once
from catalogue.ports import Lease
from catalogue.tables import leases
from schema.errors import LeaseLost


def check(connection: Connection, lease: Lease) -> None:
    """Raises LeaseLost when somebody has taken the lease since, or it was given back. An expired one that nobody took still holds:
    no work is thrown away for a clock."""
    row = _row(connection, lease.name)
    if row is None or row.fence != lease.fence or row.owner != lease.owner:
        raise LeaseLost(f"The lease of {lease.name} is somebody else's by now.")


class Leases:
    """The leases of a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def acquire(self, name: str, owner: str, seconds: float) -> Lease | None:
        """The lease of `name`, or None while somebody else's has not expired. Whoever holds it already gets it anew."""
        now = self._database.clock()
        until = now + timedelta(seconds=seconds)
        with self._database.write("acquire") as connection:
            row = _row(connection, name)
            if row is None:
                values = {"name": name, "owner": owner, "fence": 1, "expires": until}
                return Lease(name, owner, 1, until) if insert_once(connection, leases, values) else None
            if row.owner not in ("", owner) and row.expires > now:
                return None
            _keep(connection, name, owner, row.fence + 1, until)
            return Lease(name, owner, row.fence + 1, until)

    def renew(self, lease: Lease, seconds: float) -> Lease:
        """The same lease for longer. Raises LeaseLost."""
        until = self._database.clock() + timedelta(seconds=seconds)
        with self._database.write("renew") as connection:
            check(connection, lease)
            _keep(connection, lease.name, lease.owner, lease.fence, until)
        return Lease(lease.name, lease.owner, lease.fence, until)

    def release(self, lease: Lease) -> None:
        """Give the lease back (no error when it is lost already)."""
        with self._database.write("release") as connection:
            connection.execute(
                update(leases)
                .where(leases.c.name == lease.name, leases.c.fence == lease.fence, leases.c.owner == lease.owner)
                .values(owner="", expires=self._database.clock())
            )

    def forget(self, gone: Callable[[str], bool]) -> int:
        """Give back the leases whose owners are gone for good, so that nobody waits for them to expire; how many."""
        with self._database.read() as connection:
            owners = [owner for owner in connection.execute(select(leases.c.owner).distinct()).scalars() if owner]
        dead = [owner for owner in owners if gone(owner)]
        if not dead:
            return 0
        with self._database.write("forget leases") as connection:
            freed = update(leases).where(leases.c.owner.in_(dead)).values(owner="", expires=self._database.clock())
            return connection.execute(freed).rowcount


def _row(connection: Connection, name: str) -> Any:
    return connection.execute(select(leases).where(leases.c.name == name).with_for_update()).one_or_none()


def _keep(connection: Connection, name: str, owner: str, fence: int, until: datetime) -> None:
    connection.execute(update(leases).where(leases.c.name == name).values(owner=owner, fence=fence, expires=until))
