"""The line of a harvest against a harvester that does as it is told: leases, sweeps, guards, rejects, failures."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import truths
from harvesting import FULL, INCREMENTAL
from truths import SOURCE, World, dataset

from harvesters import harvest as line
from harvesters.harvest import harvest
from harvesters.ports import End, Order, Step
from schema.activities import Bookmark, HarvestMode, HarvestState
from schema.errors import RetryLater, StopHarvest
from schema.records import Kind, Reject

END = End(complete=True, kinds=(Kind.DATASET,), next=Bookmark({"n": 1}))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "truth.db")


def run(world: World, *items: object, mode: HarvestMode = FULL, orders: list[Order] | None = None) -> truths.Harvest:
    """A harvest of those steps; an exception among them is raised in its place."""

    def walk(order: Order) -> Iterator[Step | End]:
        if orders is not None:
            orders.append(order)
        for item in items:
            if isinstance(item, Exception):
                raise item
            assert isinstance(item, Step | End)
            yield item

    done = harvest(SOURCE, mode, walk, world.harvests, "test")
    assert done is not None
    return done


def many(count: int) -> tuple[Step, ...]:
    return tuple(
        Step(records=(dataset(f"d{n}"),), bookmark=Bookmark({"at": n}), message="datasets") for n in range(count)
    )


def ids(world: World) -> set[str]:
    return {each.record.id for each in world.records.walk()}


def test_what_was_not_seen_is_removed_at_the_end_of_a_complete_walk(world: World) -> None:
    run(world, *many(5), END)
    assert run(world, *many(3), END).figures.removed == 2
    assert ids(world) == {"d0", "d1", "d2"}


def test_nothing_is_removed_by_a_walk_that_was_not_complete_or_failed(world: World) -> None:
    run(world, *many(5), END)
    run(world, *many(3), End(complete=False, kinds=(Kind.DATASET,), next=Bookmark()))
    for error in (RetryLater("later"), StopHarvest("reason", "A person must act.")):
        failed = run(world, *many(1), error)
        assert failed.state is HarvestState.FAILED
        assert failed.message == error.message
    assert run(world, *many(2)).state is HarvestState.FAILED  # a walk that just stops
    assert len(ids(world)) == 5


@pytest.mark.parametrize(("gone", "state"), [(50, HarvestState.DONE), (51, HarvestState.HELD)])
def test_more_than_fifty_gone_wait_for_a_person_who_may_release_them(
    world: World, gone: int, state: HarvestState
) -> None:
    whole = Step(records=tuple(dataset(f"d{n}") for n in range(100)))
    rest = Step(records=tuple(dataset(f"d{n}") for n in range(100 - gone)))
    run(world, whole, END)
    held = run(world, rest, END)
    assert held.state is state
    assert len(ids(world)) == (100 if state is HarvestState.HELD else 100 - gone)
    if state is HarvestState.HELD:
        assert "--release-sweep" in held.message
        assert run(world, rest, END).state is HarvestState.HELD
        assert world.harvests.release_sweep(SOURCE, "operator")
        assert run(world, rest, END).figures.removed == gone
        assert len(ids(world)) == 100 - gone


def reject(id: str) -> Reject:
    return Reject(SOURCE, "dataset", id, "wrong-type", "A sentence.", '{"raw": 1}')


def test_rejects_are_kept_with_their_raw_record_and_stop_nothing(world: World) -> None:
    done = run(world, *many(9), Step(rejects=(reject("bad"),)), END)
    assert done.state is HarvestState.DONE
    ((_, kept, _, _, count),) = world.harvests.rejects(SOURCE, 10, None)
    assert (kept.id, kept.reason, kept.raw, count) == ("bad", "wrong-type", '{"raw": 1}', 1)
    run(world, *many(9), Step(records=(dataset("bad"),)), END)
    assert world.harvests.rejects(SOURCE, 10, None) == []


def test_a_harvest_of_mostly_rejects_is_degraded_and_an_incremental_one_keeps_its_place(world: World) -> None:
    run(world, *many(3), END)
    bad = Step(rejects=tuple(reject(f"bad{n}") for n in range(3)))
    later = End(complete=False, kinds=(), next=Bookmark({"n": 2}))
    done = run(world, *many(3), bad, later, mode=INCREMENTAL)
    assert done.state is HarvestState.DEGRADED
    assert world.harvests.bookmark(SOURCE).state == {"n": 1}


def test_a_failed_harvest_goes_on_from_its_last_page(world: World) -> None:
    orders: list[Order] = []
    first = run(world, *many(3), RetryLater("later"), orders=orders)
    again = run(world, *many(5)[3:], END, orders=orders)
    assert again.id == first.id
    assert orders[-1].resume.state == {"at": 2}
    assert len(ids(world)) == 5


def test_names_the_truth_lacks_or_has_otherwise_are_asked_for_until_they_come(world: World) -> None:
    run(world, Step(records=(dataset("a", revision="1"), dataset("b", revision="1"))), END)
    orders: list[Order] = []
    names = Step(
        seen=((Kind.DATASET, "a", "1"), (Kind.DATASET, "b", "2"), (Kind.DATASET, "c", None)),
        bookmark=Bookmark({"at": 1}),
    )

    def walk(order: Order) -> Iterator[Step | End]:
        orders.append(order)
        if order.ids and len(orders) == 2:
            raise RetryLater("later")
        if not order.resume.state:
            yield Step(records=(dataset("b", revision="2"), dataset("c"))) if order.ids else names
        yield End(complete=False, kinds=(), next=Bookmark()) if order.ids else END

    failed = harvest(SOURCE, INCREMENTAL, walk, world.harvests, "test")
    assert failed is not None
    assert failed.bookmark.state == {"at": 1}
    done = harvest(SOURCE, INCREMENTAL, walk, world.harvests, "test")
    assert done is not None
    assert done.state is HarvestState.DONE
    assert orders[2].resume.state == {"at": 1}, "no name is read twice"
    assert [order.ids for order in orders if order.ids][-1] == ((Kind.DATASET, "b"), (Kind.DATASET, "c"))
    assert ids(world) == {"a", "b", "c"}


@pytest.mark.parametrize("visit", range(1, 10))
def test_a_process_that_dies_while_it_fetches_late_names_leaves_them_to_the_next(tmp_path: Path, visit: int) -> None:
    """Killed at every transaction of that phase: what was named is fetched, once, and nothing is named again."""
    left = [10_000]

    def at(name: str) -> None:
        left[0] -= name.startswith(("page: ", "sweep: ", "close: ")) and name.endswith("commit")
        if left[0] == 0:
            raise KeyboardInterrupt

    world = World(tmp_path / "truth.db", at=at)
    run(world, Step(records=(dataset("gone"), dataset("kept", revision="1"))), END)
    wanted = {f"x{n}" for n in range(6)}
    named: list[Order] = []
    fetched: list[str] = []

    def walk(order: Order) -> Iterator[Step | End]:
        if not order.ids and not order.resume.state:
            named.append(order)
            seen = [(Kind.DATASET, id, "1") for id in sorted(wanted | {"kept", "ghost"})]
            yield Step(seen=tuple(seen), bookmark=Bookmark({"named": True}))
        for kind, id in order.ids:
            assert kind is Kind.DATASET
            fetched.append(id)
            yield Step(records=(dataset(id, revision="1"),) if id in wanted else ())
        yield END

    left[0] = 2 + visit
    with pytest.raises(KeyboardInterrupt):
        harvest(SOURCE, INCREMENTAL, walk, world.harvests, "test")
    left[0] = 10_000
    world.clock.forward(hours=1)  # the dead process gave no lease back
    done = harvest(SOURCE, INCREMENTAL, walk, world.harvests, "next")
    assert done is not None
    assert (done.state, len(named)) == (HarvestState.DONE, 1)
    assert ids(world) == wanted | {"kept"}, "what the sweep named is there, what it did not name is gone"
    assert world.harvests.owing(SOURCE, 9) == []
    again = [id for id in wanted if fetched.count(id) > 1]
    assert len(again) <= 1, "only what was in hand when it died is fetched twice"


def test_late_names_are_asked_for_in_portions_and_none_is_left(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "LATE", 4)
    run(world, *many(1), END)
    names = Step(seen=tuple((Kind.DATASET, f"x{n}", None) for n in range(10)))

    def walk(order: Order) -> Iterator[Step | End]:
        yield Step(records=tuple(dataset(id) for _, id in order.ids)) if order.ids else names
        yield END

    harvest(SOURCE, INCREMENTAL, walk, world.harvests, "test")
    assert ids(world) == {f"x{n}" for n in range(10)}


def test_a_step_of_many_records_is_committed_in_pages_of_five_hundred(world: World) -> None:
    done = run(world, Step(records=tuple(dataset(f"d{n}") for n in range(1_001)), bookmark=Bookmark({"at": 1})), END)
    assert done.figures.pages == 3
    assert len(ids(world)) == 1_001


def test_a_source_under_somebody_elses_lease_is_left_alone(world: World) -> None:
    world.harvests.acquire(f"source:{SOURCE}", "another", 60)
    assert harvest(SOURCE, FULL, lambda _order: iter([END]), world.harvests, "test") is None


def test_a_lease_lost_in_the_middle_ends_the_work_and_the_next_holder_goes_on(world: World) -> None:
    def walk(order: Order) -> Iterator[Step | End]:
        for place, step in enumerate(many(4)):
            if place == 2 and not order.resume.state:
                world.clock.forward(hours=1)
                assert world.harvests.acquire(f"source:{SOURCE}", "another", 1) is not None
            yield step
        yield END

    assert harvest(SOURCE, FULL, walk, world.harvests, "test") is None
    assert ids(world) == {"d0", "d1"}
    world.clock.forward(hours=1)
    done = harvest(SOURCE, FULL, walk, world.harvests, "next")
    assert done is not None
    assert done.state is HarvestState.DONE
    assert len(ids(world)) == 4
