"""This file is who names whom: links kept with each record, and the touches that a changed record owes to those that show it.

Few touches are done in the transaction that causes them; many become `owed_touches`, worked off in later transactions before the
projector passes (Truth.ripen).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, insert, or_, select, update

from catalogue.assembly import Kept, Key, Name, by_kind, chunks
from catalogue.tables import links, owed_touches, records
from schema.documents import offered, references
from schema.records import Kind

AT_ONCE = 500
"""How many records are touched in the transaction that causes it."""


@dataclass(frozen=True, slots=True)
class Move:
    """What one transaction did to one record: as it was, as it is (None: not live)."""

    source: str
    name: Key
    before: Kept | None
    after: Kept | None

    def documents(self) -> list[Key]:
        """The (kind, pid) of the documents the record was and is in."""
        return [(self.name[0], kept.record.pid) for kept in (self.before, self.after) if kept is not None]


def rewrite(connection: Connection, moves: Sequence[Move]) -> None:
    """Keep the links as the moved records name others now."""
    stale: list[dict[str, str]] = []
    fresh: list[dict[str, str]] = []
    for move in moves:
        before, after = (_named(kept) for kept in (move.before, move.after))
        row = {"source": move.source, "kind": move.name[0].value, "id": move.name[1]}
        stale += [row | {"to_kind": kind.value, "to_id": id} for kind, id in before if (kind, id) not in after]
        fresh += [row | {"to_kind": kind.value, "to_id": id} for kind, id in after if (kind, id) not in before]
    if stale:
        same = and_(*(column == bindparam(f"old_{column.name}") for column in links.c))
        connection.execute(delete(links).where(same), [{f"old_{key}": row[key] for key in row} for row in stale])
    if fresh:
        connection.execute(insert(links), fresh)


def touched(connection: Connection, moves: Sequence[Move]) -> list[Key]:
    """The (kind, pid) of documents that show something of the moved records and must be looked at now; what is too much for now
    is written down as owed."""
    found: list[Key] = []
    for source in dict.fromkeys(move.source for move in moves):
        own = [move for move in moves if move.source == source]
        shown = list(dict.fromkeys(name for move in own for name in _shown(move)))
        held = list(dict.fromkeys(name for move in own for name in _held(move)))
        names = [*held, *_dependents(connection, source, shown, AT_ONCE + 1)]
        if len(names) > AT_ONCE:
            _owe(connection, source, shown, whole=True)
            _owe(connection, source, held, whole=False)
        else:
            found += documents_of(connection, source, names)
    return found


def work_off(connection: Connection, limit: int) -> list[Key]:
    """Take up to `limit` owed touches off the list: the (kind, pid) to look at. Empty: nothing is owed (or nobody is left to touch)."""
    names: list[Name] = []
    for row in connection.execute(select(owed_touches).order_by(owed_touches.c.id).limit(limit)):
        room = limit - len(names)
        if room <= 0:
            break
        found = _after(connection, row, room) if row.whole else [(Kind(row.kind), row.record)]
        names += ((row.source, kind, id) for kind, id in found)
        own = owed_touches.c.id == row.id
        if row.whole and len(found) == room:
            kind, id = found[-1]
            connection.execute(update(owed_touches).where(own).values(after_kind=kind.value, after_id=id))
        else:
            connection.execute(delete(owed_touches).where(own))
    sources = dict.fromkeys(source for source, _, _ in names)
    return [
        key
        for source in sources
        for key in documents_of(connection, source, [(kind, id) for of, kind, id in names if of == source])
    ]


def owes(connection: Connection) -> bool:
    """Whether any touch is owed."""
    return connection.execute(select(owed_touches.c.id).limit(1)).first() is not None


def documents_of(connection: Connection, source: str, names: Iterable[Key]) -> list[Key]:
    """The (kind, pid) of a source's live records."""
    return [
        (kind, pid)
        for kind, ids in by_kind(names).items()
        for chunk in chunks(ids)
        for pid in connection.execute(
            select(records.c.pid).where(
                records.c.source == source,
                records.c.kind == kind.value,
                records.c.id.in_(chunk),
                records.c.deleted.is_(False),
            )
        ).scalars()
    ]


_SHOWN = (Kind.INVESTIGATION, Kind.INSTRUMENT, Kind.SAMPLE)
"""Kinds of which something is shown by whoever names them. (A publication is shown by whom it names.)"""


def _named(kept: Kept | None) -> frozenset[Key]:
    return frozenset(references(kept.record)) if kept is not None else frozenset()


def _shown(move: Move) -> Iterable[Key]:
    """What a moved record is named by, if others show something else of it now: its id; an instrument also the names it had and has."""
    if move.name[0] not in _SHOWN or _showing(move.before) == _showing(move.after):
        return ()
    called = _named(move.before) | _named(move.after) if move.name[0] is Kind.INSTRUMENT else ()
    return (move.name, *sorted(called))


def _showing(kept: Kept | None) -> tuple[object, ...] | None:
    """What of a record others may show, and to whom."""
    return None if kept is None else (offered(kept.record), kept.public, kept.record.visibility.groups)


def _held(move: Move) -> Iterable[Key]:
    """The datasets to which a publication adds something else than before."""
    if move.name[0] is not Kind.PUBLICATION:
        return ()
    before, after = _named(move.before), _named(move.after)
    changed = before | after if _showing(move.before) != _showing(move.after) else before ^ after
    return sorted(changed)


def _dependents(connection: Connection, source: str, names: Sequence[Key], limit: int) -> list[Key]:
    found: dict[Key, None] = {}
    for kind, ids in by_kind(names).items():
        for chunk in chunks(ids):
            query = select(links.c.kind, links.c.id).where(
                links.c.source == source, links.c.to_kind == kind.value, links.c.to_id.in_(chunk)
            )
            found |= {(Kind(of), id): None for of, id in connection.execute(query.limit(limit))}
            if len(found) >= limit:
                return list(found)
    return list(found)


def _owe(connection: Connection, source: str, names: Sequence[Key], *, whole: bool) -> None:
    """Write touches down, from the beginning (what was left of an older touch of the same record is part of it)."""
    if not names:
        return
    same = and_(
        owed_touches.c.source == source,
        owed_touches.c.kind == bindparam("of"),
        owed_touches.c.record == bindparam("named"),
        owed_touches.c.whole == whole,
    )
    connection.execute(delete(owed_touches).where(same), [{"of": kind.value, "named": id} for kind, id in names])
    rows = [
        {"source": source, "kind": kind.value, "record": id, "whole": whole, "after_kind": "", "after_id": ""}
        for kind, id in names
    ]
    connection.execute(insert(owed_touches), rows)


def _after(connection: Connection, row: Any, limit: int) -> list[Key]:
    """The next of those that name the record of an owed touch."""
    place = or_(
        links.c.kind > row.after_kind,
        and_(links.c.kind == row.after_kind, links.c.id > row.after_id),
    )
    query = (
        select(links.c.kind, links.c.id)
        .where(links.c.source == row.source, links.c.to_kind == row.kind, links.c.to_id == row.record, place)
        .order_by(links.c.kind, links.c.id)
        .limit(limit)
    )
    return [(Kind(kind), id) for kind, id in connection.execute(query)]
