"""The embedded index keeps the contract of every index, and its own promises about files, locks and crashes."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import msgspec
import oracle
import pytest
import strategies as made
from contracts.index import (
    TEAM,
    BruteForce,
    Facets,
    Filters,
    Pages,
    Rebuilds,
    Scopes,
    Suggestions,
    Words,
    Writes,
    asked,
    dataset,
    numbers,
    write,
)

from catalogue.index import durable, relevance
from catalogue.index.embedded import EmbeddedIndex
from catalogue.query import ParameterIs, Scope, Search
from schema.errors import CursorExpired, Unavailable
from schema.records import Dataset, Kind, Parameter

Fresh = Callable[[], EmbeddedIndex]


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Fresh]:
    """Makes new indexes, closed at the end."""
    opened: list[EmbeddedIndex] = []
    numbers = count()

    def make() -> EmbeddedIndex:
        opened.append(EmbeddedIndex(tmp_path / str(next(numbers)), techniques=oracle.Tree()))
        return opened[-1]

    yield make
    for index in opened:
        index.close()


class TestScopes(Scopes):
    """Two worlds."""


class TestWords(Words):
    """Text."""


class TestFilters(Filters):
    """Fields, times, parameters."""


class TestFacets(Facets):
    """Counts."""


class TestPages(Pages):
    """Orders."""


class TestSuggestions(Suggestions):
    """Completions."""


class TestWrites(Writes):
    """Versions."""


class TestRebuilds(Rebuilds):
    """Swaps."""


class TestBruteForce(BruteForce):
    """Anything."""


def test_a_second_writer_is_told_so_and_a_reader_may_come(tmp_path: Path) -> None:
    first = EmbeddedIndex(tmp_path)
    with pytest.raises(Unavailable):
        EmbeddedIndex(tmp_path)
    reader = EmbeddedIndex(tmp_path, writable=False)
    with pytest.raises(Unavailable):
        reader.apply([made.entry(dataset(1), 1)], 1)
    with pytest.raises(Unavailable):
        reader.rebuild()
    first.close()
    EmbeddedIndex(tmp_path).close()


def test_a_reader_follows_commits_and_swaps(tmp_path: Path) -> None:
    reader = EmbeddedIndex(tmp_path, writable=False)
    assert (reader.search(Search()).total, reader.mark(), reader.counts(), reader.suggest("film", 5)) == (0, 0, {}, [])
    writer = EmbeddedIndex(tmp_path)
    write(writer, dataset(1))
    assert (numbers(reader.search(Search())), reader.mark()) == ([1], 1)
    write(writer, dataset(2), dataset(3, visibility=TEAM), start=2)
    assert numbers(reader.search(Search())) == [1, 2]
    assert reader.get(Kind.DATASET, dataset(3).pid, frozenset(TEAM.groups)) is not None
    rebuild = writer.rebuild()
    rebuild.apply([made.entry(dataset(9), 9)], 9)
    rebuild.swap()
    assert (numbers(reader.search(Search())), reader.mark()) == ([9], 9)
    reader.close()
    writer.close()


@pytest.mark.parametrize("moment", ["pointer", "format", "directory", "mark"])
def test_a_swap_in_the_very_moment_a_reader_looks_is_followed(
    tmp_path: Path, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was replaced is removed: wherever a reader is on its way into it, it must not end there, nor believe in half of it."""
    writer, reader = EmbeddedIndex(tmp_path), EmbeddedIndex(tmp_path, writable=False)
    write(writer, dataset(1))
    assert numbers(reader.search(Search())) == [1]
    if moment == "mark":
        write(writer, dataset(2), start=2)
    else:
        swapped(writer, dataset(1), dataset(2))
    left = [True]

    def at_once(path: Path) -> None:
        met = {"current": "pointer", "format": "format", "mark": "mark"}.get(path.name, "directory")
        if left and met == moment:
            left.clear()
            swapped(writer, dataset(1), dataset(2), dataset(3))

    stamp, read, is_dir = durable.stamp, durable.read, Path.is_dir
    monkeypatch.setattr(durable, "read", lambda path: (read(path), at_once(path))[0])
    monkeypatch.setattr(durable, "stamp", lambda path: (stamp(path), path.name == "mark" and at_once(path))[0])
    monkeypatch.setattr(
        Path, "is_dir", lambda path: (is_dir(path), path.name.startswith("public-") and at_once(path))[0]
    )
    assert numbers(reader.search(Search())) == [1, 2, 3]
    assert not left, "it was met"
    reader.close()
    writer.close()


def swapped(writer: EmbeddedIndex, *records: Dataset) -> None:
    """Build an index of these anew, and take it."""
    rebuild = writer.rebuild()
    rebuild.apply([made.entry(each, at) for at, each in enumerate(records, 1)], len(records))
    rebuild.swap()


def test_what_was_written_is_there_after_reopening(tmp_path: Path) -> None:
    index = EmbeddedIndex(tmp_path)
    write(index, dataset(1), dataset(2, visibility=TEAM))
    index.close()
    again = EmbeddedIndex(tmp_path)
    assert (again.search(Search()).total, again.mark()) == (1, 2)
    again.apply([made.entry(dataset(1, title="old"), 1)], 2)
    assert again.search(asked("old")).total == 0
    again.close()


@pytest.mark.parametrize("harm", ["format", "meta", "segment", "pointer", "gone"])
def test_a_broken_index_asks_to_be_built(tmp_path: Path, harm: str) -> None:
    index = EmbeddedIndex(tmp_path)
    write(index, dataset(1))
    index.close()
    generation = tmp_path / (tmp_path / "current").read_text()
    match harm:
        case "format":
            (generation / "format").write_text("0")
        case "meta":
            (generation / "public-dataset" / "meta.json").write_text("{")
        case "segment":
            for file in (generation / "public-dataset").glob("*.term"):
                file.unlink()
        case "pointer":
            (tmp_path / "current").write_text("../..")
        case _:
            (tmp_path / "current").unlink()
    reader = EmbeddedIndex(tmp_path, writable=False)
    assert (reader.mark(), reader.search(Search()).total) == (0, 0)
    again = EmbeddedIndex(tmp_path)
    assert (again.mark(), again.search(Search()).total) == (0, 0)
    write(again, dataset(2))
    assert numbers(again.search(Search())) == numbers(reader.search(Search())) == [2]
    again.close()


def test_cursors_by_relevance_live_five_minutes(tmp_path: Path) -> None:
    now = [0.0]
    index = EmbeddedIndex(tmp_path, clock=lambda: now[0])
    write(index, *(dataset(at, title="film") for at in range(4)))
    position = index.search(asked("film", first=1)).hits[-1].position
    now[0] = 299.0
    second = index.search(asked("film", first=1, after=position))
    assert numbers(second) == [1]
    now[0] = 598.0  # each page lengthens the life
    assert numbers(index.search(asked("film", first=1, after=second.hits[-1].position))) == [2]
    now[0] = 899.0
    with pytest.raises(CursorExpired):
        index.search(asked("film", first=1, after=position))
    index.close()


def test_a_long_list_of_mine_is_newest_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("catalogue.index.embedded.CEILING", 3)
    assert relevance.CEILING == 5_000
    index = EmbeddedIndex(tmp_path)
    write(index, *(dataset(at, title="film", visibility=TEAM) for at in range(5)))
    search = asked("film", scope=Scope.MINE, groups=frozenset(TEAM.groups), first=2)
    found = index.search(search)
    assert [hit.score for hit in found.hits] == [None, None]
    rest = index.search(msgspec.structs.replace(search, first=9, after=found.hits[-1].position))
    assert numbers(found) + numbers(rest) == [0, 1, 2, 3, 4]
    index.close()


def test_more_ranges_of_one_name_than_slots_are_found_by_the_widest_and_by_their_ends(tmp_path: Path) -> None:
    index = EmbeddedIndex(tmp_path)
    ranges = tuple(
        Parameter(name="gap", source_name="gap", min=float(at * 10), max=float(at * 10 + 1 + at / 10))
        for at in range(12)
    )
    write(index, dataset(1, parameters=ranges))
    assert index.search(Search(clauses=(ParameterIs("gap", 110.4, 110.6),))).total == 1
    assert index.search(Search(clauses=(ParameterIs("gap", -5, 0.5),))).total == 1
    assert index.search(Search(clauses=(ParameterIs("gap", 5, 6),))).total == 0
    index.close()


class Fault(RuntimeError):
    """A wished fault."""


STEPS = ["index.public.committed", "index.restricted.committed", "index.marked", "index.built", "index.pointed"]


@pytest.mark.parametrize("step", STEPS)
def test_a_fault_at_any_step_is_mended_by_doing_it_again(tmp_path: Path, step: str) -> None:
    armed = [False]

    def at(name: str) -> None:
        if armed[0] and name == step:
            armed[0] = False
            raise Fault(name)

    index = EmbeddedIndex(tmp_path, at=at)
    write(index, dataset(1), dataset(2, visibility=TEAM))
    moved = [made.entry(dataset(1, visibility=TEAM), 3), made.entry(dataset(2), 4), made.entry(dataset(3), 5)]
    armed[0] = True
    if step in ("index.built", "index.pointed"):
        rebuild = index.rebuild()
        rebuild.apply(moved, 5)
        with pytest.raises(Fault):
            rebuild.swap()
    else:
        with pytest.raises(Fault):
            index.apply(moved, 5)
    index.close()
    again = EmbeddedIndex(tmp_path)
    again.apply(moved, 5)
    mine = Search(scope=Scope.MINE, groups=frozenset(TEAM.groups))
    assert (numbers(again.search(Search())), numbers(again.search(mine)), again.mark()) == ([2, 3], [1], 5)
    again.close()


@pytest.mark.crash
def test_killed_writers_lose_nothing_and_leave_nothing_that_blocks(tmp_path: Path) -> None:
    """kill -9 at a random moment, twelve times: what was acknowledged is there, and the next writer goes on."""
    for round_ in range(12):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(round_)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        ) as child:
            assert child.stdout is not None
            for _ in range(3 + round_ % 4):
                acknowledged = int(child.stdout.readline())
            child.send_signal(signal.SIGKILL)
            acknowledged = max([acknowledged, *map(int, child.stdout.read().split())])
        index = EmbeddedIndex(tmp_path)
        assert index.mark() >= acknowledged
        found = index.search(Search(first=50))
        assert found.total == 10
        assert min(hit.document().version for hit in found.hits) > index.mark() - 10
        index.close()


WRITER = """
import sys
from itertools import count
from pathlib import Path
import strategies as made
from contracts.index import dataset
from catalogue.index.embedded import EmbeddedIndex
index = EmbeddedIndex(Path(sys.argv[1]))
for version in count(index.mark() + 1, 10):
    index.apply([made.entry(dataset(at), version + at) for at in range(10)], version + 9)
    print(version + 9, flush=True)
"""
