"""A disk that is full, and one that fails: plain words, nothing half written, readers go on, and so does the house once the disk works
again; it ends where an uncut run ends (P02).

The full disk is a real one, a tmpfs of some megabytes. Single failing calls (EIO, and ENOSPC at a chosen call) are made by a library that
is preloaded into the driver: below SQLite, below tantivy, and below our own small files.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from collections import namedtuple
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from canonical import canonical, difference
from crash_driver import Plan
from faults import CHANGING, FAILING, FULL, SYNC, Fault, Missing, compiled, fill, small_disk
from small_federation import NOON, SECRETS, SmallFederation, small_federation
from soak import SEED
from trials import RESTART, TRIALS, Lives, Trial, all_of, beside, copied, evidence

from catalogue import disk
from pangate import doctor
from pangate.house import open_house
from schema.activities import LaunchState

pytestmark = [pytest.mark.crash, pytest.mark.timeout(max(600, 10 * TRIALS))]
COUNT = max(6, TRIALS // 10)
SIZE = 24 << 20
WORDS = {FULL: disk.FULL, FAILING: disk.FAILING}
STORES = ("pangate.sqlite", "index/", "")
"""Parts of paths: the records' files, the index's, all of them."""
ORDER: dict[str, Any] = {"changes": [], "public": []}
"""The order of changes is not compared: while one source's harvest waits, the other's goes on."""

JOBS = {
    "first harvest": Plan(Path(), Path(), NOON, ("harvests", "project", "rebuild"), patient=True),
    "what changed": Plan(Path(), Path(), NOON + timedelta(hours=2), ("harvests", "project", "rebuild"), patient=True),
}
SESSION = Plan(Path(), Path(), NOON + timedelta(hours=2), ("session",), moving=True, patient=True)


@dataclass
class Suite:
    """The stand-ins, the lives, the snapshots, how uncut jobs end, and how many calls to the disk they make below each store."""

    folder: Path
    lives: Lives
    world: SmallFederation
    file: Path
    faulty: bool
    ends: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: dict[tuple[str, str], int] = field(default_factory=dict)

    def plan(self, job: str, folder: Path) -> Plan:
        """A job in a folder, begun from where it begins."""
        if job != "first harvest":
            copied(self.folder / "harvested", folder)
        return replace({**JOBS, "session": SESSION}[job], folder=folder, federation=self.file)

    def uncut(self, job: str, name: str) -> None:
        """Run a job whose disk works, and remember its end."""
        plan = self.plan(job, self.folder / name)
        told = lived(self.lives, plan)
        assert told["told"] == []
        if job != "session":
            self.ends[job] = dump(plan)

    def count(self, job: str) -> None:
        """How many calls a fault could meet."""
        for number, part in enumerate(STORES):
            plan = self.plan(job, self.folder / f"counted {job} {number}")
            fault = Fault(0, f"{plan.folder.name}/{part}")
            self.calls[job, part] = lived(self.lives, replace(plan, fault=fault))["seen"]


def dump(plan: Plan) -> dict[str, Any]:
    """What a house holds when nobody works in it."""
    with open_house(plan.settings(), write_index=False, clock=lambda: plan.now) as house:
        return canonical(house)


def lived(lives: Lives, plan: Plan) -> dict[str, Any]:
    """What a life that came to its end tells."""
    done = beside(plan, "done")
    code, _ = lives.run(replace(plan, done=done))
    assert code == 0, f"the life ended with {code}"
    return dict(json.loads(done.read_text()))


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    before = dict(os.environ)
    os.environ.update(SECRETS)
    folder = tmp_path_factory.mktemp("disk")
    try:
        library: Path | None = compiled(folder)
    except Missing:
        library = None
    with small_federation(24) as world, Lives(folder, library) as lives:
        suite = Suite(folder, lives, world, world.file(folder, 15), faulty=library is not None)
        suite.uncut("first harvest", "harvested")
        yield suite
    os.environ.clear()
    os.environ.update(before)


def test_a_full_disk_is_told_and_all_goes_on_when_there_is_room(suite: Suite) -> None:
    """A real file system with less and less room: none at all, some pages' worth, nearly enough."""
    begun, chance = time.monotonic(), random.Random(SEED)
    used = sum(path.stat().st_size for path in (suite.folder / "harvested").rglob("*") if path.is_file())
    trials = [Trial("first harvest", [(f"{left >> 10} KiB left", 1)]) for left in rooms(COUNT, used, chance)]

    def one(number: int, trial: Trial) -> None:
        with ExitStack() as stack:
            try:
                small = stack.enter_context(small_disk(suite.folder / f"small {number}", SIZE))
            except Missing as reason:
                pytest.skip(str(reason))
            plan = suite.plan("first harvest", small / "house")
            plan.folder.mkdir()
            left = int(str(trial.kills[0][0]).split()[0]) << 10 if isinstance(trial.kills[0], tuple) else 0
            ballast = fill(small / "ballast", left)
            if number % 3 == 2:  # killed while the disk is full, and started again on the full disk
                code, _ = suite.lives.run(replace(plan, dies=2, ballast=ballast))
                assert code != 1
                plan = replace(plan, now=plan.now + RESTART)
            told = lived(suite.lives, replace(plan, ballast=ballast if ballast.exists() else None))
            trial.wrong = spoken(told["told"], FULL) or difference(
                {**dump(plan), **ORDER}, {**suite.ends["first harvest"], **ORDER}
            )
            trial.hit = list(trial.kills) if told["told"] else []

    wrong = all_of(trials, one)
    evidence("disk-full", trials, begun)
    assert not wrong, "\n\n".join(map(str, wrong))
    assert any(trial.hit for trial in trials), "no disk was full"


def rooms(count: int, used: int, chance: random.Random) -> list[int]:
    """Bytes that are left: nothing, and amounts up to twice what the job needs in the end (a rebuild needs it twice)."""
    return [0, *(chance.randrange(0, 2 * used) for _ in range(count - 1))]


def spoken(told: list[list[str]], number: int) -> str:
    """What is wrong with what was told: every failure has the stable word, and a sentence with the remedy. Of a database that cannot even
    be opened SQLite does not say whether it is the disk or a wrong path."""
    plain = [each for each in told if "cannot be opened: unable to open database file" not in each[1]]
    odd = [each for each in plain if each[0] != WORDS[number] or "it goes on by itself" not in each[1]]
    return f"told otherwise: {odd[:3]}" if odd else ""


def test_calls_that_fail_anywhere_below_the_stores_lose_and_double_nothing(suite: Suite) -> None:
    """EIO and ENOSPC at a random call of writing, syncing, creating, renaming; once, some times, or until the process is killed."""
    if not suite.faulty:
        pytest.skip("there is no C compiler (apt install gcc libc6-dev) for the library that makes a disk fail")
    begun, chance = time.monotonic(), random.Random(SEED + 1)
    suite.world.live_on()
    suite.uncut("what changed", "changed")
    suite.count("what changed")
    trials = [Trial("what changed", [(str(chance.choice(STORES)), number)]) for number in range(COUNT + 2)]

    def one(number: int, trial: Trial) -> None:
        plan = suite.plan(trial.job, suite.folder / f"faulty {number}")
        part = str(trial.kills[0][0]) if isinstance(trial.kills[0], tuple) else ""
        own = random.Random(f"{SEED} {number}")  # trials run side by side
        skip = own.randrange(max(1, suite.calls[trial.job, part]))
        times = (1, 1, 3, 40)[number % 4]
        error = FULL if number % 5 == 4 else FAILING
        operations = SYNC if number % 7 == 6 else CHANGING
        fault = Fault(error, f"{plan.folder.name}/{part}", operations, skip, times)
        if number % 3 == 2:  # killed right after it was told, on a disk that goes on failing
            code, _ = suite.lives.run(replace(plan, fault=replace(fault, times=1_000_000), dies=1))
            assert code != 1
            plan = replace(plan, now=plan.now + RESTART)
            fault = replace(fault, times=0)
            trial.hit = list(trial.kills) if code else []
        told = lived(suite.lives, replace(plan, fault=fault))
        trial.hit = trial.hit or (list(trial.kills) if told["failed"] else [])
        trial.wrong = spoken(told["told"], error) or difference(
            {**dump(plan), **ORDER}, {**suite.ends[trial.job], **ORDER}
        )
        if trial.wrong:
            trial.wrong = f"{fault}: {trial.wrong}"

    wrong = all_of(trials, one)
    evidence("disk-error", trials, begun)
    assert not wrong, "\n\n".join(map(str, wrong))
    assert sum(bool(trial.hit) for trial in trials) > len(trials) / 2


def test_a_launch_on_a_failing_disk_leaves_no_session_behind(suite: Suite) -> None:
    if not suite.faulty:
        pytest.skip("there is no C compiler (apt install gcc libc6-dev) for the library that makes a disk fail")
    begun, chance = time.monotonic(), random.Random(SEED + 2)
    suite.uncut("session", "uncut session")
    suite.count("session")
    hub = suite.world.hub
    for number in range(max(3, COUNT // 3)):
        hub.users.clear()
        hub.calls.clear()
        plan = suite.plan("session", suite.folder / f"session {number}")
        skip = chance.randrange(suite.calls["session", "pangate.sqlite"])
        fault = Fault((FAILING, FULL)[number % 2], f"{plan.folder.name}/pangate.sqlite", skip=skip, times=2)
        told = lived(suite.lives, replace(plan, fault=fault))
        assert not spoken(told["told"], fault.number)
        asked = {path for method, path, _ in hub.calls if method == "POST" and "/servers/" in path}
        there = [name for servers in hub.users.values() for name in servers]
        with open_house(plan.settings(), write_index=False, clock=lambda now=plan.now: now) as house:
            known, _ = house.launches.launches("https://id.example.org#bohr", 9, None)
        assert (len(asked), there, [launch.state for launch in known]) == (1, [], [LaunchState.STOPPED]), fault
    evidence("disk-launch", [Trial("session", [])] * max(3, COUNT // 3), begun)


def test_the_doctor_says_that_the_disk_is_full(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(1 << 30, 1 << 30, 4096))
    for name, value in {"PANGATE_FEDERATION": suite.file, "PANGATE_DATA": suite.folder / "harvested"}.items():
        monkeypatch.setenv(name, str(value))
    found = [each for each in doctor.examine(ask=False) if each.what == "disk"]
    assert [each.grade for each in found] == ["fault"]
    assert "full" in found[0].message
    assert "Make room" in found[0].message
