"""A disk that is full or fails, on purpose: this file fills a small file system of its own, and arms a library that lets calls fail.

The library (faults.c) is compiled with the machine's C compiler; the file system is a tmpfs, which root may mount. Where one of them is
missing, `Missing` says so.
"""

from __future__ import annotations

import errno
import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

WRITE, SYNC, CREATE, RENAME, SIZE, READ = 1, 2, 4, 8, 16, 32
CHANGING = WRITE | SYNC | CREATE | RENAME | SIZE
FULL, FAILING = errno.ENOSPC, errno.EIO

_HEAD = struct.Struct("6i")
_SIZE = _HEAD.size + 232
_SOURCE = Path(__file__).with_name("faults.c")


class Missing(Exception):
    """This machine lacks what it takes."""


@dataclass(frozen=True)
class Fault:
    """Calls of these kinds on files whose path contains `part` end with the error `number`, after `skip` good ones, so many `times`."""

    number: int
    part: str
    operations: int = CHANGING
    skip: int = 0
    times: int = 1


def compiled(folder: Path) -> Path:
    """The library, made in that folder."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise Missing("there is no C compiler (apt install gcc libc6-dev) for the library that makes a disk fail")
    made = folder / "faults.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", str(made), str(_SOURCE), "-ldl"], check=True)
    return made


def control(path: Path) -> Path:
    """A file that tells the library nothing yet."""
    path.write_bytes(bytes(_SIZE))
    return path


def arm(path: Path, fault: Fault | None) -> None:
    """From now on, processes that were started with this file (PANGATE_FAULTS) meet the fault, or none."""
    told = bytes(_SIZE)
    if fault is not None:
        head = _HEAD.pack(fault.number, fault.operations, fault.skip, fault.times, 0, 0)
        told = head + os.fsencode(fault.part).ljust(_SIZE - _HEAD.size, b"\0")
    with path.open("r+b", buffering=0) as file:
        file.write(told)


def met(path: Path) -> tuple[int, int]:
    """How many calls the fault looked at since it was armed, and how many it let fail."""
    seen, failed = _HEAD.unpack(path.read_bytes()[: _HEAD.size])[4:]
    return seen, failed


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A file system of so many bytes, mounted in the folder while the context lasts. Raises Missing where that is not allowed."""
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        raise Missing("only root may mount the small file system that is to be full")
    done = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={size},mode=700", "pangate-small-disk", str(folder)],
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise Missing(f"a small file system cannot be mounted here: {done.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path: Path, left: int) -> Path:
    """A file that takes the room of its file system, but for so many bytes."""
    free = shutil.disk_usage(path.parent).free
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(4096, free - left))
    return path
