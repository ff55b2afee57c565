"""This file is how records enter and leave the truth: compared by content, a pid owned by one facility, numbered at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Connection, and_, bindparam, insert, select, update

from catalogue import links
from catalogue.assembly import Kept, Key, Order, by_kind, chunks, digest, live, turn
from catalogue.changes import CHANGES, PUBLIC, Numbers
from catalogue.links import Move
from catalogue.numbering import number
from catalogue.tables import documents, records
from schema.records import AnyRecord, Kind, Reject, encode


@dataclass(frozen=True, slots=True)
class Rules:
    """What the federation says of names: each facility's order of sources, and the DOI or handle prefixes it may use (a facility
    without any is not checked)."""

    order: Order
    prefixes: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def foreign(self, record: AnyRecord) -> bool:
        """Whether the pid belongs to somebody else's prefix."""
        own = self.prefixes.get(record.facility)
        pid = record.pid.casefold()
        if not own or pid.startswith(f"{record.facility}/"):
            return False
        return not any(pid.startswith(f"{prefix.casefold().rstrip('/')}/") for prefix in own)


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a page's records."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rejects: tuple[Reject, ...] = ()


class Intake:
    """One transaction's work on the records of one source; `finish` numbers what it did."""

    def __init__(self, connection: Connection, rules: Rules, now: datetime, source: str, harvest: int) -> None:
        self._connection = connection
        self._rules = rules
        self._now = now
        self._source = source
        self._harvest = harvest
        self._numbers = Numbers(connection, CHANGES, PUBLIC)
        self._moves: dict[Key, Move] = {}
        self._written: dict[bytes, AnyRecord] = {}

    def upsert(self, incoming: Sequence[AnyRecord]) -> Taken:
        """Take records in (of one name the last). Equal content is only seen; a foreign or owned pid is refused."""
        latest = {(record.kind, record.id): record for record in incoming}
        known = self._known(latest)
        packed = {name: encode(record) for name, record in latest.items()}
        hashes = {name: _content(record, packed[name]) for name, record in latest.items()}
        same = {name for name, row in known.items() if not row.deleted and row.hash == hashes[name]}
        refused = self._refused([record for name, record in latest.items() if name not in same])
        before = self._live(name for name in known if name not in same)
        fresh: list[dict[str, Any]] = []
        changed: list[dict[str, Any]] = []
        for name, record in latest.items():
            if name in same or name in refused:
                continue
            kept = Kept(record, record.visibility.is_public(self._now), self._now)
            row = self._row(kept, packed[name], hashes[name])
            (changed if name in known else fresh).append(row)
            self._move(name, before.get(name), kept)
            self._written[packed[name]] = record
        self.seen(same)
        self._revise([latest[name] for name in same if known[name].revision != latest[name].revision])
        self._write(fresh, changed)
        return Taken(len(fresh), len(changed), len(same), tuple(refused.values()))

    def seen(self, names: Iterable[Key]) -> None:
        """Note that this harvest met live records."""
        for kind, ids in by_kind(names).items():
            for chunk in chunks(ids):
                own = (records.c.source == self._source, records.c.kind == kind.value, records.c.id.in_(chunk))
                self._connection.execute(
                    update(records).where(*own, records.c.deleted.is_(False)).values(harvest=self._harvest)
                )

    def remove(self, names: Iterable[Key]) -> int:
        """Leave tombstones of live records; how many there were."""
        gone = self._live(names)
        if not gone:
            return 0
        values = {"data": None, "hash": None, "deleted": True, "public": False, "due": None, "harvested": self._now}
        rows = [{"of": kind.value, "named": id, **values} for kind, id in gone]
        self._connection.execute(update(records).where(self._own()), rows)
        for name, kept in gone.items():
            self._move(name, kept, None)
        return len(gone)

    def finish(self) -> None:
        """Links, touches and numbers of all that moved; the counters last."""
        moves = list(self._moves.values())
        links.rewrite(self._connection, moves)
        touched = links.touched(self._connection, moves)
        moved = [key for move in moves for key in move.documents()]
        number(self._connection, self._numbers, moved, touched, self._now, self._rules.order, self._written)
        self._numbers.keep()

    def _known(self, names: Iterable[Key]) -> dict[Key, Any]:
        columns = (records.c.id, records.c.hash, records.c.revision, records.c.deleted)
        return {
            (kind, row.id): row
            for kind, ids in by_kind(names).items()
            for chunk in chunks(ids)
            for row in self._connection.execute(
                select(*columns).where(
                    records.c.source == self._source, records.c.kind == kind.value, records.c.id.in_(chunk)
                )
            )
        }

    def _live(self, names: Iterable[Key]) -> dict[Key, Kept]:
        return {(kept.record.kind, kept.record.id): kept for kept in live(self._connection, self._source, names)}

    def _refused(self, incoming: Sequence[AnyRecord]) -> dict[Key, Reject]:
        """Rejects of records whose pid is not theirs to use."""
        owners = self._owners(incoming)
        refused: dict[Key, Reject] = {}
        for record in incoming:
            name = (record.kind, record.id)
            owner = owners.get((record.kind, record.pid), record.facility)
            if self._rules.foreign(record):
                message = f"{record.pid} has a prefix that is not among those of {record.facility}."
                refused[name] = _reject(record, "foreign-prefix", message)
            elif owner != record.facility:
                refused[name] = _reject(record, "pid-owned", f"{record.pid} is {owner}'s: first come, first kept.")
        return refused

    def _owners(self, incoming: Sequence[AnyRecord]) -> dict[Key, str]:
        keys = [(record.kind, record.pid) for record in incoming]
        return {
            (kind, pid): facility
            for kind, pids in by_kind(keys).items()
            for chunk in chunks(pids)
            for pid, facility in self._connection.execute(
                select(documents.c.pid, documents.c.facility).where(
                    documents.c.kind == kind.value, documents.c.pid.in_(chunk)
                )
            )
        }

    def _move(self, name: Key, before: Kept | None, after: Kept | None) -> None:
        """Note what became of a record; twice in one transaction is one move."""
        earlier = self._moves.get(name)
        self._moves[name] = Move(self._source, name, earlier.before if earlier else before, after)

    def _row(self, kept: Kept, data: bytes, hash: bytes) -> dict[str, Any]:
        record = kept.record
        return {
            "of": record.kind.value,
            "named": record.id,
            "pid": record.pid,
            "facility": record.facility,
            "data": data,
            "hash": hash,
            "revision": record.revision,
            "deleted": False,
            "public": kept.public,
            "due": turn(record, self._now),
            "harvest": self._harvest,
            "harvested": self._now,
        }

    def _revise(self, revised: Sequence[AnyRecord]) -> None:
        """Keep another revision of equal content: no change."""
        rows = [
            {"of": each.kind.value, "named": each.id, "revision": each.revision, "data": encode(each)}
            for each in revised
        ]
        if rows:
            self._connection.execute(update(records).where(self._own()), rows)

    def _write(self, fresh: list[dict[str, Any]], changed: list[dict[str, Any]]) -> None:
        if fresh:
            rows = [{"source": self._source, "kind": row.pop("of"), "id": row.pop("named"), **row} for row in fresh]
            self._connection.execute(insert(records), rows)
        if changed:
            self._connection.execute(update(records).where(self._own()), changed)

    def _own(self) -> Any:
        return and_(
            records.c.source == self._source,
            records.c.kind == bindparam("of"),
            records.c.id == bindparam("named"),
        )


def _content(record: AnyRecord, packed: bytes) -> bytes:
    """The digest of what a record says, whatever the source's token of its state."""
    return digest(packed if record.revision is None else encode(replace(record, revision=None)))


def _reject(record: AnyRecord, reason: str, message: str) -> Reject:
    raw = encode(record).decode()
    return Reject(record.source, record.kind.value, record.id, reason, message, raw, record.revision)


def revisions(connection: Connection, source: str, names: Iterable[Key]) -> dict[Key, str | None]:
    """The revisions of those of the (kind, id) that are live."""
    return {
        (kind, row.id): row.revision
        for kind, ids in by_kind(names).items()
        for chunk in chunks(ids)
        for row in connection.execute(
            select(records.c.id, records.c.revision).where(
                records.c.source == source,
                records.c.kind == kind.value,
                records.c.id.in_(chunk),
                records.c.deleted.is_(False),
            )
        )
    }


def unseen(connection: Connection, source: str, harvest: int, kinds: Sequence[Kind], limit: int) -> list[Key]:
    """Live records of those kinds that neither this harvest nor a later one has met, the first by name."""
    query = (
        select(records.c.kind, records.c.id)
        .where(
            records.c.source == source,
            records.c.kind.in_([kind.value for kind in kinds]),
            records.c.harvest < harvest,
            records.c.deleted.is_(False),
        )
        .order_by(records.c.kind, records.c.id)
        .limit(limit)
    )
    return [(Kind(kind), id) for kind, id in connection.execute(query)]
