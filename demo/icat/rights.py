"""This file is who may read what: rules of the caller's groups, each a whole entity or a query of the objects allowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from demo.icat.jpql import parse
from demo.icat.plan import Plan
from demo.icat.rows import Row
from demo.icat.sessions import User

if TYPE_CHECKING:
    from demo.icat.store import Store

May = Callable[[Row], bool]


def _rule(store: Store, user: User, what: str) -> tuple[str, May | None]:
    query = parse(what, store.schema)
    plan = Plan(store, user.name, query)
    entity = plan.scope.variables[query.sources[0].variable].entity
    return entity.name, lambda row: any(True for _ in plan.bindings(roots=(row,)))


def everything(_: Row) -> bool:
    """The right of root, and of a rule that names the entity."""
    return True


class Rights:
    """What one caller may read, compiled for one request."""

    def __init__(self, store: Store, user: User) -> None:
        self._store = store
        self._user = user
        self._found: dict[str, May | None] = {}

    def reading(self, entity: str) -> May | None:
        """The test an object must pass; `everything` where no object is hidden; None where there is no rule at all."""
        if self._user.root:
            return everything
        if entity not in self._found:
            self._found[entity] = self._compile(entity)
        return self._found[entity]

    def _compile(self, entity: str) -> May | None:
        store, user = self._store, self._user
        queries = (what for what in user.reads if what not in store.schema and entity in what.split())
        rules = [
            *((what, None) for what in user.reads if what == entity),
            *(_rule(store, user, what) for what in queries),
        ]
        tests = [test for name, test in rules if name == entity]
        if not tests:
            return None
        conditions = [test for test in tests if test is not None]
        if len(conditions) < len(tests):
            return everything
        return conditions[0] if len(conditions) == 1 else lambda row: any(test(row) for test in conditions)
