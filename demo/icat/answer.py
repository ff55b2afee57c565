"""This file is the answer to a query: rows found, rights applied, ordered, cut, and written as JSON."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from demo.icat.entities import Entity
from demo.icat.errors import Refusal, bad
from demo.icat.jpql import parse
from demo.icat.objects import Rendering, Tree, tree
from demo.icat.plan import Plan
from demo.icat.rights import May, Rights, everything
from demo.icat.rows import Row
from demo.icat.scope import Env, Value, getter, row_id
from demo.icat.sessions import User
from demo.icat.syntax import Aggregate, Call, Expression, Literal, Path, Query
from demo.icat.totals import Totals

if TYPE_CHECKING:
    from demo.icat.store import Store


@dataclass(frozen=True)
class Answer:
    """The body of a reply and how many included objects it cost."""

    body: bytes
    included: int = 0


class _Answering:
    def __init__(self, store: Store, user: User, query: Query) -> None:
        self.store = store
        self.query = query
        self.plan = Plan(store, user.name, query)
        self.rights = Rights(store, user)
        self.compile = self.plan.conditions.compile
        self.selected = self._selected()

    # -- what is selected

    def _selected(self) -> Entity | None:
        """The entity of a query for objects; None for columns. Every selected path is checked here."""
        walks = [self.plan.scope.walk(item, True) for item in self.query.select if isinstance(item, Path)]
        for walk in walks:
            if walk.attribute is None and len(self.query.select) > 1:
                raise Refusal("INTERNAL", "class jakarta.ejb.EJBException null")
        if len(walks) == 1 and len(self.query.select) == 1 and walks[0].attribute is None:
            return walks[0].entity
        return None

    def _aggregated(self) -> bool:
        return bool(self.query.group) or any(isinstance(item, Aggregate) for item in self.query.select)

    def _only_counts(self) -> bool:
        return all(isinstance(item, Aggregate) and item.name == "COUNT" for item in self.query.select)

    # -- rights

    def _readable(self) -> list[tuple[Value, May]] | None:
        """A test for every object that is selected or has a selected attribute; None when one has no rule at all."""
        tests: dict[tuple[int, tuple[str, ...]], tuple[Value, May]] = {}
        for path in _paths(self.query.select):
            walk = self.plan.scope.walk(path, True)
            may = self.rights.reading(walk.entity.name)
            if may is None:
                return None
            if may is not everything:
                slot = walk.variable.slot
                tests[(slot, walk.steps)] = (getter(slot, ".".join(walk.steps), True), may)
        return list(tests.values())

    def _rows(self, tests: list[tuple[Value, May]]) -> Iterator[Env]:
        found = self.plan.bindings()
        for get, may in tests:
            found = _kept(found, get, may)
        return found

    # -- the line

    def answer(self) -> Answer:
        """The whole reply."""
        branches = None if self._only_counts() else self._tree()
        extract = None if self._aggregated() else self._extractor()
        order = [(self.compile(value), down) for value, down in self.query.order if not self._aggregated()]
        tests = self._readable()
        if tests is None:
            return Answer(b"[0]" if self._only_counts() and not self.query.group else b"[]")
        if extract is None:
            return Answer(self._columns(Totals(self.store, self.plan).rows(self._rows(tests))))
        rows = self._found(tests, extract, order)
        if self.selected is None:
            return Answer(self._columns(rows))
        rendering = Rendering(self.store, self.rights)
        if branches is None or not branches.branches:
            return Answer(b"[" + b",".join(rendering.plain(row) for row in rows) + b"]")
        full = [rendering.with_tree(row, branches) for row in rows]
        return Answer(b"[" + b",".join(full) + b"]", rendering.included)

    def objects(self) -> tuple[list[Row], Tree]:
        """The objects of a query for objects, and what is to be included with them."""
        tests = self._readable()
        order = [(self.compile(value), down) for value, down in self.query.order]
        return self._found(tests, self._extractor(), order) if tests is not None else [], self._tree()

    def _tree(self) -> Tree:
        variable = _variable(self.query) if self.selected else None
        entity = self.selected or next(iter(self.plan.scope.variables.values())).entity
        return tree(self.store, self.query, variable, entity)

    def _found(self, tests: list[tuple[Value, May]], extract: Value, order: list[tuple[Value, bool]]) -> list[Any]:
        return self._cut(self._ordered(self._distinct(self._rows(tests), extract), order))

    def _extractor(self) -> Value:
        select = self.query.select
        values = [self.compile(item, True) for item in select]
        if len(select) == 1:
            return values[0]
        walks = [self.plan.scope.walk(item) for item in select if isinstance(item, Path)]
        simple = len(walks) == len(select) and not self.plan.scope.needed
        if simple and len({w.variable.slot for w in walks}) == 1 and not walks[0].variable.optional:
            slot, get = walks[0].variable.slot, operator.attrgetter(*(w.dotted for w in walks))
            return lambda env: get(env[slot])
        return lambda env: tuple([value(env) for value in values])

    def _distinct(self, found: Iterable[Env], extract: Value) -> Iterator[tuple[Env, Any]]:
        if not self.query.distinct:
            return ((env, extract(env)) for env in found)
        return _once((env, extract(env)) for env in found)

    def _ordered(self, found: Iterator[tuple[Env, Any]], order: list[tuple[Value, bool]]) -> Iterator[Any]:
        if not order or self._by_id():
            return (value for _, value in found)
        keyed = [([_sortable(get(env)) for get, _ in order], value) for env, value in found]
        for place, (_, down) in reversed(list(enumerate(order))):
            keyed.sort(key=lambda pair, n=place: pair[0][n], reverse=down)  # type: ignore[misc]
        return (value for _, value in keyed)

    def _by_id(self) -> bool:
        (first, down), *_ = self.query.order
        root = self.query.sources[0].variable
        return isinstance(first, Path) and not down and first.variable == root and first.steps == ("id",)

    def _cut(self, rows: Iterator[Any]) -> list[Any]:
        most = self.store.max_entities
        skip, count = self.query.limit or (0, None)
        if self.selected is not None and self._one_id():
            skip = 0  # EclipseLink reads by primary key and forgets the offset [run]
        if count is None:
            count = most + 1
        # `LIMIT 0, 0` reaches the database as no limit at all [run].
        found = list(islice(rows, skip, None if count == 0 else skip + min(count, most + 1)))
        if len(found) > most:
            raise Refusal("VALIDATION", f"attempt to process more than {most} entities")
        return found

    def _one_id(self) -> bool:
        match self.query.where:
            case Call("=", (Path(_, ("id",)), Literal())):
                return True
        return False

    def _columns(self, rows: list[Any]) -> bytes:
        text = self.store.rendered
        kinds = [self.plan.conditions.kind(item) for item in self.query.select]
        times = [place for place, kind in enumerate(kinds) if kind == "time"]
        if len(kinds) == 1:
            if times:
                rows = [value if value is None else text[value] for value in rows]
            return orjson.dumps(rows)
        if not times:
            return orjson.dumps(rows)
        shown = []
        for row in rows:
            values = list(row)
            for place in times:
                if (value := values[place]) is not None:
                    values[place] = text[value]
            shown.append(values)
        return orjson.dumps(shown)


def _variable(query: Query) -> str:
    item = query.select[0]
    return item.variable if isinstance(item, Path) and not item.steps else ""


def _paths(items: Iterable[Expression]) -> Iterator[Path]:
    for item in items:
        if isinstance(item, Path):
            yield item
        elif isinstance(item, Aggregate):
            yield from _paths([item.argument])
        elif isinstance(item, Call):
            yield from _paths(item.arguments)


def _kept(found: Iterable[Env], get: Callable[[Env], Row | None], may: May) -> Iterator[Env]:
    for env in found:
        row = get(env)
        # Even an empty LEFT JOIN takes the row along: the rule is a condition on the object's id [run].
        if row is not None and may(row):
            yield env


def _once(found: Iterable[tuple[Env, Any]]) -> Iterator[tuple[Env, Any]]:
    seen = set()
    for env, value in found:
        if value not in seen:
            seen.add(value)
            yield env, value


def _sortable(value: Any) -> tuple[bool, Any]:
    return value is not None, row_id(value)


def answer(store: Store, user: User, text: str) -> Answer:
    """The reply to a query; raises Refusal."""
    return _Answering(store, user, parse(text, store.schema)).answer()


def objects(store: Store, user: User, text: str) -> tuple[list[Row], Tree]:
    """The objects a query selects and what it includes; raises Refusal."""
    found = _Answering(store, user, parse(text, store.schema))
    if found.selected is None:
        raise bad("the query must select objects")
    return found.objects()


def one(store: Store, user: User, text: str, row_id_: int) -> Answer:
    """The reply to `query=Entity INCLUDE …&id=…`: one object without the list; raises Refusal."""
    query = parse(text, store.schema)
    source = query.sources[0]
    row = store.get(source.entity or "", row_id_)
    if row is None:
        raise Refusal("NO_SUCH_OBJECT_FOUND", f"{source.entity}[id:{row_id_}] not found.")
    rights = Rights(store, user)
    may = rights.reading(row.entity.name)
    if may is None or not may(row):
        raise Refusal("INSUFFICIENT_PRIVILEGES", f"READ access to this {source.entity} is not allowed.")
    rendering = Rendering(store, rights)
    branches = tree(store, query, source.variable, row.entity)
    return Answer(rendering.with_tree(row, branches), rendering.included)
