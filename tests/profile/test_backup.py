"""Backup and restore, rehearsed: a dump taken while a harvest writes, restored elsewhere, the index built anew; SQLite and PostgreSQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from parted_house import PartedHouse
from servers.postgresql import Postgresql
from small_federation import SECRETS, SmallFederation

from catalogue.query import Search
from harvesters.harvest import LEASE_S
from pangate.house import House
from pangate.projection import Projection
from pangate.work import Work
from schema.activities import HarvestMode, HarvestState
from schema.records import decode_document, encode, encode_document

pytestmark = pytest.mark.timeout(600)
LEASES = timedelta(seconds=LEASE_S)  # those of the time of the backup must have run out
SOURCE, OTHER = "freya/scicat", "skadi/icat"


def documents(house: House) -> list[bytes]:
    """Everything the truth holds, complete, in a steady order."""
    return [encode_document(document) for document in house.truth.walk()]


def records(found: list[bytes]) -> list[bytes]:
    """The same without numbers and times of our own."""
    return [encode(decode_document(each).record) for each in found]


def rehearse(before: PartedHouse, after: PartedHouse, back_up: Callable[[], None], restore: Callable[[], None]) -> None:
    """Harvest one source, back up in the middle of the other, restore, rebuild, and let the restored house go on."""
    kept: list[list[bytes]] = []
    with before.opened() as house:
        work = Work(house)
        assert work.harvest(SOURCE, HarvestMode.FULL).state is HarvestState.DONE  # type: ignore[union-attr]

        def in_the_middle(run: Any, _message: str, _total: int | None) -> None:
            if run.figures.pages == 2:
                kept.append(documents(house))
                back_up()

        assert work.harvest(OTHER, HarvestMode.FULL, in_the_middle).state is HarvestState.DONE  # type: ignore[union-attr]
        whole = documents(house)
    assert len(kept) == 1
    assert len(kept[0]) < len(whole)
    restore()
    with after.opened(write_index=True, later=LEASES) as house:
        assert documents(house) == kept[0], "the restored truth is that of the moment of the backup"
        assert Projection(house).renew() == len(kept[0])
        assert house.index.mark() == house.truth.head()
        first = house.index.search(Search(first=1)).total
        done = Work(house).harvest(OTHER, HarvestMode.FULL)
        assert done is not None
        assert (done.state, len(house.harvests.harvests(OTHER, 9, None))) == (HarvestState.DONE, 1), "it goes on"
        house.projector.project()
        assert records(documents(house)) == records(whole)
        assert house.index.search(Search(first=1)).total > first


def settings(folder: Path, world: SmallFederation, database: str) -> PartedHouse:
    folder.mkdir(exist_ok=True)
    told = {
        "PANGATE_FEDERATION": str(world.file(folder, 10)),
        "PANGATE_DATA": str(folder),
        "PANGATE_DATABASE": database,
    }
    return PartedHouse(folder, told, SECRETS)


def test_a_sqlite_file_copied_while_it_is_written_is_a_backup(tmp_path: Path, world: SmallFederation) -> None:
    live, dump, new = tmp_path / "live", tmp_path / "dump.sqlite", tmp_path / "new" / "pangate.sqlite"

    def back_up() -> None:
        with closing(sqlite3.connect(live / "pangate.sqlite")) as source, closing(sqlite3.connect(dump)) as copy:
            source.backup(copy)

    def restore() -> None:
        dump.rename(new)

    before = settings(live, world, f"sqlite:///{live / 'pangate.sqlite'}")
    rehearse(before, settings(new.parent, world, f"sqlite:///{new}"), back_up, restore)


@pytest.mark.postgresql
def test_a_dump_of_postgresql_taken_while_it_is_written_is_a_backup(
    tmp_path: Path, world: SmallFederation, postgresql: Postgresql
) -> None:
    source, sink = postgresql.database(f"live{tmp_path.name}"), postgresql.database(f"new{tmp_path.name}")
    dump = tmp_path / "pangate.dump"

    def back_up() -> None:
        dump.write_bytes(postgresql.run("pg_dump", "--format=custom", "--no-owner", source))

    def restore() -> None:
        postgresql.run("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={sink}", str(dump))

    rehearse(settings(tmp_path / "live", world, source), settings(tmp_path / "new", world, sink), back_up, restore)
