"""This file is a search page's address: read into the arguments of a search, written back with one thing changed. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from gateway.graphql.scalars import Period, period
from schema.errors import BadInput

LISTS = (
    "facility",
    "technique",
    "instrument",
    "access",
    "sample",
    "person",
    "investigation",
    "keyword",
    "format",
    "pid",
)
SORTS = ("RELEVANCE", "NEWEST", "OLDEST", "RELEASED", "TITLE")
_LONGEST = 256
_MANY = 50
_ACCESS = frozenset({"OPEN", "EMBARGOED", "CLOSED", "METADATA_ONLY"})
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)


@dataclass(frozen=True)
class Quantity:
    """A parameter with a range: in an address `p=energy|7|9|keV`."""

    name: str
    low: str = ""
    high: str = ""
    unit: str = ""

    def written(self) -> str:
        """As in an address."""
        return "|".join((self.name, self.low, self.high, self.unit)).rstrip("|")

    def label(self) -> str:
        """For a person."""
        unit = f" {self.unit}" if self.unit else ""
        if self.low and self.high:
            return f"{self.name}: {self.low} – {self.high}{unit}"
        if self.low or self.high:
            return f"{self.name} {'≥' if self.low else '≤'} {self.low or self.high}{unit}"
        return f"has {self.name}"


@dataclass(frozen=True)
class Asked:
    """Everything a search page's address says."""

    q: str = ""
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    start: str = ""
    end: str = ""
    quantities: tuple[Quantity, ...] = ()
    analysable: bool = False
    sort: str = "RELEVANCE"
    scope: str = "PUBLIC"
    after: str | None = None

    def pairs(self) -> list[tuple[str, str]]:
        """As the query of an address; what is default is left out."""
        found = [("q", self.q)]
        found += [(key, value) for key in LISTS for value in self.lists.get(key, ())]
        found += [("from", self.start), ("to", self.end)]
        found += [("p", each.written()) for each in self.quantities]
        found += [("analysable", "1" if self.analysable else "")]
        found += [("sort", "" if self.sort == "RELEVANCE" else self.sort.lower())]
        found += [("scope", "" if self.scope == "PUBLIC" else self.scope.lower()), ("after", self.after or "")]
        return [(key, value) for key, value in found if value]

    def address(self) -> str:
        """The address of this search."""
        query = urlencode(self.pairs())
        return f"/search?{query}" if query else "/search"

    def changed(self, **to: Any) -> Asked:
        """The same from its first page, with something else."""
        return replace(self, **{"after": None, **to})

    def toggled(self, key: str, value: str) -> Asked:
        """With a value of a list taken out if it is in, else put in."""
        now = self.lists.get(key, ())
        then = tuple(each for each in now if each != value) if value in now else (*now, value)
        return self.changed(lists={**self.lists, key: then})

    def has(self, key: str, value: str) -> bool:
        """Whether a value is asked for."""
        return value in self.lists.get(key, ())

    @property
    def filtered(self) -> bool:
        """Whether anything but words is asked for."""
        return bool(any(self.lists.values()) or self.start or self.end or self.quantities or self.analysable)

    def arguments(self, size: int) -> dict[str, Any]:
        """The arguments of gateway.graphql.search.run. Raises BadInput."""
        return {
            "query": self.q,
            "filter": self.filter(),
            "sort": self.sort,
            "scope": self.scope,
            "first": size,
            "after": self.after,
        }

    def filter(self) -> dict[str, Any]:
        """A DatasetFilter, its keys in Python's spelling."""
        made: dict[str, Any] = {key: list(values) for key, values in self.lists.items() if values}
        if "format" in made:
            made["file_format"] = made.pop("format")
        if self.start or self.end:
            made["started"] = {"from_": _period(self.start, "from"), "to": _period(self.end, "to")}
        if self.quantities:
            made["parameters"] = [_parameter(each) for each in self.quantities]
        if self.analysable:
            made["analysable"] = True
        return made


def read(pairs: Iterable[tuple[str, str]]) -> Asked:
    """What the query of an address asks; what is unknown or empty is passed over. Raises BadInput for what is no choice of ours."""
    given: dict[str, list[str]] = {}
    for key, value in list(pairs)[:200]:
        if value.strip():
            given.setdefault(key, []).append(value.strip())
    lists = {key: tuple(dict.fromkeys(each[:_LONGEST] for each in given[key][:_MANY])) for key in LISTS if key in given}
    lists["access"] = tuple(each.upper() for each in lists.get("access", ()) if each.upper() in _ACCESS)
    return Asked(
        q=_one(given, "q")[:1000],
        lists={key: values for key, values in lists.items() if values},
        start=_one(given, "from")[:_LONGEST],
        end=_one(given, "to")[:_LONGEST],
        quantities=_quantities(given),
        analysable=bool(given.get("analysable")),
        sort=_choice(_one(given, "sort").upper(), SORTS),
        scope=_choice(_one(given, "scope").upper(), ("PUBLIC", "MINE")),
        after=_one(given, "after") or None,
    )


def is_raw(keys: Iterable[str]) -> bool:
    """Whether an address comes straight from the form of a range, and is better written another way."""
    return "pname" in set(keys)


def _one(given: Mapping[str, Sequence[str]], key: str) -> str:
    return given.get(key, [""])[-1]


def _choice(text: str, choices: tuple[str, ...]) -> str:
    return text if text in choices else choices[0]


def _quantities(given: Mapping[str, Sequence[str]]) -> tuple[Quantity, ...]:
    written = [each.split("|") for each in given.get("p", ())[:_MANY]]
    written += [[_one(given, key).replace("|", " ") for key in ("pname", "pmin", "pmax", "punit")]]
    made = [Quantity(*(part.strip()[:_LONGEST] for part in (*each, "", "", "", "")[:4])) for each in written]
    return tuple(dict.fromkeys(each for each in made if each.name))


def _parameter(asked: Quantity) -> dict[str, Any]:
    ends = {key: _number(end) for key, end in (("min", asked.low), ("max", asked.high)) if end}
    return {"name": asked.name, "unit": asked.unit or None, **ends}


def _number(text: str) -> float:
    plain = text.replace("−", "-").replace(",", ".").replace(" ", "")
    if not _NUMBER.fullmatch(plain):
        raise BadInput(f"{text[:40]!r} is no number.", field="p", remedy="Write it as 7.5 or 1.2e-3.")
    return float(plain)


def _period(text: str, key: str) -> Period | None:
    if not text:
        return None
    try:
        return period(text)
    except ValueError as error:
        raise BadInput(str(error), field=key) from None
