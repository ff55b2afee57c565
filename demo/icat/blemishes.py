"""This file is what real ICAT records suffer from: each function spoils one value now and then, by its place in the row."""

from __future__ import annotations

from datetime import UTC, datetime

UNITLESS = ("", "N/A", "none", "-")


def doi(value: str | None, place: int) -> str | None:
    """A DOI bare, with `DOI:` in front, or as a URL."""
    if value is None:
        return None
    return (value, f"DOI:{value}", f"https://doi.org/{value}", value, f"doi: {value}")[place % 5]


def unit(value: str, place: int) -> str:
    """A unit, or one of the ways to say there is none."""
    return value or UNITLESS[place % len(UNITLESS)]


def summary(text: str, place: int) -> str:
    """A summary, sometimes pasted from a word processor as HTML."""
    if place % 7 == 3:
        return f"<p>{text.replace('. ', '.</p><p>', 1)}&nbsp;</p><script>alert('pasted')</script>"
    return f"{text}\r\n\r\n " if place % 11 == 5 else text


def start(value: datetime, place: int) -> datetime:
    """A start, which is sometimes the clock's zero or far in the future."""
    if place % 397 == 101:
        return datetime(1970, 1, 1, tzinfo=UTC)
    if place % 397 == 202:
        return datetime(2201, 2, 3, 4, 5, 6, tzinfo=UTC)
    return value


def end(first: datetime, value: datetime, place: int) -> datetime | None:
    """An end, which is sometimes missing and sometimes before the start."""
    if place % 13 == 4:
        return None
    return first - (value - first) if place % 199 == 77 else value


def orcid(value: str | None, place: int) -> str | None:
    """An ORCID, bare or as a URL."""
    return f"https://orcid.org/{value}" if value and place % 3 == 1 else value


def full_name(given: str, family: str, place: int) -> str:
    """A name in either order."""
    return f"{family}, {given}" if place % 4 == 2 else f"{given} {family}"
