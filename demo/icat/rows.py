"""This file is the tables of the imitated database: rows by id, children by parent, both in order for quick pages."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator
from typing import Any

from demo.icat.entities import Entity


class Row:
    """One object: every attribute and to-one relation of its entity is a Python attribute (None where it is null)."""

    def __init__(self, entity: Entity, row_id: int) -> None:
        self.entity = entity
        self.id = row_id
        self.json: bytes | None = None  # the plain reply, until something changes

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)  # there for the type checker: attributes come from the schema

    @property
    def place(self) -> str:
        """`Dataset:3`, as the server writes it in messages."""
        return f"{self.entity.name}:{self.id}"


class Children:
    """Rows by the id of the object one to-one relation leads to."""

    def __init__(self) -> None:
        self._by_parent: dict[int, dict[int, Row]] = {}
        self._parents: list[int] = []
        self._sorted = True

    def add(self, parent: int, row: Row) -> None:
        """Put a row under its parent."""
        held = self._by_parent.get(parent)
        if held is None:
            held = self._by_parent[parent] = {}
            self._sorted = self._sorted and (not self._parents or self._parents[-1] < parent)
            self._parents.append(parent)
        held[row.id] = row

    def discard(self, parent: int, row: Row) -> None:
        """Take a row away from its parent."""
        self._by_parent.get(parent, {}).pop(row.id, None)

    def of(self, parent: int) -> Iterable[Row]:
        """The rows under one parent, in no promised order."""
        held = self._by_parent.get(parent)
        return held.values() if held else ()

    def between(self, low: int, high: int) -> Iterator[Row]:
        """The rows whose parent's id is in `low..high` (both included)."""
        if not self._sorted:
            self._parents.sort()
            self._sorted = True
        first, last = bisect.bisect_left(self._parents, low), bisect.bisect_right(self._parents, high)
        for parent in self._parents[first:last]:
            yield from self._by_parent[parent].values()


class Table:
    """The visible rows of one entity."""

    def __init__(self, entity: Entity) -> None:
        self.entity = entity
        self.rows: dict[int, Row] = {}
        self.ids: list[int] = []
        self.children = {name: Children() for name in entity.to_one}
        self.keys: dict[tuple[Any, ...], int] = {}
        self.next_id = 1

    def __len__(self) -> int:
        return len(self.ids)

    def take_id(self) -> int:
        """The next id; ids are never used again."""
        self.next_id += 1
        return self.next_id - 1

    def key(self, row: Row) -> tuple[Any, ...] | None:
        """What must be unique of a row, None where the entity has no such rule."""
        names = self.entity.unique
        return tuple(getattr(row, name) for name in names) if names else None

    def show(self, row: Row) -> None:
        """Make a row visible (its transaction is committed)."""
        if self.ids and row.id < self.ids[-1]:
            bisect.insort(self.ids, row.id)
        else:
            self.ids.append(row.id)
        self.rows[row.id] = row
        self.link(row)

    def hide(self, row: Row) -> None:
        """Take a row out of the table."""
        self.unlink(row)
        del self.rows[row.id]
        del self.ids[bisect.bisect_left(self.ids, row.id)]

    def link(self, row: Row) -> None:
        """Enter a row in the indexes by parent and by unique key."""
        for name, children in self.children.items():
            parent = getattr(row, name)
            if parent is not None:
                children.add(parent.id, row)
        key = self.key(row)
        if key is not None:
            self.keys[key] = row.id

    def unlink(self, row: Row) -> None:
        """Take a row out of the indexes, before it changes or goes."""
        for name, children in self.children.items():
            parent = getattr(row, name)
            if parent is not None:
                children.discard(parent.id, row)
        key = self.key(row)
        if key is not None:
            self.keys.pop(key, None)

    def between(self, low: int, high: int) -> Iterator[Row]:
        """The rows with ids in `low..high` (both included), by id."""
        first, last = bisect.bisect_left(self.ids, low), bisect.bisect_right(self.ids, high)
        rows = self.rows
        return (rows[row_id] for row_id in self.ids[first:last])

    def all(self) -> Iterator[Row]:
        """Every row, by id."""
        rows = self.rows
        return (rows[row_id] for row_id in self.ids)
