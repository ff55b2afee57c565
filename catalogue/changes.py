"""This file is the sequences: numbers 1, 2, 3, … without gaps, each from one counter row that is updated last in its transaction."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from catalogue.tables import sequences

CHANGES = "changes"
PUBLIC = "public"
EVENTS = "events"


class Numbers:
    """The numbers one transaction gives out. Taking a sequence locks its row (where the engine has row locks) until the commit, so
    that whoever reads number n can read everything below it."""

    def __init__(self, connection: Connection, *names: str) -> None:
        self._connection = connection
        self._first = {name: _head(connection, name, lock=True) for name in sorted(names)}
        self._value = dict(self._first)

    def next(self, name: str) -> int:
        """The next number of a sequence."""
        self._value[name] += 1
        return self._value[name]

    def keep(self) -> None:
        """Write the counters: the last thing a transaction does."""
        for name, value in self._value.items():
            if value != self._first[name]:
                self._connection.execute(update(sequences).where(sequences.c.name == name).values(value=value))


def head(connection: Connection, name: str) -> int:
    """The newest number of a sequence (0: none yet)."""
    return _head(connection, name, lock=False)


def _head(connection: Connection, name: str, *, lock: bool) -> int:
    query = select(sequences.c.value).where(sequences.c.name == name)
    return int(connection.execute(query.with_for_update() if lock else query).scalar_one())
