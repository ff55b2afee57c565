"""This file is objects as JSON: nulls left out, lists that were not asked for empty, INCLUDE trees followed and counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from demo.icat.entities import Entity
from demo.icat.errors import Refusal, bad
from demo.icat.rights import Rights
from demo.icat.rows import Row
from demo.icat.syntax import Query

if TYPE_CHECKING:
    from demo.icat.store import Store


@dataclass
class Tree:
    """Which relations of an object are to be sent along, and what of those in turn."""

    entity: Entity
    branches: dict[str, Tree] = field(default_factory=dict)


def tree(store: Store, query: Query, variable: str | None, entity: Entity) -> Tree:
    """The INCLUDE clause of a query; `variable` names what is selected, None when that is no object."""
    root = Tree(entity)
    if query.include_one:
        for relation in entity.to_one.values():
            root.branches[relation.name] = Tree(store.schema[relation.target])
    named = {variable: root} if variable else {}
    for include in query.includes:
        node = named.get(include.variable)
        if node is None:
            raise bad(f"variable {include.variable} mentioned in INCLUDE clause is not defined")
        for step in include.steps:
            node = _branch(store, node, step)
        if include.alias:
            named[include.alias] = node
    return root


def _branch(store: Store, node: Tree, step: str) -> Tree:
    target = node.entity.target(step)
    if target is None:
        raise bad(f"Problem with INCLUDE clause: {step} is not a field of {node.entity.name}")
    if step in node.branches:
        raise bad(f"INCLUDE clause contains redundant path to {step}")
    node.branches[step] = Tree(store.schema[target])
    return node.branches[step]


class Rendering:
    """Turns objects into JSON for one caller and counts what it sends."""

    def __init__(self, store: Store, rights: Rights) -> None:
        self._store = store
        self._rights = rights
        self._text = store.rendered
        self.sent = 0
        self.included = 0

    def plain(self, row: Row) -> bytes:
        """`{"Dataset": {…}}` without anything included; kept with the row."""
        if row.json is None:
            row.json = orjson.dumps({row.entity.name: self._bare(row)})
        return row.json

    def with_tree(self, row: Row, branches: Tree) -> bytes:
        """`{"Dataset": {…}}` with the tree; Refusal VALIDATION when the reply has more objects than allowed."""
        return orjson.dumps({row.entity.name: self._full(row, branches)})

    def count(self) -> None:
        """One more object in the reply."""
        self.sent += 1
        if self.sent > self._store.max_entities:
            raise Refusal("VALIDATION", f"attempt to return more than {self._store.max_entities} entities")

    def _bare(self, row: Row) -> dict[str, Any]:
        entity, held = row.entity, row.__dict__
        found: dict[str, Any] = {}
        for name in entity.order:
            attribute = entity.attributes.get(name)
            if attribute is None:
                if name in entity.to_many:
                    found[name] = []
            elif (value := held[name]) is not None:
                found[name] = self._text[value] if attribute.kind == "time" else value
        return found

    def _full(self, row: Row, node: Tree) -> dict[str, Any]:
        self.count()
        found = self._bare(row)
        for name, branch in node.branches.items():
            may = self._rights.reading(branch.entity.name)
            if may is None:
                continue
            if name in row.entity.to_many:
                members = self._shuffled(self._store.children(row, name))
                found[name] = [self._included(member, branch) for member in members if may(member)]
            elif (other := getattr(row, name)) is not None and may(other):
                found[name] = self._included(other, branch)
        return {name: found[name] for name in row.entity.order if name in found} if node.branches else found

    def _included(self, row: Row, branch: Tree) -> dict[str, Any]:
        self.included += 1
        return self._full(row, branch)

    def _shuffled(self, rows: Iterable[Row]) -> list[Row]:
        # No fixed order [run]: stable within one run of the server, another one after a restart.
        salt = self._store.run * 0x9E3779B1
        return sorted(rows, key=lambda row: ((row.id ^ salt) * 0x85EBCA6B) & 0xFFFFFFFF)
