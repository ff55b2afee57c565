"""This file is a long write transaction: what it makes has ids and times at once and is seen only after the commit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from demo.icat.errors import Refusal

if TYPE_CHECKING:
    from demo.icat.rows import Row
    from demo.icat.store import Store


class Transaction:
    """Rows under way. They may refer to each other; nobody else sees them before the commit."""

    def __init__(self, store: Store, user: str) -> None:
        self._store = store
        self._user = user
        self._rows: list[Row] = []

    def create(self, entity: str, **attributes: Any) -> int:
        """A new object, invisible still; its id and times are those of this moment."""
        store = self._store
        with store.lock:
            own = {(row.entity.name, row.id): row for row in self._rows}
            relations = store.table(entity).entity.to_one
            links = {n: own.get((r.target, attributes[n])) for n, r in relations.items() if n in attributes}
            inside = {name: row for name, row in links.items() if row is not None}
            row = store.build(entity, self._user, attributes, inside)
            self._rows.append(row)
            return row.id

    def commit(self) -> None:
        """Show everything; what it refers to moves with the times given at the beginning. Refusal: nothing is shown."""
        with self._store.lock:
            shown: list[Row] = []
            try:
                for row in self._rows:
                    self._store.insert(row, self._user)
                    shown.append(row)
            except Refusal:
                for row in reversed(shown):
                    self._store.tables[row.entity.name].hide(row)
                raise
            finally:
                self._rows.clear()

    def roll_back(self) -> None:
        """Forget everything; the ids stay used."""
        self._rows.clear()
