"""This file is how documents are put together: the canonical record of a pid, joined with those it names, beside its alternates."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from hashlib import blake2b
from typing import NamedTuple

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, select

from catalogue.tables import links, records
from schema.access import PUBLIC, Access, Visibility, access_at, covers, pending
from schema.documents import Naming, is_name, join, naming, references
from schema.records import AnyRecord, Dataset, Kind, Provenance, Publication, decode

Key = tuple[Kind, str]
Name = tuple[str, Kind, str]

CHUNK = 500

Written = Mapping[bytes, AnyRecord]
"""Records that a transaction has at hand, by their bytes: what was just written need not be read again."""
_NONE_WRITTEN: Written = {}


@dataclass(frozen=True, slots=True)
class Order:
    """Which source of a facility comes first where several bring the same pid: "facility/source" names by facility; and what kind of
    catalogue each source is."""

    sources: Mapping[str, Sequence[str]]
    kinds: Mapping[str, str] = field(default_factory=dict)

    def rank(self, kept: Kept) -> tuple[int, str, str]:
        """What to sort by; an unlisted source comes after the listed ones."""
        listed = self.sources.get(kept.record.facility, ())
        source = kept.record.source
        return (listed.index(source) if source in listed else len(listed), source, kept.record.id)


@dataclass(frozen=True, slots=True)
class Kept:
    """A live record with what was decided of it: whether it is public now, and when its content came."""

    record: AnyRecord
    public: bool
    harvested: datetime

    @property
    def visibility(self) -> Visibility:
        """Who sees it, as decided: no instants."""
        return Visibility(public=self.public, groups=self.record.visibility.groups)


class Live(NamedTuple):
    """A live record as it was read; the columns of COLUMNS."""

    data: bytes
    public: bool
    due: datetime | None
    harvested: datetime

    def kept(self, written: Written = _NONE_WRITTEN) -> Kept:
        """Decoded."""
        return Kept(lifted(_at_hand(self.data, written) or decode(self.data), self.due), self.public, self.harvested)


def _at_hand(data: bytes, written: Written) -> AnyRecord | None:
    return written.get(data) if written else None  # to look for bytes is to read them all


@dataclass(frozen=True, slots=True)
class Assembled:
    """A document before it has numbers."""

    record: AnyRecord
    provenance: tuple[Provenance, ...]
    public: bool

    def digest(self) -> bytes:
        """Sixteen bytes that change when what is shown changes (who may see it is not shown)."""
        return digest(msgspec.json.encode((replace(self.record, visibility=PUBLIC), self.provenance)))


def digest(data: bytes) -> bytes:
    """A content hash: BLAKE2b, 128 bits."""
    return blake2b(data, digest_size=16).digest()


def assemble(
    connection: Connection, keys: Collection[Key], order: Order, written: Written = _NONE_WRITTEN
) -> dict[Key, Assembled]:
    """The documents of those of the (kind, pid) that have a live record."""
    found = grouped(connection, keys)
    made = put_together(connection, found, order, written)
    return {key: made(key) for key in found}


def grouped(connection: Connection, keys: Collection[Key]) -> dict[Key, list[Live]]:
    """The live records of each (kind, pid) that has one."""
    found: dict[Key, list[Live]] = defaultdict(list)
    for kind, pids in by_kind(keys).items():
        for chunk in chunks(pids):
            condition = (records.c.kind == kind.value, records.c.pid.in_(chunk), records.c.deleted.is_(False))
            for pid, *row in connection.execute(select(records.c.pid, *COLUMNS).where(*condition)).all():
                found[kind, pid].append(Live(*row))
    return found


def put_together(
    connection: Connection, by_key: Mapping[Key, Sequence[Live]], order: Order, written: Written = _NONE_WRITTEN
) -> Callable[[Key], Assembled]:
    """What makes the document of each (kind, pid) of its live records. All is read now, and decoded when it is wanted (see `Entry`)."""
    groups = {
        key: sorted(found, key=lambda each: order.rank(each.kept(written))) if len(found) > 1 else found
        for key, found in by_key.items()
    }
    first = ((kind, found[0].data) for (kind, _), found in groups.items())
    neighbours = _Neighbours(connection, ((kind, _at_hand(data, written) or naming(data)) for kind, data in first))
    return lambda key: _assembled([each.kept(written) for each in groups[key]], neighbours, order)


def by_kind(names: Iterable[tuple[Kind, str]]) -> dict[Kind, list[str]]:
    """Names grouped by their kind."""
    grouped: dict[Kind, list[str]] = defaultdict(list)
    for kind, id in names:
        grouped[kind].append(id)
    return grouped


def chunks(ids: Iterable[str], size: int = CHUNK) -> Iterable[list[str]]:
    """The distinct ids in lists short enough for one statement."""
    distinct = list(dict.fromkeys(ids))
    return (distinct[at : at + size] for at in range(0, len(distinct), size))


COLUMNS = (records.c.data, records.c.public, records.c.due, records.c.harvested)
"""What `Live` is made of."""


def turn(record: AnyRecord, now: datetime) -> datetime | None:
    """When a record will next look otherwise by itself: it becomes public, or its data are released."""
    access, release = (record.access, record.release) if isinstance(record, Dataset) else (Access.OPEN, None)
    return pending(record.visibility, access, release, now)


def lifted(record: AnyRecord, due: datetime | None) -> AnyRecord:
    """The record as it is since its last turn: of a dataset whose release is not ahead any more, the data are open."""
    if not isinstance(record, Dataset) or record.release is None or (due is not None and due <= record.release):
        return record
    return replace(record, access=access_at(record.access, record.release, record.release))


def _assembled(group: Sequence[Kept], neighbours: _Neighbours, order: Order) -> Assembled:
    first = group[0]
    seen = [kept for kept in group if kept is first or covers(kept.visibility, first.visibility)]
    provenance = tuple(
        Provenance(
            source=kept.record.source,
            kind=order.kinds.get(kept.record.source, ""),
            source_id=kept.record.id,
            harvested=kept.harvested,
            primary=kept is first,
            source_url=kept.record.source_url,
            modified=kept.record.modified,
        )
        for kept in seen
    )
    # The source's token of a record's state is the harvester's affair: it may change while nothing that is shown does. Who could see
    # a public record before everybody could is nobody's affair.
    joined = neighbours.joined(first)
    seen_by = PUBLIC if first.public else joined.visibility
    return Assembled(replace(joined, revision=None, visibility=seen_by), provenance, first.public)


class _Neighbours:
    """The live records that some records name or are named by (publications), read together."""

    def __init__(self, connection: Connection, centre: Iterable[tuple[Kind, AnyRecord | Naming]]) -> None:
        wanted: dict[str, set[Key]] = defaultdict(set)
        datasets: dict[str, list[str]] = defaultdict(list)
        self._holders: dict[Name, list[str]] = defaultdict(list)
        self._namesakes: dict[tuple[str, str], list[str]] = defaultdict(list)
        for kind, record in centre:
            if kind not in (Kind.PUBLICATION, Kind.INSTRUMENT):
                wanted[record.source].update(references(record))
            if kind is Kind.DATASET:
                datasets[record.source].append(record.id)
        self._find_holders(connection, datasets)
        self._find_namesakes(connection, wanted)
        for (source, _), ids in self._namesakes.items():
            wanted[source].update((Kind.INSTRUMENT, id) for id in ids)
        for (source, _, _), ids in self._holders.items():
            wanted[source].update((Kind.PUBLICATION, id) for id in ids)
        self._found = {
            (source, kept.record.kind, kept.record.id): kept
            for source, names in wanted.items()
            for kept in live(connection, source, names)
        }

    def _find_holders(self, connection: Connection, datasets: Mapping[str, Sequence[str]]) -> None:
        for source, ids in datasets.items():
            for id, to_id in _linked(connection, source, Kind.PUBLICATION, Kind.DATASET, ids):
                self._holders[source, Kind.DATASET, to_id].append(id)

    def _find_namesakes(self, connection: Connection, wanted: Mapping[str, Collection[Key]]) -> None:
        """The instruments of the names that stand for one: each instrument's link to its own name tells."""
        for source, names in wanted.items():
            called = [id for kind, id in names if kind is Kind.INSTRUMENT and is_name(id)]
            for id, name in _linked(connection, source, Kind.INSTRUMENT, Kind.INSTRUMENT, called):
                self._namesakes[source, name].append(id)

    def joined(self, centre: Kept) -> AnyRecord:
        """The record with everything its readers may see of its neighbours."""
        record = centre.record
        lookup = partial(self._seen, centre)
        names = self._holders.get((record.source, record.kind, record.id), ())
        holders = [lookup(Kind.PUBLICATION, name) for name in names]
        return join(record, lookup, [holder for holder in holders if isinstance(holder, Publication)])

    def _seen(self, centre: Kept, kind: Kind, id: str) -> AnyRecord | None:
        """The record of that name, if whoever sees the centre may see it."""
        source = centre.record.source
        if is_name(id):  # one that readers may not see makes no other ambiguous: that would tell of it
            named = [self._seen(centre, kind, of) for of in self._namesakes.get((source, id), ())]
            called = [each for each in named if each is not None]
            return called[0] if len(called) == 1 else None
        found = self._found.get((source, kind, id))
        return found.record if found is not None and covers(found.visibility, centre.visibility) else None


def _linked(
    connection: Connection, source: str, kind: Kind, to_kind: Kind, to_ids: Iterable[str]
) -> Iterable[tuple[str, str]]:
    """(id, what it names) of the records of a kind that name one of those ids of another."""
    for chunk in chunks(to_ids):
        own = (links.c.source == source, links.c.kind == kind.value)
        named = (links.c.to_kind == to_kind.value, links.c.to_id.in_(chunk))
        yield from connection.execute(select(links.c.id, links.c.to_id).where(*own, *named)).all()


def live(connection: Connection, source: str, names: Iterable[Key]) -> Iterable[Kept]:
    """The live records of a source among the (kind, id)."""
    for kind, ids in by_kind(names).items():
        for chunk in chunks(ids):
            own = (records.c.source == source, records.c.kind == kind.value, records.c.deleted.is_(False))
            rows = connection.execute(select(*COLUMNS).where(*own, records.c.id.in_(chunk))).all()
            yield from (Live(*row).kept() for row in rows)
