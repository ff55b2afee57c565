"""This file is what a store's errors say of the disk under it: whether it is full or fails, and what a person can do about that."""

from __future__ import annotations

import errno
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schema.errors import DiskFailed

FULL, FAILING = "disk-full", "disk-error"

_FULL = {errno.ENOSPC, errno.EDQUOT}
_FAILING = {errno.EIO, errno.EROFS}
_SQLITE_FULL = ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE")
_SQLITE_FAILING = ("SQLITE_IOERR", "SQLITE_READONLY", "SQLITE_CANTOPEN")
_POSTGRESQL = {"53100": FULL, "58030": FAILING}
_LOST = "io::Error most likely"
LITTLE = 1 << 20
"""Bytes: with less than that free, a disk counts as full."""
_RUST = re.compile(r"os error (\d+)|\bcode: (\d+)")


def failed(what: str, reason: str) -> DiskFailed:
    """The error for that store."""
    if reason == FULL:
        text = (
            f"The disk under {what} is full. Make room there: it goes on by itself, and what is kept can still be read."
        )
    else:
        text = f"The disk under {what} reports an error. Look at that disk: when it works again, it goes on by itself."
    return DiskFailed(text, reason)


def of_number(what: str, number: int | None) -> DiskFailed | None:
    """From an error number of the operating system; None when it is not the disk."""
    if number in _FULL:
        return failed(what, FULL)
    return failed(what, FAILING) if number in _FAILING else None


def of_text(what: str, text: str, folder: Path | None = None) -> DiskFailed | None:
    """From an error of the search engine, which tells the operating system's number in its text alone; of a thread that it lost to the
    disk it tells no number: then the room in the folder does."""
    found = _RUST.search(text)
    if found is not None:
        return of_number(what, int(found[1] or found[2]))
    if _LOST not in text:
        return None
    return failed(what, FULL if folder is not None and shutil.disk_usage(folder).free < LITTLE else FAILING)


def of_driver(what: str, error: BaseException | None) -> DiskFailed | None:
    """From an error of a database's driver: SQLite's result codes (sqlite.org/rescode.html), PostgreSQL's SQLSTATE (class 53 and 58)."""
    if state := _POSTGRESQL.get(getattr(error, "sqlstate", None) or ""):
        return failed(what, state)
    name = str(getattr(error, "sqlite_errorname", ""))
    if name.startswith(_SQLITE_FULL):
        return failed(what, FULL)
    return failed(what, FAILING) if name.startswith(_SQLITE_FAILING) else None


@contextmanager
def told(what: str) -> Iterator[None]:
    """Turns what the operating system says of the disk into DiskFailed; other errors pass."""
    try:
        yield
    except OSError as error:
        found = of_number(what, error.errno)
        if found is None:
            raise
        raise found from error
