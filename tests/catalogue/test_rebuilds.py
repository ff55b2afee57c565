"""When the index is owed a rebuild: asked for, or because a public record has left it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from paper_index import PaperIndex
from truths import SOURCE, World, dataset

from catalogue import rebuilds
from catalogue.ports import Page
from catalogue.project import Projector
from catalogue.rebuild import rebuild
from catalogue.rebuilds import WAIT, Rebuilds
from schema.access import Visibility
from schema.activities import HarvestMode
from schema.records import Kind, Reject

HIDDEN = Visibility(public=False, groups=("ill:x",))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "truth.sqlite")
    world.put(*(dataset(name) for name in "abc"))
    yield world
    world.database.close()


def test_what_comes_or_changes_owes_nothing(world: World) -> None:
    world.put(dataset("a", title="Another"), dataset("new"), dataset("hidden", visibility=HIDDEN))
    assert Rebuilds(world.database).due() is None


@pytest.mark.parametrize("how", ["removed", "hidden"])
def test_a_public_record_that_left_owes_a_rebuild_within_the_hour(world: World, how: str) -> None:
    left = world.clock()
    if how == "removed":
        world.harvest(Page(gone=((Kind.DATASET, "a"),)))
    else:
        world.put(dataset("a", visibility=HIDDEN))
    world.clock.forward(minutes=5)
    world.harvest(Page(gone=((Kind.DATASET, "b"),)))
    ledger = Rebuilds(world.database)
    assert ledger.due() == left + WAIT, "the first that left sets the time"
    assert timedelta(hours=1) > WAIT
    ledger.done(world.records.public_head(), 1, world.clock())
    assert ledger.due() is None
    world.harvest(Page(gone=((Kind.DATASET, "c"),)))
    assert ledger.due() == world.clock() + WAIT


def test_what_comes_back_is_owed_nothing_any_more(world: World) -> None:
    world.harvest(Page(gone=((Kind.DATASET, "a"),)))
    world.put(dataset("a"))
    assert Rebuilds(world.database).due() is None


@pytest.mark.parametrize(("hour", "day"), [(0, 1), (1, 1), (2, 2), (13, 2)])
def test_a_large_index_is_rebuilt_in_the_next_night(
    world: World, monkeypatch: pytest.MonkeyPatch, hour: int, day: int
) -> None:
    monkeypatch.setattr(rebuilds, "SMALL", 1)
    world.clock.now = datetime(2026, 6, 1, hour, tzinfo=UTC)
    world.harvest(Page(gone=((Kind.DATASET, "a"),)))
    assert Rebuilds(world.database).due() == datetime(2026, 6, day, 2, tzinfo=UTC)


def test_one_that_is_asked_for_is_due_at_once_and_asked_for_once(world: World) -> None:
    ledger = Rebuilds(world.database)
    id = ledger.request("somebody")
    assert ledger.due() == world.clock()
    world.clock.forward(minutes=1)
    assert ledger.request("somebody else") == id
    ledger.failed("The counts differ.")
    found = ledger.rebuild(id)
    assert found is not None
    assert (found.ended, found.message, found.by) == (None, "The counts differ.", "somebody")
    ledger.done(world.records.public_head(), 3, world.clock())
    found = ledger.rebuild(id)
    assert found is not None
    assert (found.ended, found.documents, found.message) == (world.clock(), 3, "")
    assert ledger.due() is None


def test_one_asked_for_while_another_was_built_is_still_owed(world: World) -> None:
    ledger = Rebuilds(world.database)
    began = world.clock()
    world.clock.forward(seconds=5)
    ledger.request("somebody")
    ledger.done(world.records.public_head(), 3, began)
    assert ledger.due() is not None


def test_a_departure_while_it_was_built_is_still_owed(world: World) -> None:
    ledger, projector = Rebuilds(world.database), Projector(world.records, PaperIndex())
    began, head = world.clock(), world.records.public_head()
    count = rebuild(projector)
    world.harvest(Page(gone=((Kind.DATASET, "a"),)), source=SOURCE)
    ledger.done(head, count, began)
    assert ledger.due() == world.clock() + WAIT


def test_what_an_index_cannot_take_is_kept_as_a_reject_and_its_record_stays(world: World) -> None:
    reject = Reject(SOURCE, "dataset", "a", "index", "The engine cannot take it.", "{}")
    for _ in range(2):
        world.harvests.refuse(reject)
    ((_, kept, _, _, count),) = world.harvests.rejects(SOURCE, 9, None)
    assert (kept.id, kept.reason, count) == ("a", "index", 2)
    run = world.harvest(Page((dataset("b"), dataset("c"))), mode=HarvestMode.FULL)
    assert world.harvests.unseen(run, [Kind.DATASET]).unseen == 1
    assert world.records.record(SOURCE, Kind.DATASET, "a") is not None
