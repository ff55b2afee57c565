"""This file is the connection to the SQL truth: engines, transactions, migration at open.

SQLite: WAL, synchronous FULL, BEGIN IMMEDIATE for writers (with the default start two writers shared change numbers without an error),
a read engine apart. PostgreSQL takes the same Core statements.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, OperationalError

from catalogue import disk
from catalogue.migrations.run import migrate
from schema.errors import DiskFailed, Misconfigured, Unavailable

Clock = Callable[[], datetime]
At = Callable[[str], None]

_BUSY_S = 30.0
WHAT = "the database"


def nothing(name: str) -> None:
    """The named point of a program that is not being crashed on purpose."""


class Database:
    """The truth's connections. `clock` gives the time (aware, UTC); `at` is called with the name of each point at which a crash
    must do no harm. Raises Unavailable when the database does not answer in time."""

    def __init__(self, writer: Engine, reader: Engine, clock: Clock, at: At = nothing) -> None:
        self.clock = clock
        self.at = at
        self._writer = writer
        self._reader = reader
        # SQLite's own waiting is a lottery of sleeps; a lock lets the threads of one process take turns.
        self._turn = threading.Lock() if writer.dialect.name == "sqlite" else nullcontext()

    @contextmanager
    def write(self, name: str) -> Iterator[Connection]:
        """One transaction that may write; committed at the end, rolled back on any error."""
        with self._turn, _told(), self._writer.connect() as connection, connection.begin():
            yield connection
            self.at(f"{name}: before commit")
        self.at(f"{name}: after commit")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One transaction that only reads, all of it the same state."""
        with _told(), self._reader.connect() as connection, connection.begin():
            yield connection

    def server_time(self) -> datetime:
        """What time it is on the PostgreSQL server (aware)."""
        with self.read() as connection:
            told: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
        return told

    def close(self) -> None:
        """Let go of all connections."""
        self._writer.dispose()
        self._reader.dispose()


def open_database(url: str, *, clock: Clock, at: At = nothing) -> Database:
    """The database of that URL (sqlite:///path or postgresql+psycopg://…), migrated to this program's tables.

    Raises Misconfigured when the URL is wrong, the place cannot be opened, or a newer pangate has migrated it already; DiskFailed.
    """
    place = _place(url)
    try:
        writer, reader = _sqlite(place) if place.drivername.startswith("sqlite") else _postgresql(place)
        with writer.connect() as connection, connection.begin():
            migrate(connection)
    except (DatabaseError, OSError) as error:
        if broken := _disk(error):
            raise broken from error
        reason = str(error.orig if isinstance(error, DatabaseError) else error.strerror).partition("\n")[0].rstrip(".")
        remedy = "See that it is there and lets us in, or correct PANGATE_DATABASE (or PANGATE_DATA)."
        raise Misconfigured(f"The database {place.render_as_string()} cannot be opened: {reason}. {remedy}") from error
    return Database(writer, reader, clock, at)


def _disk(error: DatabaseError | OSError) -> DiskFailed | None:
    if isinstance(error, OSError):
        return disk.of_number(WHAT, error.errno)
    name = getattr(error.orig, "sqlite_errorname", "")
    return None if name in ("SQLITE_CANTOPEN", "SQLITE_READONLY") else disk.of_driver(WHAT, error.orig)  # a wrong path


def _place(url: str) -> URL:
    try:
        place = make_url(url)
    except ArgumentError:
        raise Misconfigured("PANGATE_DATABASE is no database URL; write sqlite:///path/of/file.") from None
    if place.drivername == "postgresql":
        place = place.set(drivername="postgresql+psycopg")
    if place.drivername not in ("sqlite", "postgresql+psycopg"):
        raise Misconfigured(f"{place.drivername} is no database pangate speaks; use sqlite or postgresql.")
    if place.drivername == "sqlite" and not place.database:
        raise Misconfigured("PANGATE_DATABASE must name a file: sqlite:///path/of/file.")
    return place


def _sqlite(place: URL) -> tuple[Engine, Engine]:
    Path(str(place.database)).parent.mkdir(parents=True, exist_ok=True)
    writer = create_engine(place, connect_args={"isolation_level": None, "timeout": _BUSY_S}, pool_size=2)
    reader = create_engine(
        place, connect_args={"isolation_level": None, "timeout": _BUSY_S}, pool_size=8, max_overflow=24
    )
    _prepare(writer, "BEGIN IMMEDIATE", ("journal_mode = WAL", "synchronous = FULL"))
    _prepare(reader, "BEGIN", ("query_only = ON",))
    return writer, reader


def _prepare(engine: Engine, begin: str, pragmas: tuple[str, ...]) -> None:
    def connected(connection: Any, _: Any) -> None:
        for pragma in (*pragmas, "cache_size = -16000", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}").close()

    def begun(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "connect", connected)
    event.listen(engine, "begin", begun)


def _postgresql(place: URL) -> tuple[Engine, Engine]:
    writer = create_engine(place, pool_size=4, max_overflow=8, pool_pre_ping=True)
    reader = create_engine(
        place,
        pool_size=8,
        max_overflow=24,
        pool_pre_ping=True,
        isolation_level="REPEATABLE READ",
        execution_options={"postgresql_readonly": True},
    )
    return writer, reader


@contextmanager
def _told() -> Iterator[None]:
    """What the caller can do about a database that does not answer: come again; or about its disk."""
    try:
        yield
    except OperationalError as error:
        raise disk.of_driver(WHAT, error.orig) or Unavailable("The database does not answer at present.") from error
