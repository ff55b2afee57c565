"""This file is parameters in any unit: ranges and histograms of the API in SI, and back; and what to say of a wrong unit."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from catalogue.query import AnyOf, Clause, Field, Found, ParameterIs, Scope, Search, Sort
from gateway.graphql import shape
from gateway.graphql.context import Context
from schema import text, units
from schema.errors import BadInput

_LARGEST = 1.7e308  # a finite double below which every other lies
_SAMPLE = 20  # datasets looked at to learn what a parameter's name measures


class Quantities:
    """Parameters of one search. What a name measures is learnt from records of the same scope that have it, once a request:
    so what is said of a public search is the same for everybody."""

    def __init__(self, context: Context, scope: Scope) -> None:
        self._context = context
        self._scope = scope

    async def clause(self, given: Mapping[str, Any]) -> ParameterIs:
        """The clause of a ParameterFilter. Raises BadInput."""
        name = _name(given.get("name"), "filter.parameters.name")
        texts = tuple(sorted({text.fold(each) for each in given.get("text") or ()}))
        low, high = given.get("min"), given.get("max")
        if low is None and high is None:
            return ParameterIs(name, text=texts)
        if low is not None and high is not None and low > high:
            raise BadInput("`min` is larger than `max`.", field="filter.parameters", remedy="Exchange them.")
        unit, dimension = await self.measure(name, given.get("unit"), "filter.parameters.unit")
        ends = (None if end is None else _si(end, unit) for end in (low, high))
        smallest, largest = ends
        return ParameterIs(name, smallest, largest, dimension, texts)

    async def measure(self, name: str, unit: str | None, field: str) -> tuple[str | None, str | None]:
        """The unit a range of that name is in, and its dimension; both None for plain numbers. Raises BadInput."""
        if unit is not None and not units.means_no_unit(unit):
            quantity = units.si(1.0, unit)
            if quantity is None:
                raise BadInput(f"{unit[:40]!r} is no unit we know.", field=field, remedy="Try one such as eV, nm or K.")
            await self._fits(name, unit, quantity.dimension, field)
            return unit, quantity.dimension
        known = {} if unit is not None else await self.dimensions(name)
        if not known:
            return None, None
        dimension = next(iter(known))
        return known[dimension], dimension

    async def dimensions(self, name: str) -> dict[str, str]:
        """The dimensions that the scope's records give a (folded) parameter name, the most frequent first, each with its SI unit."""
        return await self._context.memo.get(("dimensions", self._scope, name), lambda: self._learn(name))

    async def _learn(self, name: str) -> dict[str, str]:
        clause = AnyOf(Field.PARAMETER_NAME, (name,))
        found = await self._search(clause, _SAMPLE)
        counts: dict[str, int] = {}
        names: dict[str, str] = {}
        for hit in found.hits:
            for each in shape.document(hit.raw).data.get("parameters", ()):
                same = name in (text.fold(each["name"]), text.fold(each["source_name"]))
                if same and each.get("dimension") and each.get("si_unit"):
                    counts[each["dimension"]] = counts.get(each["dimension"], 0) + 1
                    names[each["dimension"]] = each["si_unit"]
        return {each: names[each] for each in sorted(counts, key=lambda each: (-counts[each], each))}

    async def _fits(self, name: str, unit: str, dimension: str, field: str) -> None:
        known = await self.dimensions(name)
        if known and dimension not in known and not await self._exists(name, dimension):
            ways = " or ".join(known.values())
            raise BadInput(
                f"{unit} cannot be a unit of {name}, whose SI unit is {ways}.",
                field=field,
                remedy="Give a unit that converts to it.",
            )

    async def _exists(self, name: str, dimension: str) -> bool:
        """Whether any record has the name in that dimension (the sample may have missed it)."""
        return (await self._search(ParameterIs(name, -_LARGEST, None, dimension), 1)).total > 0

    async def _search(self, clause: Clause, first: int) -> Found:
        groups = self._context.viewer.groups if self._scope is Scope.MINE else frozenset[str]()
        asked = Search(scope=self._scope, groups=groups, clauses=(clause,), sort=Sort.NEWEST, first=first)
        return await self._context.reader.search(asked)


def _name(given: Any, field: str) -> str:
    name = text.fold(given or "")
    if not name:
        raise BadInput("A parameter has a name.", field=field, remedy="Give `name`.")
    return name


def _si(value: float, unit: str | None) -> float:
    quantity = units.si(value, unit) if unit is not None else None
    found = value if unit is None else quantity.value if quantity is not None else math.inf
    if not math.isfinite(found):
        raise BadInput(
            f"{value} {unit or ''} is out of range.", field="filter.parameters", remedy="Give a number within it."
        )
    return found


def shown(value: float | None, unit: str | None, si_unit: str | None) -> float | None:
    """An SI value in the unit that was asked for."""
    if value is None or unit is None or si_unit is None or unit == si_unit:
        return value
    return units.convert(value, si_unit, unit)
