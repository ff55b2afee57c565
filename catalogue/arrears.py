"""This file is the names in arrears: what an id sweep told of and nobody has fetched yet, kept until it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Connection, and_, bindparam, delete, insert, select

from catalogue import rejects
from catalogue.assembly import by_kind, chunks
from catalogue.intake import revisions
from catalogue.tables import arrears
from schema.records import Kind

Key = tuple[Kind, str]
Seen = tuple[Kind, str, str | None]


def stale(connection: Connection, source: str, seen: Sequence[Seen]) -> list[Key]:
    """Which of those (kind, id, revision) the truth has neither live nor refused, or knows of another revision when one is told.

    Of a refused record the revision that was refused counts, so that it is asked for again when it changes, and only then.
    """
    names = [(kind, id) for kind, id, _ in seen]
    live = revisions(connection, source, names)
    refused = rejects.revisions(connection, source, names)
    found = []
    for kind, id, told in seen:
        name = (kind, id)
        if name not in live and name not in refused:
            found.append(name)
            continue
        known = refused.get(name) or live.get(name)
        if told is not None and told != known and (known is not None or name not in refused):
            found.append(name)
    return found


def owe(connection: Connection, source: str, names: Iterable[Key]) -> None:
    """Keep names to be fetched; those that are kept already stay."""
    wanted = dict.fromkeys(names)
    there = _known(connection, source, wanted)
    rows = [{"source": source, "kind": kind.value, "id": id} for kind, id in wanted if (kind, id) not in there]
    if rows:
        connection.execute(insert(arrears), rows)


def settle(connection: Connection, source: str, names: Iterable[Key]) -> None:
    """Forget names that were fetched, or asked for and not found."""
    rows = [{"of": kind.value, "named": id} for kind, id in dict.fromkeys(names)]
    if rows:
        own = and_(arrears.c.source == source, arrears.c.kind == bindparam("of"), arrears.c.id == bindparam("named"))
        connection.execute(delete(arrears).where(own), rows)


def forget(connection: Connection, source: str) -> int:
    """Forget all names of a source: everything there is will be asked for. How many there were."""
    return connection.execute(delete(arrears).where(arrears.c.source == source)).rowcount


def first(connection: Connection, source: str, limit: int) -> list[Key]:
    """Up to `limit` names of a source that are to be fetched, in order."""
    query = (
        select(arrears.c.kind, arrears.c.id)
        .where(arrears.c.source == source)
        .order_by(arrears.c.kind, arrears.c.id)
        .limit(limit)
    )
    return [(Kind(kind), id) for kind, id in connection.execute(query)]


def _known(connection: Connection, source: str, names: Iterable[Key]) -> set[Key]:
    return {
        (kind, id)
        for kind, ids in by_kind(names).items()
        for chunk in chunks(ids)
        for id in connection.execute(
            select(arrears.c.id).where(
                arrears.c.source == source, arrears.c.kind == kind.value, arrears.c.id.in_(chunk)
            )
        ).scalars()
    }
