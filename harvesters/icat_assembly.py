"""This file is how plain rows become what the crosswalk reads: entities nested as INCLUDE would nest them, with a revision.

The revision is a digest of everything nested (row, children, and the content of what they point to), so that an id sweep sees
what modTime does not tell: a deleted child, a renamed type, a changed group (harvest-sources reference, 2.5).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from harvesters.icat_rows import Rows, Span, spans
from harvesters.icat_session import Version
from harvesters.icat_tables import AFFILIATION, CONTENTS, PUBLICATION, SHARED, Child, Root

_STAMPS = ("id", "createId", "createTime", "modId", "modTime")
Entity = dict[str, Any]


class Shared:
    """The small tables, read once: `entity` by table and id, and a digest of its content without its stamps."""

    def __init__(self, rows: Rows, version: Version) -> None:
        self._tables: dict[str, dict[int, Entity]] = {}
        self._digests: dict[tuple[str, int], str] = {}
        for name, since in SHARED:
            if version >= since:
                self._tables[name] = {int(row["id"]): _plain(row) for page in rows.entities(name) for row in page}

    def table(self, name: str) -> Mapping[int, Entity]:
        """A whole small table."""
        return self._tables.get(name, {})

    def get(self, name: str, id: int | None) -> Entity | None:
        """An entity of a small table, as far as we may read it."""
        return self._tables.get(name, {}).get(id) if id is not None else None

    def digest(self, name: str, id: int) -> str:
        """What the entity says, stamps left out: REST moves their modTime whenever somebody refers to them."""
        key = (name, id)
        if key not in self._digests:
            row = {key: value for key, value in (self.get(name, id) or {}).items() if key not in _STAMPS[1:]}
            self._digests[key] = _digest(row)
        return self._digests[key]


def _plain(row: Entity) -> Entity:
    """An entity without its (never included, always empty) lists."""
    return {key: value for key, value in row.items() if not isinstance(value, list)}


def _digest(value: object) -> str:
    return hashlib.sha256(orjson.dumps(value, option=orjson.OPT_SORT_KEYS)).hexdigest()[:24]


class Assembly:
    """Nests the rows of one root table."""

    def __init__(self, root: Root, rows: Rows, shared: Shared, version: Version) -> None:
        self.root = root
        self._rows = rows
        self._shared = shared
        self._children = tuple(child for child in root.children if version >= child.since)

    def nested(self, entities: Iterable[Entity], span: Span, extra: Mapping[int, object] | None = None) -> list[Entity]:
        """The entities with to-one and to-many relations filled in and their revision; `extra` is what else their revision depends on."""
        made = {int(row["id"]): _plain(row) for row in entities}
        marks = self._gathered(made, span, values=True)
        for id, row in made.items():
            row["revision"] = _digest([row.get("modTime"), marks[id], (extra or {}).get(id)])
        return list(made.values())

    def revisions(self, modified: Mapping[int, str], span: Span, extra: Mapping[int, object]) -> dict[int, str]:
        """The same revisions, read without the values."""
        made: dict[int, Entity] = {id: {"id": id} for id in modified}
        marks = self._gathered(made, span, values=False)
        return {id: _digest([stamp, marks[id], extra.get(id)]) for id, stamp in modified.items()}

    def _gathered(self, made: dict[int, Entity], span: Span, *, values: bool) -> dict[int, list[object]]:
        """Relations filled in, with or without their values; what the revisions are made of."""
        marks = self._linked(made, span)
        for child in self._children:
            for parent, found in self._rows.children(child, span, child.columns if values else ()).items():
                if parent in made:
                    made[parent][child.relation] = [self._filled(child, row) for row in found] if values else found
                    marks[parent].extend(self._marks(child, found))
        if self.root is PUBLICATION:
            self._contents(made, marks)
            self._affiliations(made, marks)
        return marks

    def _linked(self, made: dict[int, Entity], span: Span) -> dict[int, list[object]]:
        marks: dict[int, list[object]] = {id: [] for id in made}
        for path, table in self.root.links:
            found = self._rows.link(self.root.entity, path, span)
            if path in self.root.needed:
                self._rows.note(self.root.entity, path, len(made.keys() - found.keys()))
            for id, linked in found.items():
                if id not in made:
                    continue
                made[id][path] = {"id": linked} if table is None else self._shared.get(table, linked) or {"id": linked}
                marks[id].append([path, linked, self._shared.digest(table, linked) if table else None])
        return marks

    def _filled(self, child: Child, row: Entity) -> Entity:
        named = {path: self._shared.get(table, row.get(path)) for path, table in child.links}
        return {**row, **{path: entity for path, entity in named.items() if entity is not None}}

    def _marks(self, child: Child, found: list[Entity]) -> list[object]:
        return [
            [
                child.relation,
                row["id"],
                row["modTime"],
                [
                    self._shared.digest(table, row[path])
                    for path, table in child.links
                    if isinstance(row.get(path), int)
                ],
            ]
            for row in found
        ]

    def _contents(self, made: dict[int, Entity], marks: dict[int, list[object]]) -> None:
        """What lies in the collection of a DataPublication. Several publications may share one."""
        holders: dict[int, list[int]] = {}
        for id, row in made.items():
            if "content" in row:
                holders.setdefault(int(row["content"]["id"]), []).append(id)
        for some in spans(holders):
            for child in CONTENTS:
                ((path, _),) = child.links
                for content, members in self._rows.children(child, some, ()).items():
                    for id in holders[content]:
                        made[id]["content"][child.relation] = [{path: {"id": r[path]}} for r in members if path in r]
                        marks[id].extend([path, row["id"], row.get(path)] for row in members)

    def _affiliations(self, made: dict[int, Entity], marks: dict[int, list[object]]) -> None:
        """Where the people of a DataPublication work."""
        users = {int(user["id"]): (id, user) for id, row in made.items() for user in row.get("users", ())}
        for some in spans(users):
            for user, places in self._rows.children(AFFILIATION, some, AFFILIATION.columns).items():
                id, row = users[user]
                row["affiliations"] = places
                marks[id].append([user, [[place["id"], place["modTime"]] for place in places]])
