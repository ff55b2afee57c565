"""Several batches at once: the mark never passes what is not written, and no document is in two batches that are under way."""

import threading
import time
from collections.abc import Sequence

import pytest
import strategies as made
from contracts.index import dataset
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogue.ports import Entry
from catalogue.several import Several
from schema.errors import Unavailable

batches = st.lists(st.lists(st.integers(0, 6), min_size=1, max_size=3, unique=True), max_size=12)


class Recorder:
    """What would write: notes what is under way, what is written, which marks were given; fails at the batch told."""

    def __init__(self, fails_at: int | None) -> None:
        self._fails_at = fails_at
        self._lock = threading.Lock()
        self._under_way: list[str] = []
        self.written: set[int] = set()
        self.marks: list[int] = []
        self.wrong: list[str] = []

    def __call__(self, entries: Sequence[Entry], mark: int) -> None:
        names = [entry.pid for entry in entries]
        with self._lock:
            if set(names) & set(self._under_way):
                self.wrong.append("a document is in two batches under way")
            if mark:
                self.marks.append(mark)
                if not set(range(1, mark + 1)) <= self.written | {entry.version for entry in entries}:
                    self.wrong.append(f"mark {mark} passes what is not written")
            self._under_way += names
        versions = {entry.version for entry in entries}
        time.sleep(0.0005 * (max(versions, default=0) % 3))
        with self._lock:
            for name in names:
                self._under_way.remove(name)
            if self._fails_at in versions:
                raise Unavailable("this one is not taken")
            self.written |= versions


@settings(max_examples=60)
@given(made_of=batches, count=st.sampled_from([1, 2, 3]), fails_at=st.none() | st.integers(1, 12))
def test_marks_follow_what_is_written_in_order(made_of: list[list[int]], count: int, fails_at: int | None) -> None:
    record, version, last = Recorder(fails_at), 0, 0
    try:
        with Several(record, count) as several:
            for pids in made_of:
                entries = [made.entry(dataset(pid), version + at) for at, pid in enumerate(pids, start=1)]
                version += len(pids)
                several.apply(entries, version)
                last = version
    except Unavailable:
        assert fails_at is not None
    else:
        assert record.marks[-1:] == ([last] if last else [])
        assert record.written == set(range(1, last + 1))
    assert record.wrong == []
    assert record.marks == sorted(record.marks)
    assert all(fails_at is None or mark < fails_at or count == 1 for mark in record.marks)


def test_what_goes_wrong_elsewhere_waits_for_what_is_under_way_and_gives_no_mark() -> None:
    record = Recorder(None)

    def broken() -> None:
        with Several(record, 2) as several:
            several.apply([made.entry(dataset(1), 1)], 1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert (record.written, record.marks) == ({1}, [])
