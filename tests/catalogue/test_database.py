"""Opening the truth: migration, refusal of the future, settings of the connection, named points."""

import multiprocessing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from truths import Clock, Death, World, changed, dataset, instrument

from catalogue.database import open_database
from catalogue.tables import metadata
from schema.errors import Misconfigured, Unavailable
from schema.records import InstrumentPart, Kind

BACK_TO_4 = ("DROP TABLE parameter_names", "ALTER TABLE harvests DROP COLUMN left_out")
BACK_TO_2 = (
    *BACK_TO_4,
    "DROP TABLE arrears",
    "ALTER TABLE rejects DROP COLUMN revision",
    "ALTER TABLE sources DROP COLUMN bookmark_by",
    "UPDATE alembic_version SET version_num = '0002'",
)
"""What makes a database of revision 2 of one of revision 3, on both engines."""


def test_the_migrations_build_exactly_the_tables(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/deep/er/truth.db", clock=Clock())
    with database.write("compare") as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        built = {row.name: row.sql for row in connection.execute(text("SELECT name, sql FROM sqlite_master"))}
    for table in metadata.sorted_tables:
        assert ("AUTOINCREMENT" in built[table.name]) == bool(table.dialect_options["sqlite"]["autoincrement"])


def test_a_database_of_the_revision_before_is_brought_along_with_what_it_has(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/truth.db"
    with open_database(url, clock=Clock()).write("back to revision 2") as connection:
        for statement in BACK_TO_2:
            connection.execute(text(statement))
        connection.execute(text("INSERT INTO sources (source, bookmark) VALUES ('a/b', '{\"state\":{}}')"))
    with open_database(url, clock=Clock()).read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        assert connection.execute(text("SELECT source, bookmark_by FROM sources")).all() == [("a/b", None)]


def test_a_database_from_before_names_were_links_shows_the_instruments_that_are_only_named(tmp_path: Path) -> None:
    named = (InstrumentPart(name="surf"),)
    world = World(tmp_path / "truth.db")
    world.put(instrument("i", name="SURF"), *(dataset(str(at), instruments=named) for at in range(3)))
    with world.database.write("no links") as connection:
        connection.execute(text("DELETE FROM links"))
    world.put(dataset("2", title="Another", instruments=named))  # as it was shown then
    with world.database.write("back to revision 3") as connection:
        for statement in BACK_TO_4:
            connection.execute(text(statement))
        connection.execute(text("UPDATE alembic_version SET version_num = '0003'"))
    world.database.close()
    again = World(tmp_path / "truth.db")
    while again.records.ripen():
        pass
    for at in range(3):
        (found,) = again.records.documents(Kind.DATASET, [f"ill/dataset/{at}"]).values()
        assert found.record.instruments[0].pid == "ill/instrument/i"  # type: ignore[union-attr]
    head = again.records.head()
    again.put(instrument("i", name="SURF-2"))
    assert len(changed(again.records, head, 9)) == 4


def test_a_database_of_the_future_is_refused_with_what_to_do(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/truth.db"
    database = open_database(url, clock=Clock())
    with database.write("forward") as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()
    with pytest.raises(Misconfigured, match=r"newer pangate \(revision 9999\)"):
        open_database(url, clock=Clock())


@pytest.mark.parametrize("url", ["nonsense", "mysql://h/d", "sqlite://", "sqlite:////proc/none/truth.db"])
def test_a_wrong_url_is_told(url: str) -> None:
    with pytest.raises(Misconfigured):
        open_database(url, clock=Clock())


def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "truth.db").write_text("this is a letter, not a database, and it is long enough to be read as one " * 9)
    with pytest.raises(Misconfigured, match="cannot be opened"):
        open_database(f"sqlite:///{tmp_path}/truth.db", clock=Clock())


def test_a_commit_is_on_the_disk_when_it_returns(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/truth.db", clock=Clock())
    with database.write("look") as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2


def test_the_read_connections_cannot_write(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/truth.db", clock=Clock())
    with pytest.raises(Unavailable), database.read() as connection:
        connection.execute(text("DELETE FROM records"))


def test_a_read_is_one_state_while_others_write(tmp_path: Path) -> None:
    world = World(tmp_path / "truth.db")
    world.put(dataset("a"))
    with world.database.read() as connection:
        before = connection.execute(text("SELECT count(*) FROM records")).scalar()
        world.put(dataset("b"))
        assert connection.execute(text("SELECT count(*) FROM records")).scalar() == before == 1
    assert world.records.count() == 2


def test_a_crash_at_a_named_point_undoes_the_transaction_or_keeps_it_whole(tmp_path: Path) -> None:
    death = Death()
    world = World(tmp_path / "truth.db", at=death)
    for point in ("page: begun", "page: records written", "page: before commit"):
        death.point = point
        with pytest.raises(KeyboardInterrupt):
            world.put(dataset("a"))
        assert world.records.head() == world.records.count() == 0
    death.point = "page: after commit"
    with pytest.raises(KeyboardInterrupt):
        world.put(dataset("a"))
    assert world.records.head() == world.records.count() == 1


def _open(path: str) -> None:
    open_database(f"sqlite:///{path}", clock=Clock()).close()


def test_two_processes_may_open_a_new_database_at_once(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("fork")
    children = [spawn.Process(target=_open, args=(str(tmp_path / "truth.db"),)) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0] * 4
