"""This file is when the index is to be built anew: because somebody asked, or because a public record has left it and its traces stay in
the engine's statistics until then (design section 3)."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import cast

import msgspec
from sqlalchemy import func, insert, select, update

from catalogue.database import Database
from catalogue.tables import documents, rebuilds

SMALL = 1_000_000
"""Up to so many documents a rebuild is done within the hour, else at night."""
WAIT = timedelta(minutes=30)
"""How long departures are gathered: a rebuild of a million documents takes a few minutes of the half hour that remains."""
NIGHT = time(2, 0, tzinfo=UTC)


class Rebuild(msgspec.Struct, frozen=True):
    """A rebuild that was asked for. `ended` and `documents` tell when it is done, `message` why the last try failed."""

    id: int
    by: str
    asked: datetime
    ended: datetime | None
    documents: int
    message: str


class Rebuilds:
    """The ledger of rebuilds in SQL."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def request(self, by: str) -> int:
        """Ask for a rebuild; the id of the one that is asked for already, if there is one."""
        with self._database.write("request rebuild") as connection:
            query = select(rebuilds.c.id).where(rebuilds.c.ended.is_(None)).order_by(rebuilds.c.id).limit(1)
            waiting = connection.execute(query).scalar_one_or_none()
            if waiting is not None:
                return int(waiting)
            values = {"by": by, "asked": self._database.clock(), "public_number": 0, "documents": 0, "message": ""}
            key = connection.execute(insert(rebuilds).values(values)).inserted_primary_key
            assert key is not None
            return int(key[0])

    def rebuild(self, id: int) -> Rebuild | None:
        """The rebuild of that id."""
        with self._database.read() as connection:
            row = connection.execute(select(rebuilds).where(rebuilds.c.id == id)).one_or_none()
        return None if row is None else Rebuild(row.id, row.by, row.asked, row.ended, row.documents, row.message)

    def due(self) -> datetime | None:
        """When the next one is to be begun: at once if it was asked for, later for departures, None when nothing is owed."""
        departed = (documents.c.public.is_(False), documents.c.public_number > _settled())
        with self._database.read() as connection:
            asked = connection.execute(
                select(func.min(rebuilds.c.asked)).where(rebuilds.c.ended.is_(None))
            ).scalar_one()
            since = connection.execute(select(func.min(documents.c.public_time)).where(*departed)).scalar_one()
            if since is None or asked is not None:
                return cast("datetime | None", asked)
            size = connection.execute(select(func.count()).where(documents.c.live.is_(True))).scalar_one()
        return cast("datetime", since + WAIT) if size <= SMALL else _night_after(since)

    def done(self, public_number: int, count: int, began: datetime) -> None:
        """Note a rebuild that began at that public head and time: what was asked for until then has been answered."""
        now = self._database.clock()
        values = {"ended": now, "public_number": public_number, "documents": count, "message": ""}
        with self._database.write("rebuild done") as connection:
            waiting = (rebuilds.c.ended.is_(None), rebuilds.c.asked <= began)
            if connection.execute(update(rebuilds).where(*waiting).values(values)).rowcount == 0:
                connection.execute(insert(rebuilds).values(by="pangate", asked=began, **values))

    def failed(self, message: str) -> None:
        """Note why the rebuild that is asked for could not be done; it stays asked for."""
        with self._database.write("rebuild failed") as connection:
            connection.execute(update(rebuilds).where(rebuilds.c.ended.is_(None)).values(message=message[:1000]))


def _settled() -> object:
    """The public number up to which departures have left no traces."""
    return (
        select(func.coalesce(func.max(rebuilds.c.public_number), 0))
        .where(rebuilds.c.ended.is_not(None))
        .scalar_subquery()
    )


def _night_after(since: datetime) -> datetime:
    night = datetime.combine(since.astimezone(UTC).date(), NIGHT)
    return night if night > since else night + timedelta(days=1)
