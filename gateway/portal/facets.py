"""This file is the facets and chips of the search page: counts as links that put a filter in or take it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.graphql.context import Context
from gateway.graphql.facilities import facility, short_name
from gateway.portal import phrases
from gateway.portal.asked import LISTS, Asked

_LISTED = (
    ("FACILITY", "Facility", "facility", 12),
    ("TECHNIQUE", "Technique", "technique", 60),
    ("INSTRUMENT", "Instrument", "instrument", 8),
    ("ACCESS", "Access", "access", 4),
    ("YEAR", "Year", "year", 40),
    ("SAMPLE", "Sample", "sample", 6),
    ("KEYWORD", "Keyword", "keyword", 8),
    ("FILE_FORMAT", "File format", "format", 8),
    ("PARAMETER_NAME", "Parameter", "p", 30),
)
_SHOWN = 14
_OF_FIELD = {field: (title, key, size) for field, title, key, size in _LISTED}
_LABELS = {key: title for _, title, key, _ in _LISTED} | {
    "person": "Person",
    "investigation": "Experiment",
    "pid": "Identifier",
}


@dataclass(frozen=True)
class Choice:
    """A value of a facet as a link."""

    label: str
    count: int
    chosen: bool
    address: str


@dataclass(frozen=True)
class Shown:
    """A facet as the page shows it: choices, or bars of a histogram (`low`, `high`, count, height in per cent)."""

    key: str
    title: str
    choices: list[Choice]
    other: int = 0
    unit: str = ""
    bars: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Chip:
    """Something that is filtered by, and the address without it."""

    kind: str
    label: str
    without: str


def wishes(asked: Asked) -> list[dict[str, Any]]:
    """What is counted; a histogram too when a parameter is filtered by."""
    made: list[dict[str, Any]] = [{"field": field, "size": size} for field, _, _, size in _LISTED]
    if asked.quantities:
        last = asked.quantities[-1]
        made.append({"field": "PARAMETER", "parameter": last.name, "unit": last.unit or None, "bins": 24})
    return made


def shown(asked: Asked, counted: Sequence[Mapping[str, Any]], total: int, context: Context) -> list[Shown]:
    """The counted facets, each with what a click does."""
    return [
        _histogram(each) if each["field"] == "PARAMETER" else _facet(asked, each, total, context) for each in counted
    ]


def _facet(asked: Asked, counted: Mapping[str, Any], total: int, context: Context) -> Shown:
    title, key, _ = _OF_FIELD[counted["field"]]
    buckets = counted["buckets"]
    if key == "technique":
        buckets = [each for each in buckets if asked.has(key, each["value"]) or _narrows(each, total, context)][:_SHOWN]
    choices = [_choice(asked, key, each) for each in buckets]
    if key == "year":
        choices.sort(key=lambda choice: choice.label, reverse=True)
    return Shown(key, title, choices, counted["other"])


def _narrows(bucket: Mapping[str, Any], total: int, context: Context) -> bool:
    """Whether a technique says something: the root and the four axes of the ontology do not, nor does what all results have."""
    return (
        bucket["count"] != total and len(context.vocabulary.ancestors(bucket["value"])) != 1 and bucket["label"] != ""
    )


def _choice(asked: Asked, key: str, bucket: Mapping[str, Any]) -> Choice:
    value, label, count = str(bucket["value"]), str(bucket["label"]), int(bucket["count"])
    if key == "year":
        chosen = asked.start == value == asked.end
        to = asked.changed(start="", end="") if chosen else asked.changed(start=value, end=value)
    elif key == "p":
        chosen, to = False, asked
    else:
        chosen, to = asked.has(key, value), asked.toggled(key, value)
    return Choice(phrases.ACCESS.get(label, label) if key == "access" else label, count, chosen, to.address())


def _histogram(counted: Mapping[str, Any]) -> Shown:
    buckets = counted["buckets"]
    most = max((each["count"] for each in buckets), default=0) or 1
    bars = [{"at": at, "height": _height(each["count"], most), **each} for at, each in enumerate(buckets)]
    return Shown("histogram", str(counted["parameter"]), [], counted["other"], counted["unit"] or "", bars)


def _height(count: int, most: int) -> int:
    """Of 100; what is not nothing can be seen."""
    return 0 if count == 0 else max(4, round(100 * count / most))


def chips(asked: Asked, facets: Sequence[Shown], context: Context) -> list[Chip]:
    """Everything that is filtered by, each with the way to be rid of it."""
    names = {(facet.key, choice.address): choice.label for facet in facets for choice in facet.choices}
    made = []
    for key in LISTS:
        for value in asked.lists.get(key, ()):
            without = asked.toggled(key, value).address()
            label = names.get((key, without)) or _label(key, value, context)
            made.append(Chip(_LABELS[key], label, without))
    if asked.start or asked.end:
        without = asked.changed(start="", end="").address()
        made.append(Chip("Measured", _when(asked), without))
    for each in asked.quantities:
        rest = tuple(other for other in asked.quantities if other != each)
        made.append(Chip("Parameter", each.label(), asked.changed(quantities=rest).address()))
    if asked.analysable:
        made.append(Chip("", "Can be analysed here", asked.changed(analysable=False).address()))
    return made


def _label(key: str, value: str, context: Context) -> str:
    if key == "facility":
        return short_name(facility(context, value))
    if key == "technique":
        return context.vocabulary.label(value) or value
    return phrases.ACCESS.get(value, value) if key == "access" else value


def _when(asked: Asked) -> str:
    if asked.start == asked.end:
        return asked.start
    if asked.start and asked.end:
        return f"{asked.start} – {asked.end}"
    return f"from {asked.start}" if asked.start else f"until {asked.end}"
