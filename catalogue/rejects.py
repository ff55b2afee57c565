"""This file is the refused records: kept with their reason and the raw record until a good one comes in their place."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, and_, bindparam, delete, func, insert, select, update

from catalogue.assembly import by_kind, chunks, digest
from catalogue.tables import records, rejects
from schema.records import Kind, Reject

RAW_BYTES = 256 * 1024
"""How much of a raw record is kept (reliability section 8 of the reference)."""


def readable(reject: Reject) -> Reject:
    """The reject as text that JSON and both databases can keep (no NUL, no lone surrogates), its raw record capped."""
    return Reject(
        source=_text(reject.source),
        kind=_text(reject.kind),
        id=_text(reject.id),
        reason=_text(reject.reason),
        message=_text(reject.message),
        raw=_text(reject.raw).encode()[:RAW_BYTES].decode("utf-8", "ignore"),
        revision=None if reject.revision is None else _text(reject.revision),
    )


def keep(connection: Connection, source: str, harvest: int, refused: Sequence[Reject], now: datetime) -> None:
    """Keep (readable) rejects: a new one, or once more seen. The last good record of the same name stays, and counts as seen."""
    by_key = {(reject.kind, _key(reject)): reject for reject in refused}
    there = known(connection, source, by_key)
    fresh, again = [], []
    for (kind, key), reject in by_key.items():
        news = {"reason": reject.reason, "message": reject.message, "raw": reject.raw, "revision": reject.revision}
        row = {"last_seen": now, "harvest": harvest, **news}
        if (kind, key) in there:
            again.append({"of": kind, "named": key, **row})
        else:
            first = {"source": source, "kind": kind, "record": reject.id, "key": key, "first_seen": now, "count": 1}
            fresh.append(first | row)
    if fresh:
        connection.execute(insert(rejects), fresh)
    if again:
        same = and_(rejects.c.source == source, rejects.c.kind == bindparam("of"), rejects.c.key == bindparam("named"))
        connection.execute(update(rejects).where(same).values(count=rejects.c.count + 1), again)
    _seen(connection, source, harvest, refused)


def clear(connection: Connection, source: str, names: Iterable[tuple[str, str]]) -> None:
    """Forget the rejects of records that came good or are gone: (kind, id)."""
    for kind, ids in _grouped(names).items():
        for chunk in chunks(ids):
            connection.execute(
                delete(rejects).where(rejects.c.source == source, rejects.c.kind == kind, rejects.c.key.in_(chunk))
            )


def seen(connection: Connection, source: str, harvest: int, names: Iterable[tuple[str, str]]) -> None:
    """Note that a harvest met the names of rejects again."""
    for kind, keys in _grouped(names).items():
        for chunk in chunks(keys):
            own = (rejects.c.source == source, rejects.c.kind == kind, rejects.c.key.in_(chunk))
            connection.execute(update(rejects).where(*own).values(harvest=harvest))


def clear_unseen(connection: Connection, source: str, harvest: int, kinds: Sequence[str]) -> None:
    """Forget the rejects that a complete harvest has not met again."""
    connection.execute(
        delete(rejects).where(rejects.c.source == source, rejects.c.kind.in_(kinds), rejects.c.harvest < harvest)
    )


def count(connection: Connection) -> dict[str, int]:
    """How many rejects each source has."""
    query = select(rejects.c.source, func.count().label("rejects")).group_by(rejects.c.source)
    return {row.source: row.rejects for row in connection.execute(query)}


def page(
    connection: Connection, source: str | None, first: int, after: int | None
) -> list[tuple[int, Reject, datetime, datetime, int]]:
    """Kept rejects by id, above `after`."""
    query = select(rejects).where(rejects.c.id > (after or 0)).order_by(rejects.c.id).limit(first)
    if source is not None:
        query = query.where(rejects.c.source == source)
    return [
        (
            row.id,
            Reject(row.source, row.kind, row.record, row.reason, row.message, row.raw, row.revision),
            row.first_seen,
            row.last_seen,
            row._mapping["count"],
        )
        for row in connection.execute(query)
    ]


def _key(reject: Reject) -> str:
    return reject.id or f"#{digest(reject.raw.encode()).hex()}"


def _text(text: str) -> str:
    return text.replace("\0", "�").encode("utf-8", "replace").decode()


def known(connection: Connection, source: str, names: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of the (kind, id) are rejected."""
    return {
        (kind, key)
        for kind, keys in _grouped(names).items()
        for chunk in chunks(keys)
        for key in connection.execute(
            select(rejects.c.key).where(rejects.c.source == source, rejects.c.kind == kind, rejects.c.key.in_(chunk))
        ).scalars()
    }


def revisions(
    connection: Connection, source: str, names: Iterable[tuple[Kind, str]]
) -> dict[tuple[Kind, str], str | None]:
    """The revisions of those of the (kind, id) that are rejected; None where it is not known."""
    if connection.execute(select(rejects.c.id).where(rejects.c.source == source).limit(1)).first() is None:
        return {}
    return {
        (kind, row.key): row.revision
        for kind, keys in by_kind(names).items()
        for chunk in chunks(keys)
        for row in connection.execute(
            select(rejects.c.key, rejects.c.revision).where(
                rejects.c.source == source, rejects.c.kind == kind.value, rejects.c.key.in_(chunk)
            )
        )
    }


def _seen(connection: Connection, source: str, harvest: int, refused: Sequence[Reject]) -> None:
    for kind, ids in _grouped((reject.kind, reject.id) for reject in refused if reject.id).items():
        for chunk in chunks(ids):
            own = (records.c.source == source, records.c.kind == kind, records.c.id.in_(chunk))
            connection.execute(update(records).where(*own).values(harvest=harvest))


def _grouped(names: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = defaultdict(list)
    for kind, id in names:
        grouped[kind].append(id)
    return grouped
