"""This file is how rows of the harvest tables are read: one run, and how each source stands."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, func, select

from catalogue import rejects
from catalogue.ports import Harvest, SourceState
from catalogue.tables import harvests, records, sources
from schema.activities import Figures, HarvestMode, HarvestState

GOOD = (HarvestState.DONE, HarvestState.DEGRADED)
"""States in which a harvest has walked all it set out to walk."""


def as_harvest(row: Any) -> Harvest:
    """A row of the table as a value."""
    return Harvest(
        id=row.id,
        source=row.source,
        mode=HarvestMode(row.mode),
        state=HarvestState(row.state),
        bookmark=row.bookmark,
        figures=Figures(**{name: getattr(row, name) for name in msgspec.structs.asdict(Figures())}),
        started=row.started,
        ended=row.ended,
        message=row.message,
    )


def read_harvest(connection: Connection, id: int) -> Harvest:
    """The harvest of that id, which exists."""
    return as_harvest(connection.execute(select(harvests).where(harvests.c.id == id)).one())


def source_states(connection: Connection) -> list[SourceState]:
    """How every known source stands, by name."""
    rejected = rejects.count(connection)
    live = select(records.c.source, func.count().label("live")).where(records.c.deleted.is_(False))
    counted = {row.source: row.live for row in connection.execute(live.group_by(records.c.source))}
    open_ = live.where(records.c.public.is_(True)).group_by(records.c.source)
    public = {row.source: row.live for row in connection.execute(open_)}
    newest = select(func.max(harvests.c.id)).group_by(harvests.c.source)
    last = _by_source(connection, newest)
    running = select(func.max(harvests.c.id)).where(harvests.c.state == HarvestState.RUNNING.value)
    runs = _by_source(connection, running.group_by(harvests.c.source))
    return [
        SourceState(
            source=row.source,
            records=counted.get(row.source, 0),
            rejects=rejected.get(row.source, 0),
            last_done=row.last_done,
            last_full=row.last_full,
            last_attempt=last[row.source].started if row.source in last else None,
            failing_since=row.failing_since,
            running=runs.get(row.source),
            last=last.get(row.source),
            message=last[row.source].message if row.source in last else "",
            public=public.get(row.source, 0),
        )
        for row in connection.execute(select(sources).order_by(sources.c.source))
    ]


def _by_source(connection: Connection, ids: Any) -> dict[str, Harvest]:
    rows = connection.execute(select(harvests).where(harvests.c.id.in_(ids)))
    return {row.source: as_harvest(row) for row in rows}
