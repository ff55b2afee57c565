"""This file is how values are written for people: times, amounts, numbers, states, marked and foreign text. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import urlsplit

from markupsafe import Markup, escape

from schema.text import MARK_END, MARK_START, clean

TITLE_SHOWN = 1_024
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]{0,20})(?:\s[^<>]{0,2000})?/?>|<!--.{0,5000}?-->", re.DOTALL)
_BREAKS = frozenset({"p", "br", "div", "li", "tr", "h1", "h2", "h3", "h4", "ul", "ol", "table"})
_SILENT = re.compile(r"<(script|style)\b[^<>]{0,2000}>.{0,20000}?</\1\s*>", re.DOTALL | re.IGNORECASE)
_SPACES = re.compile(r"[ \t\f\v]+")
_LINES = re.compile(r"\s*\n\s*\n\s*")
_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB", "EB")
_DAY = 86_400
_TIMES = (("year", 360 * _DAY), ("month", 30 * _DAY), ("day", _DAY), ("hour", 3_600), ("minute", 60), ("second", 1))


def plain(text: str | None) -> str:
    """A text as a source sends it, without HTML tags and entities; paragraphs stay apart."""
    if not text:
        return ""
    shown = text[:100_000]
    if "<" in shown or "&" in shown:
        shown = _TAG.sub(lambda tag: "\n\n" if (tag[2] or "").lower() in _BREAKS else "", _SILENT.sub("", shown))
        shown = unescape(shown)
    lines = (_SPACES.sub(" ", clean(line)).strip() for line in shown.replace("\r", "\n").split("\n"))
    return _LINES.sub("\n\n", "\n".join(lines)).strip()


def heading(text: str | None) -> str:
    """A title as a heading shows it: up to 1,024 characters (reference on reliability, section 8; a record keeps four times as many)."""
    shown = plain(text)
    return shown if len(shown) <= TITLE_SHOWN else shown[:TITLE_SHOWN].rstrip() + " …"


def paragraphs(text: str | None) -> list[str]:
    """The paragraphs of a foreign text."""
    return [part for part in plain(text).split("\n\n") if part]


def marked(fragment: str) -> Markup:
    """A highlighted fragment with its marks as <mark>, all else escaped."""
    shown = str(escape(fragment))
    return Markup(shown.replace(MARK_START, "<mark>").replace(MARK_END, "</mark>"))  # noqa: S704 - escaped just above


def day(at: datetime | None) -> str:
    """A day as 4 May 2026; "" for none."""
    return f"{at.day} {at:%b} {at.year}" if at else ""


def minute(at: datetime | None) -> str:
    """An instant to the minute, UTC."""
    return f"{day(at)}, {at.astimezone(UTC):%H:%M} UTC" if at else ""


def iso(at: datetime | None) -> str:
    """For the attribute `datetime`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else ""


def span(start: datetime | None, end: datetime | None) -> str:
    """From when to when: one day, or two."""
    if start and end and start.date() != end.date():
        return f"{day(start)} – {day(end)}"
    return day(start or end)


def ago(at: datetime | None, now: datetime) -> str:
    """How long ago, in the largest whole unit."""
    return "never" if at is None else "just now" if now - at < timedelta(minutes=1) else f"{_counts(now - at)[0]} ago"


def lasting(time: timedelta) -> str:
    """A duration in its largest unit, and the next one unless that is nothing: 3 hours 59 minutes, 4 hours."""
    return " ".join(_counts(time))


def _counts(time: timedelta) -> list[str]:
    left, found = max(0, int(time.total_seconds())), list[str]()
    for unit, size in _TIMES:
        count, left = divmod(left, size)
        if found:
            return [*found, counted(count, unit)] if count else found
        if count or size == 1:
            found = [counted(count, unit)]
    return found


def counted(number: int, noun: str, plural: str | None = None) -> str:
    """3 datasets, 1 dataset, 1 204 datasets."""
    return f"{grouped(number)} {noun if number == 1 else plural or noun + 's'}"


def grouped(number: int) -> str:
    """A whole number with thin spaces between thousands (SI Brochure, 5.4.4)."""
    return f"{number:,}".replace(",", "\u202f") if abs(number) >= 10_000 else str(number)


def amount(size: int | None) -> str:
    """Bytes in decimal prefixes: 5.2 GB."""
    if size is None:
        return ""
    shown, unit = float(size), 0
    while shown >= 999.5 and unit < len(_UNITS) - 1:
        shown, unit = shown / 1000, unit + 1
    return counted(size, "byte") if unit == 0 else f"{shown:.3g} {_UNITS[unit]}"


def number(value: float | None, digits: int = 12) -> str:
    """A measured value without noise digits: 8.979, 1.44 × 10⁻¹⁵."""
    if value is None:
        return ""
    text = f"{value:.{digits}g}"
    mantissa, e, exponent = text.partition("e")
    if not e:
        return text.replace("-", "−")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa.replace('-', '−')} × 10{raised}"


def link(address: str | None) -> str | None:
    """The address if a page may link to it: http or https, with a host; else None."""
    if not address or len(address) > 4_096 or any(ord(sign) < 33 or sign in '"<>\\' for sign in address):
        return None
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return address if parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc else None


def listed(values: Iterable[str | None], last: str = "and") -> str:
    """a, b and c."""
    shown = [value for value in values if value]
    return shown[0] if len(shown) == 1 else f" {last} ".join((", ".join(shown[:-1]), shown[-1])) if shown else ""
