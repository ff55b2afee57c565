"""This file is time at an icat.server: whole seconds of a local zone, no clock to ask, and literals without zone.

harvest-sources reference, 2.3 and 2.5.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from harvesters.icat_session import IcatSession

AHEAD = timedelta(hours=26)
SUMMER = timedelta(hours=1)
_MOVING = ("Dataset", "Investigation", "DatasetParameter", "Sample")


def literal(sent: str, back: timedelta = timedelta(0)) -> str:
    """A time as the server sent it (local digits and offset), some time before, as a JPQL literal in the same local digits."""
    digits = datetime.fromisoformat(sent).replace(tzinfo=None, microsecond=0) - back
    return f"{{ts {digits:%Y-%m-%d %H:%M:%S}}}"


def anchor(session: IcatSession) -> list[Any]:
    """A row whose time never changes: [entity id, its createTime as sent]. If the same row later comes with the same digits and another
    offset, the server's zone has changed and every time has shifted."""
    rows = session.query("SELECT f.id, f.createTime FROM Facility f ORDER BY f.id LIMIT 0, 1")
    return list(rows[0]) if rows and isinstance(rows[0], list) else []


def zone_changed(before: object, now: list[Any]) -> bool:
    """Whether the two anchors show the same digits under another offset, or other digits of the same instant."""
    if not isinstance(before, list) or len(before) != 2 or len(now) != 2 or before[0] != now[0]:
        return False
    return str(before[1]) != str(now[1])


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
