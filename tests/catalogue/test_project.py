"""From the truth to the index: incremental equals full, whatever happened and wherever it was cut."""

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from paper_index import PaperIndex
from truths import World, at_instrument, dataset, instrument

from catalogue.index.embedded import EmbeddedIndex
from catalogue.ports import Entry, Page
from catalogue.project import Projector
from catalogue.query import Search
from catalogue.rebuild import rebuild
from schema.access import Visibility
from schema.errors import Unavailable
from schema.records import Document, Kind, decode_document

D = Kind.DATASET


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "truth.db")


def projector(world: World, index: Any = None) -> Projector:
    return Projector(world.records, PaperIndex() if index is None else index)


def walked(world: World) -> dict[tuple[Kind, str], tuple[Document, bool]]:
    return {
        (document.record.kind, document.record.pid): (document, document.public_number is not None)
        for document in world.records.walk()
    }


def test_the_index_follows_the_truth_in_batches(world: World) -> None:
    follower = projector(world)
    world.put(*(dataset(str(n)) for n in range(25)))
    assert follower.project(10) == 25
    assert follower.index.batches == [10, 10, 5]
    assert (follower.index.mark(), follower.index.live()) == (25, walked(world))
    world.harvest(Page(gone=((D, "3"),)))
    assert follower.project() == 1
    assert follower.index.live() == walked(world)
    assert follower.project() == 0


def test_who_loses_the_duty_begins_no_further_batch_and_another_goes_on_from_the_mark(world: World) -> None:
    world.put(*(dataset(str(number)) for number in range(9)))
    first = projector(world)
    turns = iter([True, True, False])
    assert first.project(4, going=lambda: next(turns)) == 4
    assert first.index.mark() == 4
    assert Projector(world.records, first.index).project(4) == 5
    assert first.index.mark() == world.records.head()


def test_hidden_documents_are_entered_as_such_and_move_when_their_embargo_ends(world: World) -> None:
    follower = projector(world)
    ends = world.clock() + timedelta(days=1)
    world.put(dataset("a", visibility=Visibility(public=False, public_from=ends)))
    follower.project()
    assert [public for _, public in follower.index.live().values()] == [False]
    world.clock.forward(days=1)
    assert follower.project() == 1
    assert [public for _, public in follower.index.live().values()] == [True]


def test_owed_touches_are_done_before_the_head_is_reached(world: World) -> None:
    follower = projector(world)
    world.put(instrument("i"), *(dataset(f"{n:04}", instruments=at_instrument("i")) for n in range(400)))
    world.put(*(dataset(f"{n:04}", instruments=at_instrument("i")) for n in range(400, 800)))
    follower.project()
    world.put(instrument("i", name="D17"))
    assert follower.project() == 801
    assert follower.index.live() == walked(world)


class Cut(Exception):
    """The power went."""


@pytest.mark.parametrize("point", ["project: before apply", "project: after apply", "project: ripened"])
def test_a_cut_anywhere_is_made_good_by_the_next_run(world: World, point: str) -> None:
    index = PaperIndex()
    world.put(*(dataset(str(n), visibility=Visibility(public=False, public_from=world.clock())) for n in range(30)))
    world.put(dataset("late", visibility=Visibility(public=False, public_from=world.clock() + timedelta(days=1))))
    world.clock.forward(days=2)
    seen = 0

    def at(name: str) -> None:
        nonlocal seen
        seen += name == point
        if name == point and seen % 2:
            raise Cut

    for _ in range(20):
        try:
            Projector(world.records, index, at).project(7)
        except Cut:
            continue
        break
    assert seen > 0
    assert index.live() == walked(world)
    assert index.mark() == world.records.head()


def test_a_rebuild_gives_the_same_as_following(world: World) -> None:
    follower = projector(world)
    world.put(instrument("i"), *(dataset(str(n), instruments=at_instrument("i")) for n in range(12)))
    follower.project()
    world.harvest(Page(records=(instrument("i", name="D17"),), gone=((D, "3"),)))
    follower.project()
    followed = follower.index.live()
    told: list[tuple[int, int]] = []
    assert rebuild(follower, 5, lambda done, total: told.append((done, total))) == 12
    assert follower.index.live() == followed == walked(world)
    assert follower.index.mark() == world.records.head()
    assert told == [(5, 12), (10, 12), (12, 12)]


def test_what_happens_during_a_rebuild_is_in_the_new_index(world: World) -> None:
    index = PaperIndex()

    def at(name: str) -> None:
        if name == "rebuild: filled":
            world.harvest(Page(records=(dataset("new"), dataset("1", title="Other")), gone=((D, "2"),)))
        if name == "rebuild: caught up":
            world.put(dataset("newer"))

    world.put(*(dataset(str(n)) for n in range(5)))
    assert rebuild(Projector(world.records, index, at)) == 6
    assert (index.live(), index.mark()) == (walked(world), world.records.head())


def test_projecting_beside_a_rebuild_never_leaves_a_hole(world: World) -> None:
    follower = projector(world)
    stop = threading.Event()

    def follow() -> None:
        while not stop.is_set():
            follower.project(7)

    world.put(*(dataset(str(n)) for n in range(50)))
    thread = threading.Thread(target=follow)
    thread.start()
    for turn in range(6):
        world.put(*(dataset(f"{turn}-{n}") for n in range(20)))
        rebuild(follower, 16)
    stop.set()
    thread.join()
    follower.project()
    assert (follower.index.live(), follower.index.mark()) == (walked(world), world.records.head())


def test_a_rebuild_that_differs_from_the_truth_is_thrown_away(world: World) -> None:
    follower = projector(world)
    world.put(dataset("a"), dataset("b"))
    follower.project()
    before = follower.index.live()
    lose: Callable[[], int] = world.records.count
    world.records.count = lambda: lose() + 1  # type: ignore[method-assign]
    with pytest.raises(Unavailable, match="holds 2 documents and the truth 3"):
        rebuild(follower)
    assert follower.index.live() == before


def test_the_embedded_index_follows_and_is_rebuilt(world: World, tmp_path: Path) -> None:
    index = EmbeddedIndex(tmp_path / "index")
    follower = projector(world, index)
    hidden = Visibility(public=False, groups=("ill:x",))
    world.put(*(dataset(str(n)) for n in range(10)), *(dataset(f"h{n}", visibility=hidden) for n in range(3)))
    follower.project()
    world.harvest(Page(gone=((D, "0"),)))
    follower.project()
    for _ in range(2):
        assert index.search(Search()).total == 9
        assert index.get(D, "ill/dataset/0", frozenset({"ill:x"})) is None
        raw = index.get(D, "ill/dataset/h1", frozenset({"ill:x"}))
        assert raw is not None
        assert decode_document(raw) == world.records.documents(D, ["ill/dataset/h1"])["ill/dataset/h1"]
        assert index.get(D, "ill/dataset/h1", frozenset()) is None
        assert index.mark() == world.records.head()
        rebuild(follower)
    index.close()


def test_an_entry_of_a_document_that_died_in_the_meantime_removes_it(world: World) -> None:
    world.put(dataset("a"))
    applied: list[Entry] = []
    index = PaperIndex()
    keep = index.apply

    def apply(entries: Any, mark: int) -> None:
        applied.extend(entries)
        keep(entries, mark)

    index.apply = apply  # type: ignore[method-assign]
    changed = world.records.changed
    once: list[int] = []

    def raced(after: int, limit: int) -> list[tuple[int, Kind, str]]:
        news = changed(after, limit)
        if not once:
            once.append(1)
            world.harvest(Page(gone=((D, "a"),)))
        return news

    world.records.changed = raced  # type: ignore[method-assign]
    Projector(world.records, index).project()
    assert [(entry.version, entry.document) for entry in applied] == [(1, None), (2, None)]
    assert index.live() == {}
