"""This file is the truth as it is read: records by name, documents by pid, changes by number; and the work that time brings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, func, or_, select, update

from catalogue import changes, links
from catalogue.assembly import (
    CHUNK,
    COLUMNS,
    Assembled,
    Kept,
    Key,
    Live,
    Order,
    by_kind,
    chunks,
    grouped,
    put_together,
    turn,
)
from catalogue.changes import CHANGES, PUBLIC, Numbers
from catalogue.database import Database
from catalogue.links import Move
from catalogue.numbering import number
from catalogue.ports import Entry
from catalogue.tables import documents, records
from schema.records import AnyRecord, Document, Kind, decode


class Records:
    """The Truth in SQL. `order` must be the harvest ledger's."""

    def __init__(self, database: Database, order: Order) -> None:
        self._database = database
        self._order = order

    def record(self, source: str, kind: Kind, id: str) -> AnyRecord | None:
        """The live record kept under that name."""
        own = (records.c.source == source, records.c.kind == kind.value, records.c.id == id)
        with self._database.read() as connection:
            row = connection.execute(select(records.c.data).where(*own, records.c.deleted.is_(False))).first()
        return None if row is None else decode(row.data)

    def head(self) -> int:
        """The newest change number (0: none yet)."""
        with self._database.read() as connection:
            return changes.head(connection, CHANGES)

    def public_head(self) -> int:
        """The newest number of the public sequence."""
        with self._database.read() as connection:
            return changes.head(connection, PUBLIC)

    def news(self, after: int, limit: int) -> list[Entry]:
        """What changed above `after`, in order: a pid that changed again appears at its newest number only."""
        with self._database.read() as connection:
            return _news(connection, after, limit, self._order)

    def public_changed(self, after: int, limit: int) -> list[tuple[int, Kind, str, bool]]:
        """(public number, kind, pid, whether it is public still) above `after` in order, each pid at its newest public number."""
        query = (
            select(documents.c.public_number, documents.c.kind, documents.c.pid, documents.c.public)
            .where(documents.c.public_number > after)
            .order_by(documents.c.public_number)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [(row.public_number, Kind(row.kind), row.pid, row.public) for row in connection.execute(query)]

    def documents(self, kind: Kind, pids: Sequence[str]) -> dict[str, Document]:
        """The joined, canonical documents of the pids that live; a missing key means: gone."""
        with self._database.read() as connection:
            found = _entries(connection, [(kind, pid) for pid in pids], self._order)
        return {pid: entry.make() for (_, pid), entry in found.items() if entry.make is not None}

    def walk(self, kind: Kind | None = None) -> Iterator[Document]:
        """Every live document, by kind and pid, a few hundred at a time; each few as they are when their turn comes."""
        return (entry.make() for entry in self.entries(kind) if entry.make is not None)

    def entries(self, kind: Kind | None = None) -> Iterator[Entry]:
        """The same, as an index is told of them."""
        last: Key | None = None
        while True:
            with self._database.read() as connection:
                keys = _keys_after(connection, kind, last)
                found = _entries(connection, keys, self._order)
            yield from (found[key] for key in keys if key in found)
            if len(keys) < CHUNK:
                return
            last = keys[-1]

    def count(self) -> int:
        """How many live canonical records there are."""
        with self._database.read() as connection:
            return int(connection.execute(select(func.count()).where(documents.c.live.is_(True))).scalar_one())

    def ripen(self, limit: int = 500) -> int:
        """Do one transaction of owed work: embargoes that have ended, touches that are owed. How many were done (0: none are left)."""
        now = self._database.clock()
        with self._database.read() as connection:
            if not (links.owes(connection) or connection.execute(_ripe(now, 1)).first()):
                return 0
        with self._database.write("ripen") as connection:
            numbers = Numbers(connection, CHANGES, PUBLIC)
            moves = _turned(connection, now, limit)
            moved = [key for move in moves for key in move.documents()]
            touched = links.touched(connection, moves) if moves else []
            owed = [] if moves else links.work_off(connection, limit)
            number(connection, numbers, moved, [*touched, *owed], now, self._order)
            numbers.keep()
            return max(len(moves) + len(owed), 1)

    def realign(self) -> int:
        """Look again at every pid that several records bring, after the federation's order of sources may have changed. How many
        documents show something else now."""
        now = self._database.clock()
        shared = (
            select(records.c.kind, records.c.pid)
            .where(records.c.deleted.is_(False))
            .group_by(records.c.kind, records.c.pid)
            .having(func.count() > 1)
        )
        with self._database.read() as connection:
            keys = iter([(Kind(row.kind), row.pid) for row in connection.execute(shared)])
        done = 0
        while some := list(islice(keys, CHUNK)):
            with self._database.write("realign") as connection:
                numbers = Numbers(connection, CHANGES, PUBLIC)
                done += number(connection, numbers, [], some, now, self._order)
                numbers.keep()
        return done


_KINDS = {kind.value: kind for kind in Kind}
_NUMBERS = (documents.c.change, documents.c.public, documents.c.public_number, documents.c.public_time)


def _news(connection: Connection, after: int, limit: int, order: Order) -> list[Entry]:
    """Numbers and records come in one statement: most of a projection's own time was reading."""
    above = select(documents.c.kind, documents.c.pid, *_NUMBERS).where(documents.c.change > after)
    some = above.order_by(documents.c.change).limit(limit).subquery()
    its = and_(records.c.kind == some.c.kind, records.c.pid == some.c.pid, records.c.deleted.is_(False))
    query = select(*some.c, *COLUMNS).select_from(some.outerjoin(records, its)).order_by(some.c.change)
    kept: dict[Key, list[Live]] = {}
    numbers: dict[Key, _Numbered] = {}
    for kind, pid, *told, data, public, due, harvested in connection.execute(query).all():
        key = (_KINDS[kind], pid)
        numbers[key] = _Numbered(*told)
        if data is not None:
            kept.setdefault(key, []).append(Live(data, public, due, harvested))
    made = put_together(connection, kept, order)
    return [each.entry(key, made if key in kept else None) for key, each in numbers.items()]


def _entries(connection: Connection, keys: Sequence[Key], order: Order) -> dict[Key, Entry]:
    """Of those that live."""
    numbers = {
        (kind, pid): _Numbered(*told)
        for kind, pids in by_kind(keys).items()
        for chunk in chunks(pids)
        for pid, *told in connection.execute(
            select(documents.c.pid, *_NUMBERS).where(documents.c.kind == kind.value, documents.c.pid.in_(chunk))
        ).all()
    }
    found = grouped(connection, keys)
    made = put_together(connection, found, order)
    return {key: numbers[key].entry(key, made) for key in found}


class _Numbered(NamedTuple):
    """The numbers of a document, as `_NUMBERS`."""

    change: int
    public: bool
    number: int | None
    time: datetime | None

    def entry(self, key: Key, made: Callable[[Key], Assembled] | None) -> Entry:
        """What an index is told of it; without `made` it is gone."""
        if made is None:
            return Entry(*key, self.change, None, public=False)
        shown = self.public and self.number is not None
        return Entry(*key, self.change, lambda: self.document(made(key)), public=shown)

    def document(self, made: Assembled) -> Document:
        """With them: the public ones are of a public document only."""
        shown = (self.number, self.time) if self.public else (None, None)
        return Document(made.record, made.provenance, self.change, *shown)


def _keys_after(connection: Connection, kind: Kind | None, last: Key | None) -> list[Key]:
    query = select(documents.c.kind, documents.c.pid).where(documents.c.live.is_(True))
    if kind is not None:
        query = query.where(documents.c.kind == kind.value)
    if last is not None:
        later = and_(documents.c.kind == last[0].value, documents.c.pid > last[1])
        query = query.where(or_(documents.c.kind > last[0].value, later))
    rows = connection.execute(query.order_by(documents.c.kind, documents.c.pid).limit(CHUNK))
    return [(Kind(row.kind), row.pid) for row in rows]


def _ripe(now: datetime, limit: int) -> Any:
    """The live records whose turn has come."""
    columns = (records.c.source, records.c.kind, records.c.id, records.c.data, records.c.public, records.c.harvested)
    return (
        select(*columns).where(records.c.due <= now, records.c.deleted.is_(False)).order_by(records.c.due).limit(limit)
    )


def _turned(connection: Connection, now: datetime, limit: int) -> list[Move]:
    """Do what the time has brought: records become public, data are released."""
    moves: list[Move] = []
    for row in connection.execute(_ripe(now, limit)).all():
        record, name = decode(row.data), (Kind(row.kind), row.id)
        public, due = row.public or record.visibility.is_public(now), turn(record, now)
        before, after = (Kept(record, shown, row.harvested) for shown in (row.public, public))
        moves.append(Move(row.source, name, before, after))
        own = (records.c.source == row.source, records.c.kind == row.kind, records.c.id == row.id)
        connection.execute(update(records).where(*own).values(public=public, due=due))
    return moves
