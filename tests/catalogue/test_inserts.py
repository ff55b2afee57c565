"""Who inserts a row that two want to insert: one of them, and it is told so."""

from datetime import UTC, datetime
from pathlib import Path

from truths import World

from catalogue.inserts import insert_once
from catalogue.tables import leases


def test_the_first_has_the_row_and_the_second_is_told_that_it_has_not(tmp_path: Path) -> None:
    world = World(tmp_path / "truth.sqlite")
    row = {"name": "x", "owner": "one", "fence": 1, "expires": datetime(2026, 1, 1, tzinfo=UTC)}
    with world.database.write("test") as connection:
        assert insert_once(connection, leases, row)
        assert not insert_once(connection, leases, row | {"owner": "two"})
        assert connection.execute(leases.select()).one().owner == "one"
    world.database.close()
