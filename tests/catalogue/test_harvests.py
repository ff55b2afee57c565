"""The ledger of harvests: pages as transactions, resuming, sweeping, fencing, rejects."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace
from truths import SOURCE, World, changed, dataset, instrument

from catalogue.ports import Page
from schema.activities import Bookmark, HarvestMode, HarvestState
from schema.errors import LeaseLost
from schema.records import Kind, Reject

D = Kind.DATASET


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "truth.db")


def bad(id: str, raw: str = "{}", reason: str = "no-title") -> Reject:
    return Reject(SOURCE, "dataset", id, reason, "It has no title.", raw)


def test_a_page_is_kept_with_numbers_from_one(world: World) -> None:
    done = world.put(dataset("a"), dataset("b"), instrument("i"))
    assert (done.figures.added, done.figures.seen, done.figures.pages) == (3, 3, 1)
    assert [number for number, _, _ in changed(world.records, 0, 10)] == [1, 2, 3]
    assert world.records.head() == world.records.public_head() == world.records.count() == 3
    assert world.records.record(SOURCE, D, "a") == dataset("a")


def test_equal_content_again_is_only_seen(world: World) -> None:
    world.put(dataset("a"))
    again = world.put(dataset("a"))
    assert (again.figures.unchanged, again.figures.added, again.figures.changed) == (1, 0, 0)
    assert world.records.head() == 1
    assert world.harvests.unseen(again, [D]).unseen == 0


def test_what_changed_gets_the_next_number_and_only_that_one(world: World) -> None:
    world.put(dataset("a"), dataset("b"))
    world.put(dataset("a", title="Other"), dataset("b"))
    assert changed(world.records, 0, 10) == [(2, D, "ill/dataset/b"), (3, D, "ill/dataset/a")]


def test_what_the_source_says_is_gone_leaves_a_tombstone_with_a_number(world: World) -> None:
    world.put(dataset("a"))
    done = world.harvest(Page(gone=((D, "a"), (D, "never was"))))
    assert done.figures.removed == 1
    assert changed(world.records, 1, 10) == [(2, D, "ill/dataset/a")]
    assert world.records.documents(D, ["ill/dataset/a"]) == {}
    assert world.records.count() == 0
    assert world.records.public_changed(0, 9) == [(2, D, "ill/dataset/a", False)]
    back = world.put(dataset("a"))
    assert back.figures.changed == 1
    assert world.records.documents(D, ["ill/dataset/a"])["ill/dataset/a"].version == 3


def test_gone_beats_sent_in_one_page_and_leaves_nothing_behind(world: World) -> None:
    world.put(instrument("i"))
    world.harvest(Page(records=(dataset("a"),), gone=((D, "a"),)))
    assert world.records.record(SOURCE, D, "a") is None
    assert world.records.count() == 1


def test_the_same_page_sent_twice_counts_once(world: World) -> None:
    lease = world.lease()
    begun = world.harvests.begin(lease, SOURCE, HarvestMode.FULL)
    page = Page(records=(dataset("a"),), rejects=(bad("x"),), bookmark=Bookmark({"at": 1}))
    first = world.harvests.commit(lease, begun, page)
    assert world.harvests.commit(lease, begun, page) == first
    assert world.harvests.rejects(None, 10, None)[0][4] == 1


def test_an_interrupted_harvest_goes_on_at_its_bookmark(world: World) -> None:
    lease = world.lease()
    begun = world.harvests.begin(lease, SOURCE, HarvestMode.FULL)
    world.harvests.commit(lease, begun, Page(records=(dataset("a"),), bookmark=Bookmark({"after": "a"})))
    world.clock.forward(seconds=61)
    other = world.lease(owner="next")
    resumed = world.harvests.begin(other, SOURCE, HarvestMode.FULL)
    assert (resumed.id, resumed.bookmark, resumed.figures.added) == (begun.id, Bookmark({"after": "a"}), 1)
    world.harvests.close(other, resumed, HarvestState.FAILED, "down", None)
    again = world.harvests.begin(other, SOURCE, HarvestMode.FULL)
    assert (again.id, again.state, again.message) == (begun.id, HarvestState.RUNNING, "")
    world.harvests.close(other, again, HarvestState.DONE, "", Bookmark({"since": 1}))
    assert world.harvests.begin(other, SOURCE, HarvestMode.FULL).id != begun.id
    assert world.harvests.bookmark(SOURCE) == Bookmark({"since": 1})


def test_bookmarks_and_harvests_of_modes_do_not_mix(world: World) -> None:
    lease = world.lease()
    full = world.harvests.begin(lease, SOURCE, HarvestMode.FULL)
    increment = world.harvests.begin(lease, SOURCE, HarvestMode.INCREMENTAL)
    assert full.id != increment.id
    world.harvests.close(lease, increment, HarvestState.DONE, "", None)
    assert world.harvests.bookmark(SOURCE) == Bookmark()


def test_who_lost_the_lease_and_has_it_again_does_not_go_on_under_the_old_one(world: World) -> None:
    """What another one did in between is not known to whoever still works under the old one, in another thread of the same process, say."""
    old = world.lease(owner="one")
    harvest = world.harvests.begin(old, SOURCE, HarvestMode.FULL)
    world.clock.forward(seconds=61)
    between = world.lease(owner="two")
    world.harvests.commit(between, harvest, Page(records=(dataset("b"),)))
    world.harvests.release(between)
    again = world.lease(owner="one")
    assert again.fence > between.fence > old.fence
    for lost in (old, between):
        with pytest.raises(LeaseLost):
            world.harvests.commit(lost, harvest, Page(records=(dataset("a"),)))
        with pytest.raises(LeaseLost):
            world.harvests.renew(lost, 60)
        world.harvests.release(lost)
    world.harvests.commit(again, harvest, Page(records=(dataset("c"),)))
    assert world.records.count() == 2


def test_who_lost_the_lease_writes_nothing(world: World) -> None:
    old = world.lease()
    harvest = world.harvests.begin(old, SOURCE, HarvestMode.FULL)
    world.clock.forward(seconds=61)
    world.lease(owner="next")
    page = Page(records=(dataset("a"),), bookmark=Bookmark({"after": "a"}))
    for write in (
        lambda: world.harvests.commit(old, harvest, page),
        lambda: world.harvests.sweep(old, harvest, [D]),
        lambda: world.harvests.close(old, harvest, HarvestState.DONE, "", None),
        lambda: world.harvests.begin(old, SOURCE, HarvestMode.FULL),
        lambda: world.harvests.renew(old, 60),
    ):
        with pytest.raises(LeaseLost):
            write()
    assert world.records.head() == 0
    assert world.harvests.harvests(SOURCE, 9, None)[0].bookmark == Bookmark()


def test_a_lease_is_one_at_a_time_and_its_fence_rises(world: World) -> None:
    first = world.harvests.acquire("x", "a", 60)
    assert first is not None
    assert world.harvests.acquire("x", "b", 60) is None
    longer = world.harvests.renew(first, 600)
    world.clock.forward(seconds=300)
    assert world.harvests.acquire("x", "b", 60) is None
    world.harvests.release(longer)
    second = world.harvests.acquire("x", "b", 60)
    assert second is not None
    assert second.fence > first.fence
    world.harvests.release(first)
    assert world.harvests.acquire("x", "c", 60) is None


def test_a_full_harvest_sweeps_what_it_did_not_see(world: World) -> None:
    world.put(dataset("a"), dataset("b"), dataset("c"), instrument("i"))
    lease = world.lease()
    full = world.harvests.begin(lease, SOURCE, HarvestMode.FULL)
    full = world.harvests.commit(
        lease, full, Page(records=(dataset("a"),), seen=((D, "b", None), (D, "unknown", None)))
    )
    found = world.harvests.unseen(full, [D])
    assert (found.unseen, found.present, found.released) == (1, 3, False)
    assert world.harvests.sweep(lease, full, [D]) == 1
    assert world.harvests.sweep(lease, full, [D]) == 0
    assert world.harvests.close(lease, full, HarvestState.DONE, "", None).figures.removed == 1
    assert world.records.count() == 3


def test_what_a_later_increment_saw_is_not_swept_by_an_older_full_harvest(world: World) -> None:
    lease = world.lease()
    full = world.harvests.begin(lease, SOURCE, HarvestMode.FULL)
    full = world.harvests.commit(lease, full, Page(records=(dataset("a"),)))
    increment = world.harvests.begin(lease, SOURCE, HarvestMode.INCREMENTAL)
    world.harvests.commit(lease, increment, Page(records=(dataset("a", title="Newer"), dataset("b"))))
    assert world.harvests.unseen(full, [D]).unseen == 0


def test_a_held_sweep_is_released_by_a_person_for_one_full_harvest(world: World) -> None:
    world.put(*(dataset(str(n)) for n in range(60)))
    lease = world.lease()
    full = world.harvests.begin(lease, SOURCE, HarvestMode.FULL)
    assert not world.harvests.release_sweep(SOURCE, "operator")
    world.harvests.close(lease, full, HarvestState.HELD, "60 would go", None)
    assert world.harvests.release_sweep(SOURCE, "operator")
    assert world.harvests.owed(world.clock()) == [(SOURCE, HarvestMode.FULL)]
    again = world.harvests.begin(lease, SOURCE, HarvestMode.FULL)
    assert again.id != full.id
    assert world.harvests.unseen(again, [D]).released
    while world.harvests.sweep(lease, again, [D], 50):
        pass
    world.harvests.close(lease, again, HarvestState.DONE, "", None)
    assert world.records.count() == 0
    assert not world.harvests.unseen(again, [D]).released


def test_a_reject_keeps_the_last_good_record_and_a_good_one_clears_it(world: World) -> None:
    world.put(dataset("a"))
    world.clock.forward(hours=1)
    world.harvest(Page(rejects=(bad("a"), bad("", "no id at all"))))
    done = world.harvest(Page(rejects=(bad("a", "x" * 300_000),)), mode=HarvestMode.FULL, sweep=[D])
    assert done.figures.rejected == 1
    assert world.records.record(SOURCE, D, "a") == dataset("a")
    (_, reject, first, last, count), *rest = world.harvests.rejects(SOURCE, 10, None)
    assert (reject.id, reject.reason, count, len(reject.raw)) == ("a", "no-title", 2, 256 * 1024)
    assert first == last == world.clock()
    assert rest == [], "a complete walk that does not meet a reject again forgets it"
    world.put(dataset("a", title="Good"))
    assert world.harvests.rejects(None, 10, None) == []


def test_another_revision_of_equal_content_is_no_change(world: World) -> None:
    world.put(dataset("a", revision="1"))
    done = world.put(dataset("a", revision="2"))
    assert (done.figures.unchanged, world.records.head()) == (1, 1)
    assert owing(world, (D, "a", "2"), (D, "a", None)) == []
    assert world.records.documents(D, ["ill/dataset/a"])["ill/dataset/a"].record.revision is None


def owing(world: World, *seen: tuple[Kind, str, str | None]) -> list[tuple[Kind, str]]:
    """What is owed after a sweep that named those."""
    world.harvest(Page(seen=seen))
    return world.harvests.owing(SOURCE, 99)


def test_owed_is_what_the_truth_lacks_or_has_of_another_revision(world: World) -> None:
    world.put(dataset("a", revision="1"), dataset("b", revision="1"), dataset("dead"))
    world.harvest(Page(rejects=(bad("r"),), gone=((D, "dead"),)))
    told = [(D, "a", "1"), (D, "b", "2"), (D, "r", "1"), (D, "new", "1"), (D, "dead", None), (D, "b", None)]
    assert owing(world, *told) == [(D, "b"), (D, "dead"), (D, "new")]


def test_a_refused_record_is_owed_when_it_changes_and_only_then(world: World) -> None:
    world.put(dataset("a", revision="1"))
    world.harvest(Page(rejects=(replace(bad("a"), revision="2"), replace(bad("r"), revision="1"))))
    assert owing(world, (D, "a", "2"), (D, "r", "1"), (D, "r", None)) == []
    assert owing(world, (D, "a", "1"), (D, "r", "2")) == [(D, "a"), (D, "r")]


def test_what_is_owed_outlives_the_harvest_until_it_is_fetched_or_everything_is_asked_for(world: World) -> None:
    names = [(D, str(number)) for number in range(4)]
    assert owing(world, *((kind, id, "1") for kind, id in names)) == names
    assert owing(world, (D, "0", "2")) == names, "named twice, owed once"
    world.harvest(Page(records=(dataset("0"),), settled=(names[0], names[0], (D, "never was"))))
    assert world.harvests.owing(SOURCE, 2) == names[1:3]
    assert world.harvests.owing("another/source", 9) == []
    world.harvests.begin(world.lease(), SOURCE, HarvestMode.FULL)
    assert world.harvests.owing(SOURCE, 9) == []


def test_an_interrupted_increment_that_a_later_harvest_has_overtaken_is_over(world: World) -> None:
    lease = world.lease()
    cut = world.harvests.begin(lease, SOURCE, HarvestMode.INCREMENTAL)
    world.harvests.commit(lease, cut, Page(bookmark=Bookmark({"after": "m"})))
    full = world.harvests.begin(lease, SOURCE, HarvestMode.FULL)
    world.harvests.close(lease, full, HarvestState.DONE, "", Bookmark({"cursor": 9}))
    ended = world.harvests.harvests(SOURCE, 9, None)[-1]
    assert (ended.id, ended.state) == (cut.id, HarvestState.FAILED)
    assert f"harvest {full.id}" in ended.message
    world.harvests.release(lease)
    assert world.harvests.owed(world.clock()) == []
    fresh = world.harvests.begin(world.lease(), SOURCE, HarvestMode.INCREMENTAL)
    assert (fresh.bookmark, fresh.id > full.id) == (Bookmark(), True)


def test_a_failed_increment_that_a_later_harvest_has_overtaken_is_begun_anew(world: World) -> None:
    lease = world.lease()
    failed = world.harvests.begin(lease, SOURCE, HarvestMode.INCREMENTAL)
    failed = world.harvests.commit(lease, failed, Page(bookmark=Bookmark({"after": "m"})))
    world.harvests.close(lease, failed, HarvestState.FAILED, "It does not answer.", None)
    full = world.harvests.begin(lease, SOURCE, HarvestMode.FULL)
    assert world.harvests.begin(lease, SOURCE, HarvestMode.INCREMENTAL).id == failed.id, "not overtaken yet"
    world.harvests.close(lease, failed, HarvestState.FAILED, "It does not answer.", None)
    world.harvests.close(lease, full, HarvestState.DONE, "", Bookmark({"cursor": 9}))
    assert world.harvests.begin(lease, SOURCE, HarvestMode.INCREMENTAL).id > full.id


def test_an_increment_whose_owed_names_a_full_harvest_forgot_sets_out_anew(world: World) -> None:
    """Else, when the full one fails, it would end well beyond names that nobody has fetched."""
    lease = world.lease()
    cut = world.harvests.begin(lease, SOURCE, HarvestMode.INCREMENTAL)
    world.harvests.commit(lease, cut, Page(seen=((D, "new", "1"),), bookmark=Bookmark({"swept": "new"})))
    full = world.harvests.begin(lease, SOURCE, HarvestMode.FULL)
    world.harvests.close(lease, full, HarvestState.FAILED, "It does not answer.", None)
    again = world.harvests.begin(lease, SOURCE, HarvestMode.INCREMENTAL)
    assert (again.id, again.bookmark, world.harvests.owing(SOURCE, 9)) == (cut.id, Bookmark(), [])


def test_an_increment_that_owed_nothing_keeps_its_place(world: World) -> None:
    lease = world.lease()
    cut = world.harvests.begin(lease, SOURCE, HarvestMode.INCREMENTAL)
    world.harvests.commit(lease, cut, Page(bookmark=Bookmark({"swept": "m"})))
    world.harvests.begin(lease, SOURCE, HarvestMode.FULL)
    assert world.harvests.begin(lease, SOURCE, HarvestMode.INCREMENTAL).bookmark == Bookmark({"swept": "m"})


def test_an_interrupted_full_harvest_goes_on_after_increments_and_leaves_their_bookmark(world: World) -> None:
    lease = world.lease()
    full = world.harvests.begin(lease, SOURCE, HarvestMode.FULL)
    world.harvests.commit(lease, full, Page(bookmark=Bookmark({"after": "m"})))
    increment = world.harvests.begin(lease, SOURCE, HarvestMode.INCREMENTAL)
    world.harvests.close(lease, increment, HarvestState.DONE, "", Bookmark({"cursor": 9}))
    again = world.harvests.begin(lease, SOURCE, HarvestMode.FULL)
    assert (again.id, again.bookmark) == (full.id, Bookmark({"after": "m"}))
    world.harvests.close(lease, again, HarvestState.DONE, "", Bookmark({"cursor": 3}))
    assert world.harvests.bookmark(SOURCE) == Bookmark({"cursor": 9})


def test_a_reject_named_in_an_id_sweep_is_not_forgotten(world: World) -> None:
    world.harvest(Page(rejects=(bad("r"),)))
    world.harvest(Page(seen=((D, "r", None),)), mode=HarvestMode.FULL, sweep=[D])
    assert len(world.harvests.rejects(SOURCE, 9, None)) == 1


def test_rejects_are_paged_by_id(world: World) -> None:
    world.harvest(Page(rejects=tuple(bad(str(n)) for n in range(5))))
    first = world.harvests.rejects(SOURCE, 2, None)
    rest = world.harvests.rejects(SOURCE, 9, first[-1][0])
    assert [reject.id for _, reject, *_ in (*first, *rest)] == ["0", "1", "2", "3", "4"]
    assert world.harvests.rejects("another/source", 9, None) == []


def test_asking_is_owed_until_begun_and_a_cut_harvest_until_its_lease_ends(world: World) -> None:
    world.harvests.request("b/x", HarvestMode.INCREMENTAL, "me")
    world.harvests.request("a/x", HarvestMode.FULL, "me")
    world.harvests.request("b/x", HarvestMode.INCREMENTAL, "another")
    both = [("b/x", HarvestMode.INCREMENTAL), ("a/x", HarvestMode.FULL)]
    assert world.harvests.owed(world.clock()) == both
    lease = world.lease("b/x")
    world.harvests.begin(lease, "b/x", HarvestMode.INCREMENTAL)
    assert world.harvests.owed(world.clock()) == both[1:]
    assert world.harvests.owed(world.clock() + timedelta(seconds=61)) == [both[1], both[0]]


def test_states_tell_how_each_source_stands(world: World) -> None:
    world.put(dataset("a"))
    world.harvests.request("ill/other", HarvestMode.FULL, "me")
    world.clock.forward(hours=1)
    lease = world.lease()
    failed = world.harvests.begin(lease, SOURCE, HarvestMode.INCREMENTAL)
    world.harvests.close(lease, failed, HarvestState.FAILED, "It does not answer.", None)
    other, source = world.harvests.states()
    assert (other.source, other.records, other.last, other.last_done) == ("ill/other", 0, None, None)
    assert (source.records, source.failing_since, source.message) == (1, world.clock(), "It does not answer.")
    assert source.last_done == world.clock() - timedelta(hours=1)
    assert source.running is None
    world.harvests.begin(lease, SOURCE, HarvestMode.INCREMENTAL)
    assert world.harvests.states()[1].running is not None


def test_harvests_are_listed_newest_first(world: World) -> None:
    ids = [world.put(dataset("a", title=str(n))).id for n in range(3)]
    assert [harvest.id for harvest in world.harvests.harvests(None, 2, None)] == [ids[2], ids[1]]
    assert [harvest.id for harvest in world.harvests.harvests(SOURCE, 9, ids[1])] == [ids[0]]


def test_a_foreign_prefix_is_quarantined_and_own_names_are_not(tmp_path: Path) -> None:
    world = World(tmp_path / "truth.db", prefixes={"ill": ["10.5291"]})
    world.put(dataset("own", pid="10.5291/x"), dataset("local"), dataset("foreign", pid="10.5442/x"))
    assert world.records.count() == 2
    (_, reject, *_), *rest = world.harvests.rejects(SOURCE, 9, None)
    assert (reject.id, reject.reason, rest) == ("foreign", "foreign-prefix", [])
    world.put(dataset("x", source="ess/scicat", pid="10.9999/unchecked"))
    assert world.records.count() == 3


def test_a_pid_stays_with_the_facility_that_brought_it_first(world: World) -> None:
    world.put(dataset("a", pid="10.1/x"))
    world.put(dataset("b", source="ess/scicat", pid="10.1/x", title="Stolen"))
    assert world.records.documents(D, ["10.1/x"])["10.1/x"].record == dataset("a", pid="10.1/x")
    assert [reject.reason for _, reject, *_ in world.harvests.rejects("ess/scicat", 9, None)] == ["pid-owned"]


def test_a_page_of_another_source_is_a_mistake(world: World) -> None:
    lease = world.lease()
    harvest = world.harvests.begin(lease, SOURCE, HarvestMode.FULL)
    with pytest.raises(ValueError, match="another source"):
        world.harvests.commit(lease, harvest, Page(records=(dataset("a", source="ess/scicat"),)))


def test_an_ended_harvest_takes_no_more_pages(world: World) -> None:
    ended = world.put(dataset("a"))
    with pytest.raises(ValueError, match="ended"):
        world.harvests.commit(world.lease(), ended, Page(records=(dataset("b"),)))


def test_two_writers_never_share_a_change_number(tmp_path: Path) -> None:
    """Two connections of their own, as two processes have: the default transaction start gave half the numbers twice."""
    path = tmp_path / "truth.db"
    worlds = [World(path), World(path)]
    failures: list[Exception] = []

    def work(world: World, source: str) -> None:
        try:
            pages = [
                Page(records=tuple(dataset(f"{page}-{n}", source=source) for n in range(20))) for page in range(25)
            ]
            world.harvest(*pages, source=source)
        except Exception as error:  # noqa: BLE001  a thread's failure is the test's
            failures.append(error)

    threads = [threading.Thread(target=work, args=(world, f"f{n}/s")) for n, world in enumerate(worlds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    numbers = [number for number, _, _ in changed(worlds[0].records, 0, 2_000)]
    assert numbers == list(range(1, 1_001))
    assert worlds[0].records.head() == worlds[0].records.public_head() == 1_000


def test_a_reader_never_meets_a_gap(tmp_path: Path) -> None:
    world = World(tmp_path / "truth.db")
    done = threading.Event()
    gaps: list[list[int]] = []

    def watch() -> None:
        mark = 0
        while not done.is_set() or mark < world.records.head():
            numbers = [number for number, _, _ in changed(world.records, mark, 50)]
            if numbers != list(range(mark + 1, mark + 1 + len(numbers))):
                gaps.append(numbers)
            mark = numbers[-1] if numbers else mark

    reader = threading.Thread(target=watch)
    reader.start()
    world.harvest(*(Page(records=tuple(dataset(f"{page}-{n}") for n in range(7))) for page in range(60)))
    done.set()
    reader.join()
    assert gaps == []
