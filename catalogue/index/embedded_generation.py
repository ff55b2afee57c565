"""This file is one generation of the embedded index: a folder with a directory for each kind, public and not, and its mark."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from catalogue.index import durable
from catalogue.index.embedded_schema import FORMAT, identity, row, tombstone
from catalogue.index.embedded_shelf import Shelf, View, engine
from catalogue.index.terms import terms
from catalogue.index.vocabulary import Techniques
from catalogue.ports import Entry
from schema.errors import DiskFailed, Unavailable
from schema.records import Kind, encode_document

Key = tuple[bool, Kind]  # public, kind


class Generation:
    """A folder of shelves. One thread writes at a time; reading ones take views."""

    def __init__(self, folder: Path, techniques: Techniques, at: Callable[[str], None]) -> None:
        self.folder = folder
        self._techniques = techniques
        self._at = at
        self._shelves: dict[Key, Shelf] = {}
        for public in (True, False):
            for kind in Kind:
                if self._place((public, kind)).is_dir():
                    self._shelves[public, kind] = self._open((public, kind))
        self.mark = _number(durable.read(folder / "mark"))
        self._seen = durable.stamp(folder / "mark")

    @staticmethod
    def create(folder: Path) -> None:
        """A new, empty generation on disk."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        durable.write(folder / "format", FORMAT)

    @staticmethod
    def sound(folder: Path) -> bool:
        """Whether the folder holds a generation of this format."""
        return durable.read(folder / "format") == FORMAT

    def view(self, public: bool, kind: Kind) -> View | None:
        """The present state of a shelf, or None when nothing was ever written to it."""
        shelf = self._shelves.get((public, kind))
        return shelf.view if shelf else None

    def live(self) -> int:
        """How many documents are committed, in all shelves."""
        return sum(shelf.view.live() for shelf in self._shelves.values())

    def follow(self) -> None:
        """See what another process has committed since."""
        seen = durable.stamp(self.folder / "mark")
        if seen == self._seen:
            return
        for public in (True, False):
            for kind in Kind:
                shelf = self._shelves.get((public, kind))
                if shelf is not None:
                    shelf.reload()
                elif self._place((public, kind)).is_dir():
                    self._shelves[public, kind] = self._open((public, kind))
        self._seen, self.mark = seen, _number(durable.read(self.folder / "mark"))

    def write(self, entries: Sequence[Entry]) -> None:
        """Write what is newer than what is held; nothing is durable or seen before `commit`."""
        newest: dict[tuple[Kind, str], Entry] = {}
        for entry in entries:
            held = newest.get((entry.kind, entry.pid))
            if held is None or held.version < entry.version:
                newest[entry.kind, entry.pid] = entry
        with engine(self.folder):
            for kind in dict.fromkeys(entry.kind for entry in newest.values()):
                self._write_kind(kind, [entry for entry in newest.values() if entry.kind is kind])

    def commit(self, mark: int) -> None:
        """Make everything written durable and seen, then move the mark. Raises Unavailable; nothing uncommitted is kept then."""
        try:
            for public in (True, False):  # what is hidden leaves the public index first
                for shelf in self._of(public):
                    with engine(self.folder):
                        shelf.commit()
                    self._at(f"index.{'public' if public else 'restricted'}.committed")
        except BaseException:
            self.give_up()
            raise
        with engine():
            reached = max(mark, self.mark)
            durable.write(self.folder / "mark", str(reached))  # even when it stays: readers follow this file
            self.mark = reached
            self._seen = durable.stamp(self.folder / "mark")
        self._at("index.marked")

    def give_up(self) -> None:
        """Forget what was not committed."""
        for shelf in self._shelves.values():
            shelf.give_up()

    def settle(self) -> None:
        """Let merges end and close the writers."""
        for shelf in self._shelves.values():
            with engine():
                shelf.settle()

    def _write_kind(self, kind: Kind, entries: list[Entry]) -> None:
        public, restricted = self._shelf((True, kind)), self._shelf((False, kind))
        pids = [entry.pid for entry in entries]
        shown, hidden = public.versions(pids), restricted.versions(pids)
        for entry in entries:
            self._write(entry, (public, shown), (restricted, hidden))

    def _write(
        self, entry: Entry, public: tuple[Shelf, dict[int, int]], restricted: tuple[Shelf, dict[int, int]]
    ) -> None:
        """One entry. A document that a crash left in both indexes at different versions is put right even by a repeat."""
        key = identity(entry.pid)
        target, other = (public, restricted) if entry.public and entry.make else (restricted, public)
        there, elsewhere = target[1].get(key, -1), other[1].get(key, -1)
        if max(there, elsewhere) > entry.version or (there == entry.version and elsewhere < 0):
            return
        for shelf, held in (public, restricted):
            if held.get(key, -1) >= 0:
                shelf.remove(entry.pid)
        if entry.make is None:
            target[0].add(entry.pid, entry.version, tombstone(entry.pid, entry.version))
            return
        document = entry.make()
        found = terms(document, self._techniques, public=entry.public)
        cells = row(found, encode_document(document), public=entry.public)
        target[0].add(entry.pid, entry.version, cells | {"version": entry.version})

    def _of(self, public: bool) -> Iterable[Shelf]:
        return [shelf for (shown, _), shelf in self._shelves.items() if shown is public and shelf.dirty]

    def _shelf(self, key: Key) -> Shelf:
        if key not in self._shelves:
            self._shelves[key] = self._open(key)
        return self._shelves[key]

    def _open(self, key: Key) -> Shelf:
        with engine():
            return Shelf(self._place(key), public=key[0])

    def _place(self, key: Key) -> Path:
        return self.folder / f"{'public' if key[0] else 'restricted'}-{key[1].value}"


def opened(folder: Path, techniques: Techniques, at: Callable[[str], None]) -> Generation | None:
    """The generation in the folder, or None when there is none that can be read (then it must be built again). Raises DiskFailed: what
    the disk does not give now is not lost."""
    if not Generation.sound(folder):
        return None
    try:
        return Generation(folder, techniques, at)
    except DiskFailed:
        raise
    except Unavailable:
        return None


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0
