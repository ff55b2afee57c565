"""This file is the tables of the SQL truth: SQLAlchemy Core metadata that SQLite and PostgreSQL both understand.

Instants are microseconds since 1970 (UTC) in a BIGINT, structs are JSON text. `catalogue/migrations` builds the same tables;
a test compares the two.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.types import TypeDecorator

from schema.access import Viewer
from schema.activities import Bookmark, Failure, LaunchRequest

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware datetime as microseconds since 1970, UTC."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        """To microseconds. Raises TypeError for a naive datetime."""
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Back to an aware datetime."""
        return None if value is None else _EPOCH + timedelta(microseconds=value)


class Packed(TypeDecorator[T], Generic[T]):
    """A msgspec value as JSON text."""

    impl = Text
    cache_ok = True

    def __init__(self, type: Any) -> None:
        super().__init__()
        self.type = type
        self._decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(type)

    def process_bind_param(self, value: T | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """To JSON."""
        return None if value is None else msgspec.json.encode(value).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> T | None:  # noqa: ARG002
        """From JSON."""
        return None if value is None else self._decoder.decode(value)


metadata = MetaData()

_ROW_ID = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up INTEGER keys only

sequences = Table(
    "sequences",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""The counters: changes, public, events. A row is updated last in a transaction, so that no reader ever meets a gap."""

records = Table(
    "records",
    metadata,
    Column("source", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("id", String, nullable=False),
    Column("pid", String, nullable=False),
    Column("facility", String, nullable=False),
    Column("data", LargeBinary),
    Column("hash", LargeBinary),
    Column("revision", String),
    Column("deleted", Boolean, nullable=False),
    Column("public", Boolean, nullable=False),
    Column("due", Instant),
    Column("harvest", BigInteger, nullable=False),
    Column("harvested", Instant, nullable=False),
    PrimaryKeyConstraint("source", "kind", "id"),
    Index("records_pid", "kind", "pid"),
    Index("records_harvest", "source", "kind", "harvest"),
    Index("records_due", "due"),
)
"""The records as harvested. `public` is what was decided when the row was written or its `due` instant came; `harvested` is when
this content came; `harvest` saw it last; a tombstone has no data."""

documents = Table(
    "documents",
    metadata,
    Column("kind", String, nullable=False),
    Column("pid", String, nullable=False),
    Column("facility", String, nullable=False),
    Column("live", Boolean, nullable=False),
    Column("public", Boolean, nullable=False),
    Column("digest", LargeBinary),
    Column("change", BigInteger, nullable=False),
    Column("public_number", BigInteger),
    Column("public_time", Instant),
    PrimaryKeyConstraint("kind", "pid"),
    Index("documents_change", "change", unique=True),
    Index("documents_public_number", "public_number", unique=True),
)
"""One row a pid: who owns it, its newest numbers, and the digest of what it shows (joined), to tell a real change from none."""

links = Table(
    "links",
    metadata,
    Column("source", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("id", String, nullable=False),
    Column("to_kind", String, nullable=False),
    Column("to_id", String, nullable=False),
    PrimaryKeyConstraint("source", "kind", "id", "to_kind", "to_id"),
    Index("links_to", "source", "to_kind", "to_id", "kind", "id"),
)
"""Which live record names which other of the same source (that one may be missing)."""

owed_touches = Table(
    "owed_touches",
    metadata,
    Column("id", _ROW_ID, primary_key=True, autoincrement=True),
    Column("source", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("record", String, nullable=False),
    Column("whole", Boolean, nullable=False),
    Column("after_kind", String, nullable=False),
    Column("after_id", String, nullable=False),
    Index("owed_touches_record", "source", "kind", "record", "whole", unique=True),
)
"""Touches too many for the transaction that caused them: of all that name the record (`whole`), above (after_kind, after_id), or of
the record itself."""

arrears = Table(
    "arrears",
    metadata,
    Column("source", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("id", String, nullable=False),
    PrimaryKeyConstraint("source", "kind", "id"),
)
"""What an id sweep named and the truth lacks, or has of another revision: fetched before the harvest ends."""

parameter_names = Table(
    "parameter_names",
    metadata,
    Column("facility", String, nullable=False),
    Column("public", Boolean, nullable=False),
    Column("name", String, nullable=False),
    PrimaryKeyConstraint("facility", "public", "name"),
)
"""The names of parameters, folded, that a facility has brought in records that are `public`, or that are not: at most 5,000 each."""

harvests = Table(
    "harvests",
    metadata,
    Column("id", _ROW_ID, primary_key=True, autoincrement=True),
    Column("source", String, nullable=False),
    Column("mode", String, nullable=False),
    Column("state", String, nullable=False),
    Column("lease", String, nullable=False),
    Column("bookmark", Packed(Bookmark), nullable=False),
    Column("page", LargeBinary),
    *(
        Column(name, BigInteger, nullable=False)
        for name in ("pages", "seen", "added", "changed", "unchanged", "removed", "rejected", "left_out")
    ),
    Column("started", Instant, nullable=False),
    Column("ended", Instant),
    Column("message", Text, nullable=False),
    Index("harvests_source", "source", "id"),
    Index("harvests_state", "state"),
    sqlite_autoincrement=True,
)
"""The runs. `page` is the digest of the page committed last: the same page again does nothing."""

sources = Table(
    "sources",
    metadata,
    Column("source", String, primary_key=True),
    Column("bookmark", Packed(Bookmark), nullable=False),
    Column("bookmark_by", BigInteger),
    Column("last_done", Instant),
    Column("last_full", Instant),
    Column("failing_since", Instant),
    Column("held", BigInteger),
    Column("released_by", String),
    Column("released_at", Instant),
)
"""What is known of a source over its harvests; `bookmark_by` is the harvest that left the bookmark; `held` is the one whose sweep
waits for a person."""

requests = Table(
    "requests",
    metadata,
    Column("id", _ROW_ID, primary_key=True, autoincrement=True),
    Column("source", String, nullable=False),
    Column("mode", String, nullable=False),
    Column("by", String, nullable=False),
    Column("at", Instant, nullable=False),
    UniqueConstraint("source", "mode", name="requests_once"),
    sqlite_autoincrement=True,
)
"""Harvests somebody asked for that have not begun."""

leases = Table(
    "leases",
    metadata,
    Column("name", String, primary_key=True),
    Column("owner", String, nullable=False),
    Column("fence", BigInteger, nullable=False),
    Column("expires", Instant, nullable=False),
)
"""Who may work on what. A row is never deleted, so that `fence` only rises."""

rejects = Table(
    "rejects",
    metadata,
    Column("id", _ROW_ID, primary_key=True, autoincrement=True),
    Column("source", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("record", String, nullable=False),
    Column("key", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("message", Text, nullable=False),
    Column("raw", Text, nullable=False),
    Column("first_seen", Instant, nullable=False),
    Column("last_seen", Instant, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("harvest", BigInteger, nullable=False),
    Column("revision", String),
    UniqueConstraint("source", "kind", "key", name="rejects_once"),
    sqlite_autoincrement=True,
)
"""Refused records. `key` is the id at the source, or a digest of the raw record where it has none; `revision` what the
source told of the state that was refused."""

launches = Table(
    "launches",
    metadata,
    Column("number", BigInteger, nullable=False, unique=True),
    Column("id", String, primary_key=True),
    Column("principal", String, nullable=False),
    Column("trigger", String, nullable=False),
    Column("request", Packed(LaunchRequest), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("key", String),
    Column("state", String, nullable=False),
    Column("message", Text, nullable=False),
    Column("created", Instant, nullable=False),
    Column("ready", Instant),
    Column("known", Instant),
    Column("expires", Instant),
    Column("handle", Packed(dict[str, str])),
    Column("failure", Packed(Failure)),
    Column("wanted", String, nullable=False),
    Column("due", Instant),
    Column("attempts", Integer, nullable=False),
    Column("version", BigInteger, nullable=False),
    UniqueConstraint("principal", "key", name="launches_key"),
    Index("launches_principal", "principal", "number"),
    Index("launches_due", "due"),
    Index("launches_trigger", "trigger", "state"),
)
"""Analysis sessions. `number` orders them (the id of their first event); `ready` is when READY was first seen."""

events = Table(
    "events",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("launch", String, nullable=False),
    Column("at", Instant, nullable=False),
    Column("state", String, nullable=False),
    Column("message", Text, nullable=False),
    Column("progress", Integer),
    Column("failure", Packed(Failure)),
    Index("events_launch", "launch", "id"),
)
"""What happened to launches: only ever appended."""

tickets = Table(
    "tickets",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("launch", String, nullable=False),
    Column("principal", String, nullable=False),
    Column("session", String, nullable=False),
    Column("expires", Instant, nullable=False),
)
"""One-time tickets, by SHA-256."""

capabilities = Table(
    "capabilities",
    metadata,
    Column("trigger", String, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("up", Boolean, nullable=False),
    Column("message", Text, nullable=False),
    Column("version", String, nullable=False),
)
"""What each platform could do when last looked at."""

sessions = Table(
    "sessions",
    metadata,
    Column("hash", String, primary_key=True),
    Column("viewer", Packed(Viewer), nullable=False),
    Column("csrf", String, nullable=False),
    Column("tokens", LargeBinary, nullable=False),
    Column("expires", Instant, nullable=False),
    Column("created", Instant, nullable=False),
    Column("lock_owner", String),
    Column("lock_until", Instant),
    Index("sessions_expires", "expires"),
)
"""Sign-in sessions, by the hash of what the cookie carries."""

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("hash", LargeBinary, primary_key=True),
    Column("data", LargeBinary, nullable=False),
    Column("expires", Instant, nullable=False),
)
"""Started sign-ins that wait for their callback, by SHA-256 of the state."""

rebuilds = Table(
    "rebuilds",
    metadata,
    Column("id", _ROW_ID, primary_key=True, autoincrement=True),
    Column("by", String, nullable=False),
    Column("asked", Instant, nullable=False),
    Column("ended", Instant),
    Column("public_number", BigInteger, nullable=False),
    Column("documents", BigInteger, nullable=False),
    Column("message", Text, nullable=False),
    sqlite_autoincrement=True,
)
"""Rebuilds of the index. Those not ended are asked for. `public_number` is the public head when an ended one began: what left the
public index up to there has no trace in it any more. `message` is why the last try failed."""
