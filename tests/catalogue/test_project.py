"""From the truth to the index: incremental equals full, whatever happened and wherever it was cut."""

import gc
import threading
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from types import CellType, FunctionType
from typing import Any

import msgspec
import pytest
from paper_index import PaperIndex, PaperRebuild
from truths import World, at_instrument, dataset, instrument

from catalogue.assembly import Kept
from catalogue.index.embedded import EmbeddedIndex
from catalogue.ports import Entry, Held, Page
from catalogue.project import Projector, changes
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


class Forgetful(PaperIndex):
    """An index whose rebuilds lose `lost` of what they are given without a word, refuse `refused`, and bring `extra` of their own."""

    def __init__(self, *, lost: str = "", refused: str = "", extra: str = "") -> None:
        super().__init__()
        self.lost, self.refused, self.extra = lost, refused, extra
        self.built: list[ForgetfulRebuild] = []

    def rebuild(self) -> "ForgetfulRebuild":
        self.built.append(ForgetfulRebuild(self))
        return self.built[-1]


class ForgetfulRebuild(PaperRebuild):
    """What it is given is not all it has."""

    def __init__(self, target: Forgetful) -> None:
        super().__init__(target)
        self._left_out = {f"ill/dataset/{id}" for id in (*target.lost, *target.refused)}
        self._refused = len(target.refused)
        for id in target.extra:
            pid = f"ill/dataset/{id}"
            self.entries[D, pid] = Entry(D, pid, 0, partial(Document, dataset(id), provenance=(), version=0), True)

    def apply(self, entries: Sequence[Entry], mark: int) -> None:
        super().apply([entry for entry in entries if entry.pid not in self._left_out], mark)

    def held(self) -> Held:
        return msgspec.structs.replace(super().held(), refused=self._refused)


@pytest.mark.parametrize(
    ("faults", "told"),
    [
        ({"lost": "b"}, r"lacks 1 of 3 documents \(it holds 2 and refused 0\); the old one stays"),
        ({"lost": "b", "refused": "c"}, r"lacks 1 of 3 documents \(it holds 1 and refused 1\)"),
        ({"extra": "xy"}, r"has 2 too many of 3 documents \(it holds 5"),
    ],
)
def test_an_index_that_does_not_hold_what_it_was_given_is_not_swapped_in(
    world: World, faults: dict[str, str], told: str
) -> None:
    index = Forgetful(**faults)
    follower = projector(world, index)
    world.put(*(dataset(name) for name in "abc"))
    follower.project()
    before = index.live()
    for _ in range(2):
        with pytest.raises(Unavailable, match=told):
            rebuild(follower)
    assert (index.live(), index.mark()) == (before, world.records.head())
    assert [one.abandoned for one in index.built] == [True, True]
    index.lost = index.extra = ""
    assert rebuild(follower) == 3 - len(index.refused), "the next one is made as if nothing had been"


def test_what_the_engine_refuses_makes_no_rebuild_impossible(world: World) -> None:
    index = Forgetful(refused="b")
    world.put(*(dataset(name) for name in "abc"))
    assert rebuild(projector(world, index)) == 2
    assert {pid for _, pid in index.live()} == {"ill/dataset/a", "ill/dataset/c"}


def test_a_walk_that_leaves_out_a_record_is_found_out_by_the_truths_own_count(world: World) -> None:
    follower = projector(world)
    world.put(dataset("a"), dataset("b"))
    whole = world.records.entries
    world.records.entries = lambda kind=None: islice(whole(kind), 1)  # type: ignore[method-assign]
    with pytest.raises(Unavailable, match=r"lacks 1 of 2 documents \(it holds 1 "):
        rebuild(follower)


@pytest.mark.parametrize("lost", ["", "b"])
def test_a_truth_that_never_stands_still_is_compared_all_the_same(world: World, lost: str) -> None:
    """A harvest commits between any two looks: then the engine is held against what it was given."""
    index = Forgetful(lost=lost)
    world.put(*(dataset(name) for name in "abc"))
    count, counted = world.records.count, 0

    def moving() -> int:
        nonlocal counted
        counted += 1
        found = count()
        world.put(dataset(f"new{counted}"))
        return found

    world.records.count = moving  # type: ignore[method-assign]
    follower = projector(world, index)
    if lost:
        with pytest.raises(Unavailable, match="lacks 1 of 14 documents"):
            rebuild(follower)
        assert index.live() == {}
    else:
        assert rebuild(follower) == 14
        world.records.count = count  # type: ignore[method-assign]
        follower.project()
        assert index.live() == walked(world)
    assert counted == 11, "ten rounds, and one for who watches"


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


def test_a_document_that_died_after_it_was_read_is_removed_by_its_next_change(world: World) -> None:
    world.put(dataset("a"))
    applied: list[Entry] = []
    index = PaperIndex()
    keep = index.apply

    def apply(entries: Any, mark: int) -> None:
        applied.extend(entries)
        keep(entries, mark)

    index.apply = apply  # type: ignore[method-assign]
    read = world.records.news
    once: list[int] = []

    def raced(after: int, limit: int) -> list[Entry]:
        news = read(after, limit)
        if not once:
            once.append(1)
            world.harvest(Page(gone=((D, "a"),)))
        return news

    world.records.news = raced  # type: ignore[method-assign]
    Projector(world.records, index).project()
    assert [(entry.version, entry.make is None) for entry in applied] == [(1, False), (2, True)]
    assert index.live() == {}


def test_what_was_read_is_let_go_of_without_a_search_for_cycles(world: World) -> None:
    world.put(instrument("i"), *(dataset(str(number), instruments=at_instrument("i")) for number in range(20)))
    list(changes(world.records, 0, 50))  # the statements are made
    gc.collect()
    gc.disable()
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        assert sum(len(entries) for entries, _ in changes(world.records, 0, 50)) == 21
        gc.collect()
        kept = Counter(type(one) for one in gc.garbage)
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert not {Kept, FunctionType, CellType, partial} & set(kept), (
        "a document would stay until Python looks for cycles"
    )
