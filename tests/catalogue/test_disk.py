"""What stores say of a full or failing disk becomes one plain sentence with a stable word."""

import errno
import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest

from catalogue import disk
from catalogue.database import open_database
from schema.errors import DiskFailed, Misconfigured


@pytest.mark.parametrize(
    ("number", "word"),
    [(errno.ENOSPC, "disk-full"), (errno.EDQUOT, "disk-full"), (errno.EIO, "disk-error"), (errno.EROFS, "disk-error")],
)
def test_the_operating_system_s_numbers_are_told(number: int, word: str) -> None:
    text = f"An IO error occurred: 'it failed (os error {number})'"
    for found in (disk.of_number("the index", number), disk.of_text("the index", text)):
        assert found is not None
        assert found.reason == word
        assert found.code == "UNAVAILABLE"
        assert "goes on by itself" in found.message


@pytest.mark.parametrize("number", [None, errno.ENOENT, errno.EACCES])
def test_what_is_not_the_disk_is_not_called_so(number: int | None) -> None:
    assert disk.of_number("the index", number) is None
    assert disk.of_text("the index", f"os error {number}") is None


def test_other_errors_pass() -> None:
    with pytest.raises(FileNotFoundError), disk.told("the index"):
        raise FileNotFoundError(errno.ENOENT, "gone")
    with pytest.raises(DiskFailed), disk.told("the index"):
        raise OSError(errno.EIO, "failed")


def test_a_database_that_may_not_grow_says_that_its_disk_is_full(tmp_path: Path) -> None:
    """max_page_count is SQLite's own way to be full: SQLITE_FULL."""
    connection = sqlite3.connect(tmp_path / "t.db")
    connection.execute("CREATE TABLE t (x)")
    connection.execute("PRAGMA max_page_count = 2")
    with pytest.raises(sqlite3.OperationalError) as caught:
        connection.execute("INSERT INTO t VALUES (zeroblob(100000))")
    connection.close()
    found = disk.of_driver("the database", caught.value)
    assert found is not None
    assert found.reason == "disk-full"


def test_postgresql_s_states_are_told() -> None:
    class Refused(Exception):
        sqlstate = "53100"

    found = disk.of_driver("the database", Refused())
    assert found is not None
    assert found.reason == "disk-full"
    assert disk.of_driver("the database", None) is None


def test_a_folder_in_the_place_of_a_database_is_no_fault_of_the_disk(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured):
        open_database(f"sqlite:///{tmp_path}", clock=None)  # type: ignore[arg-type]


def test_a_thread_that_the_engine_lost_to_the_disk_is_told_by_the_room_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "An index writer was killed.. A worker thread encountered an error (io::Error most likely) or panicked."
    for free, word in ((4096, "disk-full"), (1 << 30, "disk-error")):
        monkeypatch.setattr("shutil.disk_usage", lambda _path, free=free: SimpleNamespace(free=free))
        found = disk.of_text("the index", text, tmp_path)
        assert found is not None
        assert found.reason == word
