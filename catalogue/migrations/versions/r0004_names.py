"""This file is the fourth migration: who names an instrument without an id is linked to it by its name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Connection

from schema.documents import is_name, references
from schema.records import decode

revision = "0004"
down_revision = "0003"

_AT_ONCE = 1_000
_RECORDS = sa.table("records", *map(sa.column, ("source", "kind", "id", "data")), sa.column("deleted", sa.Boolean))
_LINKS = sa.table("links", *map(sa.column, ("source", "kind", "id", "to_kind", "to_id")))
_OWED = sa.table(
    "owed_touches",
    *map(sa.column, ("source", "kind", "record", "after_kind", "after_id")),
    sa.column("whole", sa.Boolean),
)


def upgrade() -> None:
    """Link them, and owe the documents that show another instrument now a look."""
    connection = op.get_bind()
    answering: dict[tuple[str, str], None] = {}
    for rows in _pages(connection):
        found = [
            {"source": row.source, "kind": row.kind, "id": row.id, "to_kind": kind.value, "to_id": id}
            for row in rows
            for kind, id in references(decode(row.data))
            if is_name(id)
        ]
        answering |= {(each["source"], each["to_id"]): None for each in found if each["kind"] == "instrument"}
        if found:
            connection.execute(sa.insert(_LINKS), found)
    owed = [
        {"source": source, "kind": "instrument", "record": name, "whole": True, "after_kind": "", "after_id": ""}
        for source, name in answering
    ]
    if owed:
        connection.execute(sa.insert(_OWED), owed)


def _pages(connection: Connection) -> Iterator[list[Any]]:
    """The live records that name an instrument or are one."""
    key = sa.tuple_(_RECORDS.c.source, _RECORDS.c.kind, _RECORDS.c.id)
    columns = (_RECORDS.c.source, _RECORDS.c.kind, _RECORDS.c.id, _RECORDS.c.data)
    these = _RECORDS.c.deleted.is_(False), _RECORDS.c.kind.in_(["dataset", "instrument", "investigation"])
    query = (
        sa.select(*columns).where(*these).order_by(_RECORDS.c.source, _RECORDS.c.kind, _RECORDS.c.id).limit(_AT_ONCE)
    )
    last: tuple[str, str, str] | None = None
    while rows := list(connection.execute(query if last is None else query.where(key > last))):
        yield rows
        last = (rows[-1].source, rows[-1].kind, rows[-1].id)
