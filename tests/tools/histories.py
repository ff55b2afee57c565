"""Histories of a source and of its harvests: this file lives them, and checks them on the way and at the end (history_suite.py draws them).

Everything is in one process: the harvester and the line as they are, the stand-in's application asked without sockets (inprocess.py), the
truth in SQLite on a memory disk where there is one. A harvester that is killed is one that an exception nobody catches ends at a request
or at a named point of the ledger; real kills are tests/crash.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import pytest
import truths
from harvesting import FULL, INCREMENTAL, Site
from inprocess import InProcess
from starlette.types import ASGIApp

from catalogue import links
from catalogue.harvests import Harvests
from catalogue.ports import Harvest, Lease, Page
from harvesters import harvest as line
from harvesters.ports import End, Order, Step
from schema.activities import HarvestMode, HarvestState
from schema.records import Kind

MEMORY = Path("/dev/shm")
Name = tuple[Kind, str]
GOOD = (HarvestState.DONE, HarvestState.DEGRADED)


@dataclass(frozen=True)
class Event:
    """What happens. `inside` a harvest: before its n-th request."""

    name: str
    number: int = 0
    inside: tuple[tuple[int, Event], ...] = ()


@dataclass(frozen=True)
class History:
    """How a source is set up (a number that its Life reads as it likes), and what happens to it."""

    setup: int
    events: tuple[Event, ...]


@dataclass
class Time:
    """The true time. No two moments of a history have the same second of their hour, so that whole hours of skew or of another zone
    never make two of them look the same: a record changed twice at one instant looks unchanged to everybody (but see `again`)."""

    hour: datetime = datetime(2026, 10, 20, 6, tzinfo=UTC)
    moments: int = 0

    def __call__(self) -> datetime:
        return self.hour + timedelta(seconds=self.moments)

    def next(self, hours: int = 0) -> None:
        """Some time later."""
        self.hour += timedelta(hours=hours)
        self.moments += 1
        assert self.moments < 3_600


class Life(Protocol):
    """A stand-in, and what can happen in it. `acts` by name, each with a number that says to what and how."""

    acts: Mapping[str, Callable[[int], None]]
    app: ASGIApp
    version: str

    def site(self, folder: Path, world: truths.World) -> Site:
        """The source as a harvester knows it, with an empty truth."""

    def present(self) -> dict[Name, datetime | None]:
        """What the harvester's account may see now, and when each was modified as the source tells it."""

    def skew(self, hours: int) -> None:
        """Set the source's clock so far off the true time."""

    def restart(self, number: int) -> None:
        """What a restart does to sessions and settings."""

    def tells_ties(self) -> bool:
        """Whether a second change at this instant would be found: it lies within the overlap of what a harvest has just reached."""

    def patches(self) -> Iterable[tuple[Any, str, int]]:
        """Sizes to make small, so that pages are cut at any place."""

    def calm(self) -> None:
        """Everything under way is committed, no failure is planned."""


class Killed(BaseException):
    """The harvester's process is gone."""


class Watched(Harvests):
    """The ledger, with a look at what it takes and removes."""

    lived: Lived

    def begin(self, lease: Lease, source: str, mode: HarvestMode) -> Harvest:
        run = super().begin(lease, source, mode)
        self.lived.begun.setdefault(run.id, self.lived.tick)
        return run

    def commit(self, lease: Lease, harvest: Harvest, page: Page) -> Harvest:
        for record in page.records:
            times = self.lived.ever.get((record.kind, record.id))
            assert times is not None, f"{record.kind} {record.id} was never to be seen"
            assert record.modified in times, f"{record.kind} {record.id} was never as of {record.modified}"
        named = {(kind, id) for kind, id, _ in page.seen} | {(Kind(each.kind), each.id) for each in page.rejects}
        assert named <= self.lived.ever.keys(), "a name that never was"
        return super().commit(lease, harvest, page)

    def sweep(self, lease: Lease, harvest: Harvest, kinds: Sequence[Kind], limit: int = 500) -> int:
        before = self.lived.house.names()
        removed = super().sweep(lease, harvest, kinds, limit)
        for name in before - self.lived.house.names():
            gone = self.lived.absent.get(name, -1)
            assert gone >= self.lived.begun[harvest.id], f"{name} was removed and had been there all the time"
        return removed


@dataclass
class House:
    """A truth and the way of a source into it."""

    site: Site
    complete: bool = False

    @property
    def path(self) -> Path:
        return self.site.world.path

    def walk(self, order: Order) -> Generator[Step | End, None, None]:
        """The source's walk; whether it was complete is remembered."""
        with closing(self.site.walk(order)) as steps:
            for step in steps:
                if isinstance(step, End) and not order.ids:
                    self.complete = step.complete
                yield step

    def names(self) -> set[Name]:
        """The names of all live records."""
        found = self.rows("SELECT kind, id FROM records WHERE NOT deleted")
        return {(Kind(kind), id) for kind, id in found}

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.path)
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()

    def kept(self) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        """Everything that two truths of one source must have in common, by name."""
        refused = "NOT EXISTS (SELECT 1 FROM rejects r WHERE r.kind = x.kind AND r.key = x.id)"
        found: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        queries = {
            "record": f"SELECT kind, id, pid, public, due, revision, data FROM records x WHERE NOT deleted AND {refused}",
            "reject": "SELECT kind, key, reason, message, revision FROM rejects",
            "link": f"SELECT kind, id, to_kind, to_id FROM links x WHERE {refused}",
        }
        for part, query in queries.items():
            found |= {(part, *row[:2], *(row if part == "link" else ())): row for row in self.rows(query)}
        return found

    def doubtful(self) -> set[tuple[str, str]]:
        """The pids of documents where the last good state of a refused record may show, of which a new house has none."""
        return set(
            self.rows(
                """WITH near (kind, id) AS (
                     SELECT kind, key FROM rejects
                     UNION SELECT l.kind, l.id FROM links l JOIN rejects r ON r.kind = l.to_kind AND r.key = l.to_id
                     UNION SELECT l.to_kind, l.to_id FROM links l JOIN rejects r ON r.kind = l.kind AND r.key = l.id)
                   SELECT x.kind, x.pid FROM records x JOIN near n ON n.kind = x.kind AND n.id = x.id"""
            )
        )

    def shown(self, doubtful: set[tuple[str, str]]) -> dict[tuple[Any, ...], tuple[Any, ...]]:
        """The documents, joined, and whether everybody may see them."""
        public = {
            (kind, pid): bool(flag)
            for kind, pid, flag in self.rows("SELECT kind, pid, public FROM documents WHERE live")
        }
        found = {name: (data, public[name]) for name, data in self.site.dump().items()}
        return {("document", *name): pair for name, pair in found.items() if name not in doubtful}


@dataclass
class Lived:
    """A history as it is lived."""

    life: Life
    folder: Path
    time: Time
    counts: Counter[str] = field(default_factory=Counter)
    tick: int = 0
    ever: dict[Name, set[datetime | None]] = field(default_factory=dict)
    absent: dict[Name, int] = field(default_factory=dict)
    begun: dict[int, int] = field(default_factory=dict)
    refusing: int = 0
    cutting: bool = False
    points: int = 0
    _plan: dict[int, list[Event]] = field(default_factory=dict)
    _requests: int = 0

    def __post_init__(self) -> None:
        self.house = self.opened("lived")
        self.house.site.world.harvests.__class__ = Watched
        self.house.site.world.harvests.lived = self  # type: ignore[attr-defined]
        self.look()

    def opened(self, name: str) -> House:
        """An empty truth beside the source."""
        path = self.folder / name / "truth.db"
        path.parent.mkdir()
        shutil.copyfile(empty(), path)
        at = self._point if name == "lived" else (lambda _name: None)
        world = truths.World(path, prefixes={"home": ["10.82002", "20.500.99001"]}, clock=self.time, at=at)  # type: ignore[arg-type]
        site = self.life.site(path.parent, world)
        site.clock = self.time
        fate = self._fate if name == "lived" else (lambda: "")
        site.call = InProcess(self.life.app, fate)
        return House(site)

    def look(self) -> None:
        """Remember what is to be seen at this moment."""
        self.tick += 1
        there = self.life.present()
        for name, modified in there.items():
            self.ever.setdefault(name, set()).add(modified)
        for name in self.ever.keys() - there.keys():
            self.absent[name] = self.tick

    def happens(self, event: Event) -> None:
        """One event."""
        self.counts[event.name] += 1
        match event.name:
            case "harvest" | "full harvest":
                self.harvest(FULL if event.name.startswith("full") else INCREMENTAL, event.inside)
            case "hours" | "days":
                self.time.next(event.number % 24 if event.name == "hours" else 24 * (1 + event.number % 40))
            case "skew":
                self.life.skew(event.number % 49 - 24)
            case "restart":
                self.refusing = 1 + event.number % 5
                self.life.restart(event.number)
            case "cut":
                self.cutting = True
            case "killed":
                raise Killed
            case "dies":
                self.points = 1 + event.number % 40
            case "again":
                self._again(event.number)
            case act:
                self.time.next()
                self.life.acts[act](event.number)
        self.look()

    def harvest(self, mode: HarvestMode, inside: Iterable[tuple[int, Event]] = ()) -> Harvest | None:
        """A harvest with something going on; None when it was killed."""
        plan: dict[int, list[Event]] = {}
        for number, event in inside:
            plan.setdefault(number, []).append(event)
        self._requests, self._plan = 0, plan
        try:
            return self.house.site.harvest(mode, self.house.walk)
        except Killed:
            return None
        finally:
            self.points, self._plan = 0, {}
            for event in (event for events in plan.values() for event in events if event.name in self.life.acts):
                self.happens(event)

    def settled(self) -> None:
        """What was interrupted is gone on with, and then there is a harvest that sets out anew and may sweep."""
        self.refusing, self.cutting = 0, False
        self.life.calm()
        self.look()
        for _ in range(6):
            known = max(self.begun, default=0)
            run = self.harvest(INCREMENTAL)
            assert run is not None
            assert run.state in GOOD, run.message
            if run.id > known and self.house.complete:
                return
        raise AssertionError("no harvest comes to its end")

    def _again(self, number: int) -> None:
        """A record changed, harvested, and changed once more within the same instant of the source's clock."""
        self.time.next()
        if not self.life.tells_ties():
            return
        change = self.life.acts["change"]
        change(number)
        self.look()
        self.settled()
        change(number + 1_000)

    def _fate(self) -> str:
        self._requests += 1
        for event in self._plan.pop(self._requests, ()):
            self.happens(event)
        if self.refusing:
            self.refusing -= 1
            return "refused"
        cut, self.cutting = self.cutting, False
        return "cut" if cut else ""

    def _point(self, _name: str) -> None:
        if self.points > 0:
            self.points -= 1
            if self.points == 0:
                raise Killed


Making = Callable[[int, Time], Life]


def live(make: Making, history: History) -> Counter[str]:
    """Live a history. Its events, counted. Raises whatever goes wrong on the way, and AssertionError when incremental is not full."""
    clock = Time()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pangate-", dir=_memory())))
        life = make(history.setup, clock)
        small = ((line, "LATE", 3), (line, "RECORDS", (3, 20)[history.setup % 4 > 0]), (links, "AT_ONCE", 4))
        with pytest.MonkeyPatch.context() as sizes:
            for module, name, value in (*small, *life.patches()):
                sizes.setattr(module, name, value)
            lived = Lived(life, folder, clock)
            stack.callback(lived.house.site.world.database.close)
            for event in history.events:
                lived.happens(event)
            lived.settled()
        new = lived.opened("full")
        new.site.source = new.site.source.model_copy(update={"pageSize": None})
        stack.callback(new.site.world.database.close)
        run = new.site.harvest(FULL)
        assert run.state in GOOD, run.message
        same(lived.house, new)
    return lived.counts


def same(lived: House, new: House) -> None:
    """Raises AssertionError with the first differences of two truths."""
    for house in (lived, new):
        house.site.world.ripen()
    doubtful = lived.doubtful() | new.doubtful()
    for mine, yours in ((lived.kept(), new.kept()), (lived.shown(doubtful), new.shown(doubtful))):
        wrong = [key for key in {**mine, **yours} if mine.get(key) != yours.get(key)]
        told = [f"{key}\n  lived: {mine.get(key)!r:.700}\n  full:  {yours.get(key)!r:.700}" for key in wrong[:3]]
        assert not wrong, f"{len(wrong)} differences:\n" + "\n".join(told)


def _memory() -> str | None:
    return str(MEMORY) if MEMORY.is_dir() else None


@cache
def _kept_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="pangate-", dir=_memory())


@cache
def empty() -> Path:
    """A truth without records, made once."""
    path = Path(_kept_folder().name) / "truth.db"
    truths.World(path).database.close()
    return path
