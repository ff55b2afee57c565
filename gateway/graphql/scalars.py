"""This file is the two scalars of time, written by hand because graphene's own print and read otherwise."""

# mypy: allow-subclassing-any

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import graphene
from graphql import GraphQLError, StringValueNode

_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?", re.ASCII)


class Period(NamedTuple):
    """What a Date means as a stretch of time, UTC: [start, end). `end` is None past the last year there is."""

    start: datetime
    end: datetime | None


def period(text: str) -> Period:
    """The day, month or year that a text names. Raises ValueError with a sentence."""
    match = _DATE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:40]!r} is no date; write YYYY-MM-DD, YYYY-MM or YYYY.")
    year, month, day = (int(part) if part else None for part in match.groups())
    assert year is not None
    try:
        first = date(year, month or 1, day or 1)
    except ValueError:
        raise ValueError(f"{text} is not in the calendar.") from None
    return Period(_midnight(first), _end(first, month, day))


def _end(first: date, month: int | None, day: int | None) -> datetime | None:
    try:
        if day is not None:
            return _midnight(date.fromordinal(first.toordinal() + 1))
        if month is not None:
            return _midnight(date(first.year + month // 12, month % 12 + 1, 1))
        return _midnight(date(first.year + 1, 1, 1))
    except ValueError:  # beyond the year 9999
        return None


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def written(moment: datetime) -> str:
    """An aware time as ISO 8601, UTC as "Z"."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


class DateTime(graphene.Scalar):
    """An instant: ISO 8601 with offset, UTC as "Z"."""

    @staticmethod
    def serialize(value: Any) -> str:
        """Stored times are already written that way."""
        if isinstance(value, datetime):
            return written(value)
        if isinstance(value, str):
            return value
        raise GraphQLError("DateTime cannot represent this value.")

    @staticmethod
    def parse_value(value: Any) -> datetime:
        """An aware time. Raises GraphQLError."""
        try:
            moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise GraphQLError("A DateTime is written as 2024-06-01T12:00:00Z, with its offset.")
        return moment

    @staticmethod
    def parse_literal(node: Any, _variables: Any = None) -> datetime:
        """The same for a literal."""
        return DateTime.parse_value(node.value if isinstance(node, StringValueNode) else None)


class Date(graphene.Scalar):
    """A day: YYYY-MM-DD. Where a range takes one, a year (2024) or a month (2024-06) will do as well."""

    @staticmethod
    def serialize(value: Any) -> str:
        """Days are given as they are written."""
        if isinstance(value, date):
            return value.isoformat()[:10]
        raise GraphQLError("Date cannot represent this value.")

    @staticmethod
    def parse_value(value: Any) -> Period:
        """The stretch of time it names. Raises GraphQLError."""
        if not isinstance(value, str):
            raise GraphQLError('A Date is a string such as "2024-06-01", "2024-06" or "2024".')
        try:
            return period(value)
        except ValueError as error:
            raise GraphQLError(str(error)) from None

    @staticmethod
    def parse_literal(node: Any, _variables: Any = None) -> Period:
        """The same for a literal."""
        return Date.parse_value(node.value if isinstance(node, StringValueNode) else None)
