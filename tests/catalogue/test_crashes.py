"""Killed in the middle of things: the next run makes it the same as if nothing had happened."""

import itertools
import multiprocessing
import os
import random
import signal
import sqlite3
from pathlib import Path

import pytest
from truths import SOURCE, World, at_instrument, changed, dataset, in_investigation, instrument, investigation

from catalogue import links
from catalogue.index.embedded import EmbeddedIndex
from catalogue.ports import Page
from catalogue.project import Projector
from schema.activities import Bookmark, HarvestMode, HarvestState
from schema.records import Kind, Reject, decode_document

pytestmark = pytest.mark.crash
TRIALS = 12
GONE = ((Kind.DATASET, "0-3"),)


def pages() -> list[Page]:
    """A walk with everything in it: what is named comes last, and changes; rejects; deaths."""
    found = []
    for number in range(4):
        datasets = tuple(
            dataset(f"{number}-{n}", investigation=in_investigation("i"), instruments=at_instrument("a"))
            for n in range(8)
        )
        named = (instrument("a", name=f"name {number}"), investigation("i", title=f"title {number}"))
        reject = Reject(SOURCE, "dataset", f"bad {number}", "no-title", "It has no title.", "{}")
        gone = GONE if number == 3 else ()
        found.append(Page((*datasets, *named), (reject,), gone, (), Bookmark({"page": number + 1})))
    return found


def run(folder: Path, calls: int | None) -> None:
    """A harvest and its projection; killed at the named point that comes after so many calls."""
    left = itertools.count(calls if calls is not None else -1, -1)

    def at(_name: str) -> None:
        if next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    links.AT_ONCE = 5
    world = World(folder / "truth.db", at=at)
    index = EmbeddedIndex(folder / "index", at=at)
    follower = Projector(world.records, index, at)
    if not world.harvests.harvests(SOURCE, 1, None) or world.harvests.owed(world.clock().replace(year=2100)):
        world.clock.forward(days=len(world.harvests.harvests(None, 99, None)))
        lease = world.harvests.acquire(SOURCE, f"process {os.getpid()}", 0)
        assert lease is not None
        harvest = world.harvests.begin(lease, SOURCE, HarvestMode.FULL)
        for page in pages()[harvest.bookmark.state.get("page", 0) :]:
            harvest = world.harvests.commit(lease, harvest, page)
            follower.project(5)
        while world.harvests.sweep(lease, harvest, list(Kind)):
            pass
        world.harvests.close(lease, harvest, HarvestState.DONE, "", None)
    follower.project(5)
    index.close()
    world.database.close()


def child(folder: Path, calls: int | None) -> int | None:
    process = multiprocessing.get_context("fork").Process(target=run, args=(folder, calls))
    process.start()
    process.join()
    return process.exitcode


def state(folder: Path) -> object:
    """All that is kept, without numbers and times that depend on the path taken."""
    world = World(folder / "truth.db")
    index = EmbeddedIndex(folder / "index")
    names = [(document.record.kind, document.record.pid) for document in world.records.walk()]
    kept = {
        (kind, pid): decode_document(index.get(kind, pid, frozenset()) or b"").record
        for kind, pid in [*names, (Kind.DATASET, "ill/dataset/0-3")]
        if index.get(kind, pid, frozenset()) is not None
    }
    truth = {(document.record.kind, document.record.pid): document.record for document in world.records.walk()}
    versions = {number for number, _, _ in changed(world.records, 0, 10_000)}
    assert kept == truth
    assert index.mark() == world.records.head() == max(versions)
    rejects = [(reject.id, count) for _, reject, _, _, count in world.harvests.rejects(None, 99, None)]
    (harvest,) = world.harvests.harvests(None, 9, None)
    index.close()
    world.database.close()
    assert sqlite3.connect(folder / "truth.db").execute("PRAGMA integrity_check").fetchone() == ("ok",)
    return truth, rejects, harvest.figures, harvest.state, harvest.bookmark


def test_killed_at_any_named_point_the_next_start_ends_where_an_uncut_run_ends(tmp_path: Path) -> None:
    (tmp_path / "uncut").mkdir()
    assert child(tmp_path / "uncut", None) == 0
    expected = state(tmp_path / "uncut")
    chance = random.Random(20260101)
    killed = 0
    for trial in range(TRIALS):
        folder = tmp_path / str(trial)
        folder.mkdir()
        for _ in range(40):
            code = child(folder, chance.randrange(40))
            killed += code == -signal.SIGKILL
            if code == 0:
                break
        assert child(folder, None) == 0
        assert state(folder) == expected
    assert killed >= TRIALS, "most runs are cut several times"
