"""This file is aggregates: COUNT, MIN, MAX, SUM, AVG over all rows or by GROUP BY."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from demo.icat.errors import bad
from demo.icat.plan import Plan
from demo.icat.scope import Env, Value, row_id
from demo.icat.syntax import Aggregate, Expression, Path

if TYPE_CHECKING:
    from demo.icat.store import Store


def _total(name: str, values: list[Any]) -> Any:
    if name == "COUNT":
        return len(values)
    if not values:
        return None
    if name == "AVG":
        return sum(values) / len(values)
    if name == "SUM":
        return sum(values)
    return min(values) if name == "MIN" else max(values)


class Totals:
    """The aggregated rows of one query."""

    def __init__(self, store: Store, plan: Plan) -> None:
        self._store = store
        self._plan = plan
        query = plan.query
        self._group = [plan.conditions.compile(item) for item in query.group]
        self._items = [self._item(item) for item in query.select]
        self._order = [(self._item(value), down) for value, down in query.order]

    def _item(self, item: Expression) -> tuple[Aggregate | None, Value]:
        if isinstance(item, Aggregate):
            return item, self._plan.conditions.compile(item.argument, True)
        return None, self._plan.conditions.compile(item, True)

    def rows(self, found: Iterable[Env]) -> list[Any]:
        """One row a group, or a single one without GROUP BY; flat values where one thing is selected."""
        if self._plain_count():
            return [sum(1 for _ in found)]
        groups: dict[tuple[Any, ...], list[Env]] = {}
        for env in found:
            groups.setdefault(tuple(row_id(get(env)) for get in self._group), []).append(list(env))
        if not groups and not self._group:
            groups[()] = []
        ordered = self._sorted(list(groups.values()))
        rows: list[Any] = [[self._value(item, envs) for item in self._items] for envs in ordered]
        skip, count = self._plan.query.limit or (0, None)
        rows = rows[skip : skip + count if count else None]
        return rows if len(self._items) > 1 else [row[0] for row in rows]

    def _plain_count(self) -> bool:
        if self._group or len(self._items) != 1:
            return False
        aggregate, _ = self._items[0]
        if aggregate is None or aggregate.name != "COUNT" or aggregate.distinct:
            return False
        return isinstance(aggregate.argument, Path) and not aggregate.argument.steps

    def _sorted(self, groups: list[list[Env]]) -> list[list[Env]]:
        for item, down in reversed(self._order):
            groups.sort(key=lambda envs, i=item: _key(self._value(i, envs)), reverse=down)  # type: ignore[misc]
        return groups

    def _value(self, item: tuple[Aggregate | None, Value], envs: list[Env]) -> Any:
        aggregate, get = item
        if aggregate is None:
            return row_id(get(envs[0])) if envs else None
        values = [value for value in (row_id(get(env)) for env in envs) if value is not None]
        if aggregate.distinct:
            values = list(dict.fromkeys(values))
        try:
            return _total(aggregate.name, values)
        except TypeError:
            raise bad(f"{aggregate.name} of what is no number") from None


def _key(value: Any) -> tuple[bool, Any]:
    return value is not None, value
