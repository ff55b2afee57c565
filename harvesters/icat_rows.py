"""This file is how ICAT's tables are read quickly: keyset pages of plain entities, and relations as columns.

Never INCLUDE: it costs a query a row (harvest-sources reference, 2.5). Each to-one path is asked for by itself and its rows are
counted against the plain ones, since a path to an entity that we may not read makes whole rows vanish.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import msgspec

from harvesters.bounds import RECORDS, ending
from harvesters.icat_session import IcatSession, TooMany
from harvesters.icat_tables import Child
from schema.errors import StopHarvest

AT_ONCE = 100
Line = list[Any]


class Span(msgspec.Struct, frozen=True):
    """Which parents: a range of ids (low exclusive, high included) or a list of at most 100."""

    low: int = 0
    high: int = 0
    ids: tuple[int, ...] = ()

    def condition(self, path: str) -> str:
        """The span as a condition on a path."""
        if self.ids:
            return f"{path} IN ({', '.join(str(id) for id in self.ids)})"
        return f"{path} > {self.low} AND {path} <= {self.high}"


def spans(ids: Iterable[int]) -> Iterator[Span]:
    """Spans that together name those ids, each short enough for a request line."""
    ordered = sorted(ids)
    for start in range(0, len(ordered), AT_ONCE):
        yield Span(ids=tuple(ordered[start : start + AT_ONCE]))


class Rows:
    """Reads of one session, with a page size that adapts to the server's limit."""

    def __init__(self, session: IcatSession, page: int) -> None:
        self._session = session
        self._page = page
        self._limits: dict[str, int] = {}
        self.vanished: dict[str, int] = {}

    def entities(
        self, entity: str, condition: str = "", after: int = 0, page: int | None = None
    ) -> Iterator[list[dict[str, Any]]]:
        """Pages of plain entities above an id, in the order of ids."""

        def ask(last: int, limit: int) -> str:
            return f"SELECT x FROM {entity} x WHERE {_also(condition)}x.id > {last} ORDER BY x.id LIMIT 0, {limit}"

        for rows in self._keyset(entity, ask, lambda row: int(row[entity]["id"]), after, page or self._page):
            yield [row[entity] for row in rows]

    def columns(self, entity: str, paths: Sequence[str], condition: str = "", after: int = 0) -> Iterator[list[Line]]:
        """Pages of rows [id, *paths]; at least one path."""
        wanted = ", ".join(["x.id", *(f"x.{path}" for path in paths)])

        def ask(last: int, limit: int) -> str:
            return (
                f"SELECT {wanted} FROM {entity} x WHERE {_also(condition)}x.id > {last} ORDER BY x.id LIMIT 0, {limit}"
            )

        yield from self._keyset(f"{entity}({wanted})", ask, lambda row: int(row[0]), after, RECORDS)

    def may_read(self, entity: str) -> bool:
        """Whether there is a rule at all by which we may read the table (without one, MAX gives no row; an empty table gives null)."""
        return bool(self._session.query(f"SELECT MAX(x.id) FROM {entity} x"))

    def link(self, entity: str, path: str, span: Span) -> dict[int, int]:
        """The id at the end of a to-one path of each row in the span, where there is one that we may read."""
        pages = self.columns(entity, [f"{path}.id"], span.condition("x.id"))
        return {int(row[0]): int(row[1]) for page in pages for row in page if row[1] is not None}

    def children(self, child: Child, span: Span, columns: Sequence[str]) -> dict[int, list[dict[str, Any]]]:
        """The rows of a child table by parent: id, modTime, the columns, and each link as `{link: id}`."""
        condition = span.condition(f"x.{child.parent}.id")
        found: dict[int, dict[str, Any]] = {}
        parents: dict[int, list[dict[str, Any]]] = {}
        for page in self.columns(child.entity, [f"{child.parent}.id", "modTime", *columns], condition):
            for id, parent, modified, *values in page:
                row = {
                    "id": id,
                    "modTime": modified,
                    **{name: each for name, each in zip(columns, values, strict=True) if each is not None},
                }
                found[id] = row
                parents.setdefault(int(parent), []).append(row)
        for path, _ in child.links:
            told = 0
            for page in self.columns(child.entity, [f"{path}.id"], condition) if found else ():
                for id, linked in page:
                    if id in found:
                        found[id][path] = linked
                        told += 1
            self.note(child.entity, path, len(found) - told)
        return parents

    def note(self, entity: str, path: str, missing: int) -> None:
        """Remember that so many rows lead to something that we may not read."""
        if missing > 0:
            name = f"{entity}.{path}"
            self.vanished[name] = self.vanished.get(name, 0) + missing

    def _keyset(
        self, name: str, ask: Callable[[int, int], str], id_of: Callable[[Any], int], after: int, most: int
    ) -> Iterator[list[Any]]:
        """Pages until one comes short; the size halves at the server's refusal and grows slowly again. Raises StopHarvest for a table
        that does not end or is not in order."""
        return ending(self._pages(name, ask, id_of, after, most), f"The table {name}")

    def _pages(
        self, name: str, ask: Callable[[int, int], str], id_of: Callable[[Any], int], after: int, most: int
    ) -> Iterator[list[Any]]:
        most = min(most, self._session.max_entities)
        while True:
            limit = min(most, self._limits.get(name, most))
            try:
                rows = self._session.query(ask(after, limit))
            except TooMany:
                if limit == 1:
                    raise
                self._limits[name] = max(1, limit // 2)
                continue
            if rows:
                after = _risen(name, after, map(id_of, rows))
                yield rows
            if len(rows) < limit:
                return
            self._limits[name] = min(most, limit + max(1, limit // 8))


def _also(condition: str) -> str:
    return f"{condition} AND " if condition else ""


def _risen(name: str, after: int, ids: Iterable[int]) -> int:
    """The last of ids that rise from `after` on. Raises StopHarvest where they do not: what the order skips would be lost."""
    for id in ids:
        if id <= after:
            raise StopHarvest("no-order", f"The table {name} is not sent in the order of its ids; it cannot be walked.")
        after = id
    return after
