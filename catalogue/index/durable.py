"""This file is small files that are whole after a crash, and the lock that makes one process the writer."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import TextIO

from schema.errors import Unavailable


def write(path: Path, text: str) -> None:
    """Replace the file: after a crash it holds the old text or the new."""
    aside = path.with_name(f"{path.name}.new")
    with aside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    sync(path.parent)


def read(path: Path) -> str:
    """The text of the file, empty when there is none or it is not text."""
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError, UnicodeDecodeError):
        return ""


def sync(folder: Path) -> None:
    """Make the folder's entries survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Make a folder and all below it survive a loss of power."""
    for path in folder.rglob("*"):
        sync(path)
    sync(folder)


def stamp(path: Path) -> tuple[int, int]:
    """What changes whenever `write` replaced the file."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return (0, 0)
    return (found.st_ino, found.st_mtime_ns)


def locked(path: Path) -> TextIO:
    """The lock file, held by us until it is closed or the process ends. Raises Unavailable while another holds it."""
    file = path.open("a", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise Unavailable("Another process writes this index.") from None
    return file
