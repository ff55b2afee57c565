"""This file is how rows are found for a query: which candidates, joined with what, kept by which condition."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from demo.icat.conditions import Conditions
from demo.icat.errors import bad
from demo.icat.rows import Row
from demo.icat.scope import Env, Scope, Value
from demo.icat.syntax import Call, Expression, Literal, Path, Query, Source

if TYPE_CHECKING:
    from demo.icat.store import Store

FOREVER = 2**63
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}

Step = Callable[[Env], Iterable[Any]]


class Plan:
    """The FROM and WHERE of one query, compiled."""

    def __init__(self, store: Store, caller: str, query: Query, outer: Scope | None = None) -> None:
        self.store = store
        self.query = query
        self.scope = Scope(store.schema, query.text, outer, size=outer.size if outer else 0)
        self.conditions = Conditions(store, caller, self.scope, self._subquery)
        self.start = self.scope.size
        self.bounds: dict[str, tuple[int, int]] = {}
        self.steps = [self._source(source) for source in query.sources]
        self.where = self._where()

    # -- compiling

    def _source(self, source: Source) -> Step:
        if source.path is not None:
            return self._joined(source)
        entity = self.store.table(source.entity or "").entity
        first = not self.scope.variables
        self.scope.declare(source.variable, entity, False)
        if first and self.scope.outer is None:
            return lambda _: self.candidates()
        table = self.store.tables[entity.name]
        return lambda _: table.all()

    def _joined(self, source: Source) -> Step:
        path = source.path
        if path is None or not path.steps:
            raise bad("A join needs a relation")
        owner = self.scope.walk(Path(path.variable, path.steps[:-1], path.start, path.end))
        name = path.steps[-1]
        target = owner.entity.target(name)
        if target is None:
            self.scope.walk(path)
            raise bad(f"{owner.entity.name} has no relation {name}")
        get = self.scope.value(owner)
        self.scope.declare(source.variable, self.store.schema[target], source.left)
        many = name in owner.entity.to_many
        return self._step(get, name, many, source.left)

    def _step(self, get: Value, name: str, many: bool, left: bool) -> Step:
        store = self.store

        def joined(env: Env) -> Iterable[Any]:
            row = get(env)
            if row is None:
                return (None,) if left else ()
            if many:
                return store.children(row, name) or ((None,) if left else ())
            value = getattr(row, name)
            return (value,) if left or value is not None else ()

        return joined

    def _where(self) -> Value | None:
        where = self.query.where
        if where is None:
            return None
        parts = where.arguments if isinstance(where, Call) and where.name == "AND" else (where,)
        if self.scope.outer is None:
            parts = tuple(part for part in parts if not self._bound(part))
        if not parts:
            return None
        return self.conditions.compile(parts[0] if len(parts) == 1 else Call("AND", tuple(parts)))

    def _bound(self, part: Expression) -> bool:
        """Take `root.id > 5` and `root.relation.id <= 9` out of the condition: the indexes answer them."""
        if not isinstance(part, Call) or part.name not in MIRRORED:
            return False
        (left, right), sign = part.arguments, part.name
        if isinstance(left, Literal):
            left, right, sign = right, left, MIRRORED[sign]
        root = self.query.sources[0].variable
        if not (isinstance(left, Path) and left.variable == root and isinstance(right, Literal)):
            return False
        if not isinstance(right.value, int) or isinstance(right.value, bool) or not self._indexed(left):
            return False
        low, high = self.bounds.get(left.steps[0], (-FOREVER, FOREVER))
        value = right.value
        if sign in (">", ">=", "="):
            low = max(low, value + (sign == ">"))
        if sign in ("<", "<=", "="):
            high = min(high, value - (sign == "<"))
        self.bounds[left.steps[0]] = (low, high)
        return True

    def _indexed(self, path: Path) -> bool:
        entity = self.scope.find(path).entity
        if path.steps == ("id",):
            return True
        return len(path.steps) == 2 and path.steps[1] == "id" and path.steps[0] in entity.to_one

    def _subquery(self, query: Query, outer: Scope) -> tuple[Callable[[Env], Iterable[Any]], bool]:
        plan = Plan(self.store, self.conditions.caller, query, outer)
        select = plan.conditions.compile(query.select[0])

        def values(env: Env) -> Iterator[Any]:
            return (select(found) for found in plan.bindings(env))

        return values, plan.scope.correlated

    # -- running

    def candidates(self) -> Iterable[Row]:
        """The rows of the first entity that the indexes leave, by id."""
        table = self.store.tables[self.scope.variables[self.query.sources[0].variable].entity.name]
        low, high = self.bounds.get("id", (-FOREVER, FOREVER))
        relations = [name for name in self.bounds if name != "id"]
        if not relations:
            return table.between(low, high)
        first, *others = relations
        rows = [row for row in table.children[first].between(*self.bounds[first]) if low <= row.id <= high]
        for name in others:
            least, most = self.bounds[name]
            rows = [row for row in rows if (up := getattr(row, name)) is not None and least <= up.id <= most]
        return sorted(rows, key=operator.attrgetter("id"))

    def bindings(self, env: Env | None = None, roots: Iterable[Row] | None = None) -> Iterator[Env]:
        """Every combination of rows that fits, in the order of the first entity's ids.

        The list given is the same one each time: read it before asking for the next. `roots` replaces the candidates.
        """
        full: Env = [*(env or [])[: self.start], *([None] * len(self.query.sources))]
        steps = list(self.steps)
        if roots is not None:
            steps[0] = lambda _: roots
        keep = self._keep()
        found = self._nested(full, steps, 0)
        return found if keep is None else (each for each in found if keep(each))

    def _keep(self) -> Callable[[Env], Any] | None:
        where, needed = self.where, list(self.scope.needed.values())
        if not needed:
            return where
        if where is None:
            return lambda env: all(get(env) is not None for get in needed)
        return lambda env: all(get(env) is not None for get in needed) and where(env)

    def _nested(self, env: Env, steps: list[Step], place: int) -> Iterator[Env]:
        slot = self.start + place
        if place == len(steps) - 1:
            for row in steps[place](env):
                env[slot] = row
                yield env
            return
        for row in steps[place](env):
            env[slot] = row
            yield from self._nested(env, steps, place + 1)
