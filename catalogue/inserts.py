"""This file is the insertion of a row that somebody else may be inserting too: once, whoever is first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_once(connection: Connection, table: Table, values: Mapping[str, Any]) -> bool:
    """Whether the row is ours; False when one of its keys was there already (two processes, one row: no error)."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    insert = make(table).values(dict(values)).on_conflict_do_nothing().returning(*table.primary_key.columns)
    return connection.execute(insert).first() is not None  # rowcount is not told with RETURNING
