"""An index is built anew and swapped again and again, its builder is killed in the middle, while others read and write: nobody notices.

Every search is held against what can never change (so many documents are always there, whole and in order), and every reader against
what it has seen before (no change is unseen again). PANGATE_SWAPS: how many swaps (20; with PANGATE_SOAK 500).
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from contracts.index import pids, walk
from parted_house import ROOT, PartedHouse
from servers.elasticsearch import Elasticsearch
from servers.wiping import made_name, wipe
from small_federation import SECRETS, federation_file
from soak import SEED, how_many, keep
from swap_driver import SWAP

from catalogue.ports import Index, Page
from catalogue.project import project
from catalogue.query import AnyOf, FacetWish, Field, Scope, Search, Sort
from pangate.house import House
from schema.access import Visibility
from schema.activities import Bookmark, HarvestMode, HarvestState
from schema.errors import CursorExpired
from schema.records import Dataset, Kind, encode_document
from schema.text import parse

SWAPS = how_many("PANGATE_SWAPS", 20, 500)
SOURCE = "freya/scicat"
STEADY, HIDDEN, COUNTED, FLEETING = 260, 40, 30, 60
TEAM = Visibility(public=False, groups=("freya:team",))
PAUSE_S = 0.1
"""Between two looks, or two pages: all of them at full speed would leave the builder no processor."""
KILLS = (
    ("rebuild: filled", 1),
    ("rebuild: caught up", 2),
    ("rebuild: before swap", 1),
    (SWAP, 2),
    ("project: after apply", 1),
    ("", 0),
    ("", 0),
)
"""Where the first builders die: at the n-th visit of a named point, or ("") at some moment of their own."""
pytestmark = [pytest.mark.crash, pytest.mark.timeout(7_000 if SWAPS > 20 else 900)]


def record(id: str, title: str, visibility: Visibility, *keywords: str) -> Dataset:
    pid = f"10.82001/{id}"
    return Dataset(
        source=SOURCE, facility="freya", id=id, pid=pid, title=title, keywords=keywords, visibility=visibility
    )


def steady() -> list[Dataset]:
    """What never changes, and what changes in its title alone."""
    public = Visibility(public=True)
    always = [record(f"s{at:03}", f"steady film {at:03}", public, "steady") for at in range(STEADY)]
    hidden = [record(f"h{at:03}", "hidden film", TEAM, "hidden") for at in range(HIDDEN)]
    return [*always, *hidden, *(counted(at, 0) for at in range(COUNTED))]


def counted(at: int, round: int) -> Dataset:
    return record(f"c{at:03}", f"round {round:06}", Visibility(public=True), "counted")


@dataclass
class Witness:
    """What went wrong, what was done, and when swaps were."""

    over: threading.Event = field(default_factory=threading.Event)
    wrong: list[str] = field(default_factory=list)
    searches: int = 0
    rounds: int = 0
    expired: int = 0

    def guarded(self, work: Callable[[], None]) -> threading.Thread:
        def again() -> None:
            while not self.over.wait(PAUSE_S):
                try:
                    work()
                except Exception as error:  # noqa: BLE001 - whatever it is, the test tells it
                    self.wrong.append(f"{type(error).__name__}: {error}"[:500])
                    return

        return threading.Thread(target=again)


class Reader:
    """One gateway's index. Each look is some searches whose answers are known. `swaps` tells how many there were."""

    def __init__(self, index: Index, witness: Witness, swaps: Callable[[], int]) -> None:
        self._index, self._witness, self._swaps = index, witness, swaps
        self._seen: dict[str, str] = {}
        self._counted = [(time.monotonic(), swaps())]
        self._looked = self._counted[0][0]

    def whole(self) -> None:
        """The set that is always there, its counts, its order over several pages; by relevance, by title, by name, and hidden."""
        always = [f"10.82001/s{at:03}" for at in range(STEADY)]
        by_words = Search(asked=parse("steady"), facets=(FacetWish(Field.FACILITY),), first=100)
        found = self._index.search(by_words)
        buckets = [(bucket.value, bucket.count) for bucket in found.facets[0].buckets]
        assert (found.total, len(set(pids(found))), found.more) == (STEADY, 100, True), (found.total, len(found.hits))
        assert (buckets, found.sources) == ([("freya", STEADY)], {SOURCE: STEADY})
        by_title = Search(clauses=(AnyOf(Field.KEYWORD, ("steady",)),), sort=Sort.TITLE, first=90)
        read = [pid for page in walk(self._index, by_title) for pid in pids(page)]
        assert read == always
        mine = Search(scope=Scope.MINE, groups=frozenset(TEAM.groups), asked=parse("hidden"), first=100)
        assert len(set(pids(self._index.search(mine)))) == HIDDEN
        assert len(self._index.get_many(Kind.DATASET, always, frozenset())) == STEADY
        self._witness.searches += 6
        self._ranked()

    def _ranked(self) -> None:
        """A list by relevance is read on in the state it was begun in, at least until the swap after the next. (A swap is counted when its
        command has ended, so the count may be one behind; and the state may be two seconds old when the list begins.)"""
        begun, read = self._before(2.0), list[str]()
        self._looked = time.monotonic()
        try:
            for page in walk(self._index, Search(asked=parse("film"), first=90)):
                assert page.total == STEADY
                read += pids(page)
        except CursorExpired:
            assert self._swaps() >= begun + 1
            self._witness.expired += 1
        else:
            assert sorted(read) == [f"10.82001/s{at:03}" for at in range(STEADY)]
        self._witness.searches += 3

    def _before(self, seconds: float) -> int:
        """How many swaps there were so long before the last look: since then the state was looked for, however long we were kept from
        looking again."""
        self._counted.append((time.monotonic(), self._swaps()))
        return max((count for at, count in self._counted if at <= self._looked - seconds), default=self._counted[0][1])

    def onward(self) -> None:
        """What was seen once is not unseen: titles that only rise."""
        found = self._index.search(Search(clauses=(AnyOf(Field.KEYWORD, ("counted",)),), first=100))
        now = {hit.document().record.pid: hit.document().record.title for hit in found.hits}  # type: ignore[union-attr]
        assert len(now) == found.total == COUNTED, found.total
        back = {pid: (self._seen[pid], title) for pid, title in now.items() if title < self._seen.get(pid, "")}
        assert not back, f"changes are unseen again: {back}"
        self._seen = now
        self._witness.searches += 1


class Harvester:
    """One harvest that never ends: each page changes titles, hides and shows, removes and brings back."""

    def __init__(self, house: House, witness: Witness) -> None:
        self._house, self._witness = house, witness
        self._random = random.Random(SEED)
        lease = house.harvests.acquire(f"source:{SOURCE}", "the test", 36_000)
        assert lease is not None
        self._lease = lease
        self._run = house.harvests.begin(lease, SOURCE, HarvestMode.FULL)
        self._commit(Page(tuple(steady())))

    def page(self) -> None:
        self._witness.rounds += 1
        round, chance = self._witness.rounds, self._random
        changed = [counted(at, round) for at in chance.sample(range(COUNTED), 5)]
        for at in chance.sample(range(FLEETING), 4):
            shown = Visibility(public=True) if chance.random() < 0.5 else TEAM
            changed.append(record(f"f{at:03}", f"fleeting {round}", shown, "fleeting"))
        named = {one.id for one in changed}
        gone = [(Kind.DATASET, f"f{at:03}") for at in chance.sample(range(FLEETING), 2) if f"f{at:03}" not in named]
        self._commit(Page(tuple(changed), gone=tuple(gone)))

    def end(self) -> None:
        ledger = self._house.harvests
        ledger.close(self._lease, self._run, HarvestState.DONE, "", Bookmark())
        ledger.release(self._lease)

    def _commit(self, page: Page) -> None:
        self._run = self._house.harvests.commit(self._lease, self._run, page)


@dataclass
class Site:
    """One truth, one index; builders come and go, as forks of `template`."""

    house: PartedHouse
    template: subprocess.Popen[str]
    told: Path
    killed: int = 0

    @property
    def swaps(self) -> int:
        return len(self.told.read_text().splitlines()) if self.told.exists() else 0

    def build(self, swaps: int, kill: tuple[str, int] | None, chance: random.Random) -> None:
        """One life of a builder; it is killed, or does its swaps and ends well."""
        assert self.template.stdin is not None
        point, visit = kill or ("", 0)
        if kill == ("", 0):
            swaps = 10_000  # it must not end by itself before it is killed
        self.template.stdin.write(f"{swaps}|{point}|{visit}\n")
        self.template.stdin.flush()
        builder = self._answer()
        if kill == ("", 0):
            begun, until = self.swaps, time.monotonic() + 60
            while self.swaps == begun and time.monotonic() < until:
                time.sleep(0.02)
            time.sleep(chance.uniform(0, 0.4))
            os.kill(builder, signal.SIGKILL)
        code = self._answer()
        assert code in (0, -signal.SIGKILL if kill else 0), f"a builder ended with {code}"
        self.killed += code == -signal.SIGKILL

    def _answer(self) -> int:
        assert self.template.stdout is not None
        return int(self.template.stdout.readline())


@contextmanager
def site(folder: Path, more: dict[str, str]) -> Iterator[Site]:
    nowhere = dict.fromkeys(("scicat", "icat", "hub"), "http://127.0.0.1:9")
    own = {
        "PANGATE_FEDERATION": str(federation_file(folder, nowhere)),
        "PANGATE_DATA": str(folder / "data"),
        "PANGATE_LOG_LEVEL": "warning",
    }
    house = PartedHouse(folder, {**own, **more}, SECRETS)
    places = os.pathsep.join([str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "tools")])
    command = [sys.executable, "-m", "swap_driver", str(folder / "swaps")]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env=house.environment(PYTHONPATH=places),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as template:
        try:
            yield Site(house, template, folder / "swaps")
        finally:
            template.kill()


def swapped_under_load(here: Site) -> Witness:
    """Build, kill and swap as often as is wished, while two gateways read and a harvest writes; then compare everything."""
    witness, chance = Witness(), random.Random(SEED)
    with ExitStack() as opened:
        writing = opened.enter_context(here.house.opened())
        reading = [opened.enter_context(here.house.opened()).index for _ in range(2)]
        harvester = Harvester(writing, witness)
        here.build(1, None, chance)
        works = [harvester.page]
        for index in reading:
            reader = Reader(index, witness, lambda: here.swaps)
            works += [reader.whole, reader.onward]
        threads = [witness.guarded(work) for work in works]
        for thread in threads:
            thread.start()
        try:
            for kill in KILLS * max(1, SWAPS // 60):
                here.build(4, kill, chance)
            while here.swaps < SWAPS and not witness.wrong:
                here.build(max(1, SWAPS - here.swaps), None, chance)
        finally:
            witness.over.set()
            for thread in threads:
                thread.join(240)
        harvester.end()
        assert not witness.wrong, witness.wrong
    compared(here)
    return witness


def compared(here: Site) -> None:
    """Bring the index to the truth's head, and hold every document against the truth."""
    with here.house.opened(write_index=True) as house:
        project(house.truth, house.index)
        assert house.index.mark() == house.truth.head()
        truth = {document.record.pid: encode_document(document) for document in house.truth.walk(Kind.DATASET)}
        everything = Search(first=100, sort=Sort.TITLE)
        mine = msgspec.structs.replace(everything, scope=Scope.MINE, groups=frozenset(TEAM.groups))
        held = {
            hit.document().record.pid: hit.raw
            for search in (everything, mine)
            for page in walk(house.index, search)
            for hit in page.hits
        }
        assert held == truth
        assert house.index.get_many(Kind.DATASET, list(truth), frozenset(TEAM.groups)) == truth


def told(engine: str, here: Site, witness: Witness) -> None:
    seen = {"searches": witness.searches, "pages": witness.rounds, "expired": witness.expired}
    keep(f"swaps-{engine}", {"swaps": here.swaps, "killed": here.killed, **seen})
    assert here.swaps >= SWAPS
    assert here.killed >= 5
    assert witness.searches > SWAPS
    assert witness.rounds > SWAPS
    assert witness.expired * 20 < witness.searches


@pytest.mark.elasticsearch
def test_nobody_notices_swaps_and_killed_builders_in_elasticsearch(
    elasticsearch: Elasticsearch, tmp_path: Path
) -> None:
    stem = made_name()
    with site(tmp_path, {"PANGATE_INDEX": elasticsearch.url, "PANGATE_INDEX_PREFIX": stem}) as here:
        witness = swapped_under_load(here)
    told("elasticsearch", here, witness)
    wipe(elasticsearch, stem)


def test_nobody_notices_swaps_and_killed_builders_in_the_embedded_index(tmp_path: Path) -> None:
    with site(tmp_path, {}) as here:
        witness = swapped_under_load(here)
    told("embedded", here, witness)
