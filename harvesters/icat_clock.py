"""This file is time at an icat.server: whole seconds of a local zone, no clock to ask, and literals without zone.

harvest-sources reference, 2.3 and 2.5.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from harvesters.icat_session import IcatSession

AHEAD = timedelta(hours=26)
SUMMER = timedelta(hours=1)
_DATED = (("Investigation", "startDate"), ("Dataset", "startDate"), ("Dataset", "createTime"))
_SEASONS = (("01-02", "02-27"), ("05-02", "08-30"))
_YEARS = 12
_MOVING = ("Dataset", "Investigation", "DatasetParameter", "Sample")


def literal(sent: str, back: timedelta = timedelta(0)) -> str:
    """A time as the server sent it (local digits and offset), some time before, as a JPQL literal in the same local digits."""
    digits = datetime.fromisoformat(sent).replace(tzinfo=None, microsecond=0) - back
    return f"{{ts {digits:%Y-%m-%d %H:%M:%S}}}"


def zone(session: IcatSession, now: datetime) -> list[str]:
    """The server's offsets in winter and in summer, as it sends them in times of the last years ("" where we may read none). Times are
    kept as local digits: when one of the two changes, times have shifted, though no row says that it was modified."""
    return [_offset(session, now.year, *season) for season in _SEASONS]


def _offset(session: IcatSession, year: int, first: str, last: str) -> str:
    for entity, name in _DATED:
        spans = (
            f"(x.{name} >= {{ts {each}-{first} 00:00:00}} AND x.{name} < {{ts {each}-{last} 00:00:00}})"
            for each in range(year - _YEARS + 1, year + 1)
        )
        rows = session.query(f"SELECT x.{name} FROM {entity} x WHERE {' OR '.join(spans)} ORDER BY x.id LIMIT 0, 1")
        if rows and isinstance(rows[0], str):
            return rows[0][19:].lstrip(".0123456789")
    return ""


def still_known(before: object, now: list[str]) -> list[str]:
    """The offsets of now, and where nothing tells them now, those known before."""
    known = before if isinstance(before, list) and len(before) == len(now) else [""] * len(now)
    return [here or str(was) for was, here in zip(known, now, strict=True)]


def zone_changed(before: object, now: list[str]) -> bool:
    """Whether an offset that was known is another one now."""
    if not isinstance(before, list):
        return False
    return any(was and here and was != here for was, here in zip(before, now, strict=False))


def newest(session: IcatSession, now: datetime, offsets: list[str]) -> str:
    """The newest modTime the server knows, as sent, not counting times more than 26 hours ahead of our clock; "" when it has none.

    `offsets` are the server's (an hour more or less is of no weight here): they tell where our clock stands in its digits.
    """
    offset = next((each for each in offsets if each), "Z")
    zone = datetime.fromisoformat(f"2000-01-01T00:00:00{offset}").tzinfo
    limit = literal((now + AHEAD).astimezone(zone).isoformat())
    found = [
        row
        for entity in _MOVING
        for row in session.query(f"SELECT MAX(x.modTime) FROM {entity} x WHERE x.modTime <= {limit}")
        if isinstance(row, str)
    ]
    return max(found, key=datetime.fromisoformat, default="")
