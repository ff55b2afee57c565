"""This file is the fifth migration: which names of parameters a facility has brought, and how many a harvest left out."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Connection

from schema.records import decode
from schema.text import fold

revision = "0005"
down_revision = "0004"

_AT_ONCE = 1_000
_MOST = 5_000
_RECORDS = sa.table(
    "records",
    *map(sa.column, ("source", "kind", "id", "facility", "data")),
    sa.column("deleted", sa.Boolean),
    sa.column("public", sa.Boolean),
)


def upgrade() -> None:
    """Build the table, of what the records there are bring, and add the column."""
    op.add_column("harvests", sa.Column("left_out", sa.BigInteger(), nullable=False, server_default="0"))
    table = op.create_table(
        "parameter_names",
        sa.Column("facility", sa.String(), nullable=False),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("facility", "public", "name"),
    )
    connection = op.get_bind()
    known: dict[tuple[str, bool], dict[str, None]] = {}
    for row in _rows(connection):
        names = known.setdefault((row.facility, row.public), {})
        if len(names) < _MOST:
            of = getattr(decode(row.data), "parameters", ())
            names |= {_key(each.source_name): None for each in of if each.name == each.source_name}
    found = [
        {"facility": facility, "public": public, "name": name}
        for (facility, public), names in known.items()
        for name in list(names)[:_MOST]
    ]
    if found:
        connection.execute(sa.insert(table), found)


def _key(name: str) -> str:
    folded = fold(name)
    return folded if len(folded) <= 256 else blake2b(folded.encode(), digest_size=16).hexdigest()


def _rows(connection: Connection) -> Iterator[Any]:
    """The live records that have parameters."""
    columns = _RECORDS.c.source, _RECORDS.c.kind, _RECORDS.c.id
    key = sa.tuple_(*columns)
    these = _RECORDS.c.deleted.is_(False), _RECORDS.c.kind.in_(["dataset", "investigation", "sample"])
    query = sa.select(_RECORDS).where(*these).order_by(*columns).limit(_AT_ONCE)
    last: tuple[str, str, str] | None = None
    while rows := list(connection.execute(query if last is None else query.where(key > last))):
        yield from rows
        last = (rows[-1].source, rows[-1].kind, rows[-1].id)
