"""This file is time at an icat.server: whole seconds of a local zone, no clock to ask, and literals without zone.

harvest-sources reference, 2.3 and 2.5.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from harvesters.icat_session import IcatSession

AHEAD = timedelta(hours=26)
SUMMER = timedelta(hours=1)
_STEADY = ("Facility", "InvestigationType", "Instrument", "Investigation", "Dataset")
_MOVING = ("Dataset", "Investigation", "DatasetParameter", "Sample")


def literal(sent: str, back: timedelta = timedelta(0)) -> str:
    """A time as the server sent it (local digits and offset), some time before, as a JPQL literal in the same local digits."""
    digits = datetime.fromisoformat(sent).replace(tzinfo=None, microsecond=0) - back
    return f"{{ts {digits:%Y-%m-%d %H:%M:%S}}}"


def anchor(session: IcatSession) -> list[Any]:
    """A row whose time never changes: [entity, its id, its createTime as sent]; [] when we may read none. If the same row later comes
    with another time, the server's zone has changed and every time has shifted."""
    for entity in _STEADY:
        rows = session.query(f"SELECT x.id, x.createTime FROM {entity} x ORDER BY x.id LIMIT 0, 1")
        if rows and isinstance(rows[0], list) and len(rows[0]) == 2:
            return [entity, *rows[0]]
    return []


def zone_changed(before: object, now: list[Any]) -> bool:
    """Whether two anchors of one row show different times."""
    if not isinstance(before, list) or len(before) != 3 or len(now) != 3 or before[:2] != now[:2]:
        return False
    return str(before[2]) != str(now[2])


def newest(session: IcatSession, now: datetime, sample: str) -> str:
    """The newest modTime the server knows, as sent, not counting times more than 26 hours ahead of our clock; "" when it has none.

    `sample` is any time the server sent: its offset tells where our clock stands in local digits.
    """
    zone = datetime.fromisoformat(sample).tzinfo if sample else UTC
    limit = literal((now + AHEAD).astimezone(zone).isoformat())
    found = [
        row
        for entity in _MOVING
        for row in session.query(f"SELECT MAX(x.modTime) FROM {entity} x WHERE x.modTime <= {limit}")
        if isinstance(row, str)
    ]
    return max(found, key=datetime.fromisoformat, default="")
