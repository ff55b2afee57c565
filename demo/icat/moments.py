"""This file is time as ICAT keeps it: whole seconds, stored as local digits, shown with the offset of the server's zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

LITERAL = re.compile(r"ts (\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)")


def digits(moment: datetime | str, zone: tzinfo) -> datetime:
    """Local digits (naive, whole seconds) of a moment; a naive one is taken as digits already, text as ISO 8601."""
    if isinstance(moment, str):
        moment = datetime.fromisoformat(moment)
    if moment.tzinfo is not None:
        moment = moment.astimezone(zone).replace(tzinfo=None)
    return moment.replace(microsecond=0, fold=0)


def literal(text: str) -> datetime | None:
    """The digits of `ts yyyy-mm-dd hh:mm:ss` (without the braces), None for every other form."""
    found = LITERAL.fullmatch(text)
    try:
        return datetime(*(int(part) for part in found.groups())) if found else None  # type: ignore[arg-type]
    except ValueError:
        return None


def quoted(text: str) -> datetime | None:
    """The digits of a date written as a plain string, as the database converts it; None if it is no date."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        return None


def _placed(moment: datetime, zone: tzinfo) -> datetime:
    # Java's legacy calendar knows no local mean time: before 1900 it takes the zone's plain offset.
    if moment.year < 1900:
        plain = datetime(2000, 1, 1, tzinfo=zone).utcoffset() or timedelta(0)
        return moment.replace(tzinfo=timezone(plain))
    early, late = moment.replace(tzinfo=zone), moment.replace(tzinfo=zone, fold=1)
    # The repeated hour of autumn comes back with the winter offset [run]; the missing one of spring moves on.
    repeated = (early.utcoffset() or timedelta(0)) >= (late.utcoffset() or timedelta(0))
    return late if repeated else early.astimezone(UTC).astimezone(zone)


class Rendered(dict[datetime, str]):
    """Digits to the text of a reply (`yyyy-MM-dd'T'HH:mm:ss.SSSXXX`) in one zone; remembers what it has seen."""

    def __init__(self, zone: str) -> None:
        super().__init__()
        self.zone = ZoneInfo(zone)

    def __missing__(self, moment: datetime) -> str:
        text = _placed(moment, self.zone).isoformat(timespec="milliseconds")
        text = text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text
        # A clock reading (with a fraction) never comes back: remembering it would only fill the memory.
        if not moment.microsecond:
            self[moment] = text
        return text
