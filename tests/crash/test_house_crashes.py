"""Killed at named points and at random moments: the next start goes on by itself, and ends where an uncut run ends (P01, P02, P16)."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from canonical import canonical, difference
from crash_driver import Plan
from crash_points import ELSEWHERE, in_code
from doubles import jupyterhub
from pace import slowness
from small_federation import NOON, SECRETS, SmallFederation, small_federation
from soak import ALONE, SEED
from trials import RESTART, TRIALS, Lives, Trial, all_of, chosen, copied, evidence, life, reached, slowest, visits

from pangate.house import open_house
from schema.activities import LaunchState

pytestmark = [pytest.mark.crash, pytest.mark.timeout(max(600, 20 * TRIALS))]
DATASETS, PAGE = 24, 15
START_S = 5.0
"""Until the next start can search: of a fork as it passes, so that no waiting hides; of an interpreter that begins from nothing as the
processor's time, since others' work is no concern of ours (as it passes where nobody else works), and of a processor of the usual pace."""
ENOUGH, MANY = 60, 500
"""Trials (issue: at least so many in CI) after which a process must have been killed at `LEAST` points, and at every one."""
LEAST = 40
"""Named points that there must be (issue: 40)."""

JOBS = {
    "first harvest": Plan(Path(), Path(), NOON, ("harvests", "project", "rebuild")),
    "cut harvest": Plan(Path(), Path(), NOON + RESTART, ("harvests", "project", "rebuild")),
    "what changed": Plan(Path(), Path(), NOON + timedelta(hours=2), ("harvests", "project", "rebuild")),
    "sweep": Plan(Path(), Path(), NOON + timedelta(days=8), ("harvests", "project")),
    "session": Plan(Path(), Path(), NOON + timedelta(hours=2), ("session",), moving=True),
    "session left alone": Plan(Path(), Path(), NOON + timedelta(hours=2), ("started",), moving=True),
}
BEGIN = {"first harvest": None, "cut harvest": "cut"}
"""The snapshot that a job begins from, where it is not the harvested house: nothing, or what was killed on its third page."""
FIRST, LATER, SESSIONS = ("first harvest", "cut harvest"), ("what changed", "sweep"), ("session", "session left alone")
SHARES = {FIRST: 0.34, LATER: 0.20, SESSIONS: 0.46}


@dataclass
class Suite:
    """The stand-ins, the snapshots that trials begin from, the uncut ends, the points that were visited, the trials done."""

    folder: Path
    lives: Lives
    world: SmallFederation
    file: Path
    points: dict[str, dict[str, int]] = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)
    ends: dict[str, dict[str, Any]] = field(default_factory=dict)
    done: list[Trial] = field(default_factory=list)

    def plan(self, job: str, name: str, file: Path | None = None) -> Plan:
        """A job in a folder of its own, begun from where it begins."""
        folder = self.folder / name
        begin = BEGIN.get(job, "harvested")
        if begin is not None:
            copied(self.folder / begin, folder)
        return replace(JOBS[job], folder=folder, federation=file or self.file)

    def uncut(self, job: str, name: str, file: Path | None = None) -> None:
        """Run a job that nobody kills, and remember its end."""
        plan = self.plan(job, name, file)
        self.points[job], self.took[job] = visits(self.lives, plan)
        if job not in SESSIONS:
            self.ends[job] = dump(plan)

    def trials(self, jobs: tuple[str, ...]) -> list[Trial]:
        """These jobs' share of the trials."""
        points = {job: self.points[job] for job in jobs}
        return chosen(
            points, self.took, max(2, round(TRIALS * SHARES[jobs])), reached(self.done), SEED + len(self.done)
        )

    def hold(self, jobs: tuple[str, ...], do: Callable[[int, Trial], None]) -> None:
        """Do these jobs' trials: nothing lost, nothing double, every start in time."""
        begun, trials = time.monotonic(), self.trials(jobs)
        wrong = all_of(trials, do)
        self.done += trials
        evidence(f"crash-{jobs[0].replace(' ', '-')}", trials, begun)
        assert not wrong, "\n\n".join(map(str, wrong))
        named = [trial for trial in trials if isinstance(trial.kills[0], tuple)]  # others may come too late, by chance
        assert sum(bool(trial.hit) for trial in named) > 0.9 * len(named), "most trials must have killed something"
        waited, passed, worked = slowest(trials)
        assert waited < START_S, f"a start took {waited:.1f} s until it could search"
        assert worked / max(slowness() for _ in range(20)) < START_S, (
            f"a start from nothing needs {worked:.1f} s of a processor"
        )
        assert not ALONE or passed < START_S, f"a start from nothing took {passed:.1f} s until it could search"


def dump(plan: Plan) -> dict[str, Any]:
    """What a house holds when nobody works in it."""
    with open_house(plan.settings(), write_index=False, clock=lambda: plan.now) as house:
        return canonical(house)


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    before = dict(os.environ)
    os.environ.update(SECRETS)
    folder = tmp_path_factory.mktemp("crash")
    with small_federation(DATASETS) as world, Lives(folder) as lives:
        suite = Suite(folder, lives, world, world.file(folder, PAGE))
        suite.uncut("first harvest", "harvested")
        assert lives.run(suite.plan("first harvest", "cut"), ("walk: step fetched", 3))[0] == -signal.SIGKILL
        suite.uncut("cut harvest", "uncut cut harvest")
        assert not difference(suite.ends["cut harvest"], suite.ends["first harvest"])
        yield suite
    os.environ.clear()
    os.environ.update(before)


def test_a_first_harvest_killed_anywhere_ends_where_an_uncut_one_ends(suite: Suite) -> None:
    suite.hold(FIRST, lambda number, trial: check(suite, trial, f"first {number}"))


def test_what_changed_and_a_sweep_killed_anywhere_end_where_uncut_ones_end(suite: Suite) -> None:
    suite.world.live_on()
    for job in LATER:
        suite.uncut(job, f"uncut {job}")
    suite.hold(LATER, lambda number, trial: check(suite, trial, f"later {number}"))


def check(suite: Suite, trial: Trial, name: str) -> None:
    """A trial's lives, and whether its end is the uncut one's."""
    plan = suite.plan(trial.job, name)
    life(suite.lives, plan, trial)
    if not trial.wrong:
        trial.wrong = difference(dump(plan), suite.ends[trial.job])
    if not trial.wrong:
        shutil.rmtree(plan.folder)


def test_a_launch_killed_anywhere_leaves_one_session_and_then_none(suite: Suite) -> None:
    """0 double sessions, 0 orphans after the reconciler's next pass."""
    for job in SESSIONS:
        with hub_of(suite, job) as (_, file):
            suite.uncut(job, f"uncut {job}", file)

    def one(number: int, trial: Trial) -> None:
        with hub_of(suite, f"hub {number}") as (hub, file):
            plan = suite.plan(trial.job, f"session {number}", file)
            life(suite.lives, plan, trial)
            if not trial.wrong:
                trial.wrong = sessions(hub, plan, trial)

    suite.hold(SESSIONS, one)


def test_every_named_point_of_the_code_is_one_that_trials_die_at(suite: Suite) -> None:
    """What the code names and what the jobs visit is the same list, and in this run a process was killed at 40 of them, in a long one
    at each (which of them a short run comes to depends on its time)."""
    if set(suite.points) != set(JOBS):
        pytest.skip("needs the trials of the other tests of this file")
    visited = {point for points in suite.points.values() for point in points}
    assert len(visited) >= LEAST, f"{len(visited)} named points: {sorted(visited)}"
    named = in_code()
    assert named - visited == set(ELSEWHERE), "a point that no job visits, or one that is visited by now"
    assert {point for point in visited if not point.startswith(("site:", "walk:"))} <= named
    if len(suite.done) >= ENOUGH:
        assert len(visited & reached(suite.done)) >= LEAST, "fewer died than there are points to die at"
    if len(suite.done) >= MANY:
        assert not visited - reached(suite.done), "nobody died there"


@contextmanager
def hub_of(suite: Suite, name: str) -> Iterator[tuple[jupyterhub.Hub, Path]]:
    """A hub of its own, and a federation file that names it."""
    with jupyterhub.running(jupyterhub.Hub(spawn_takes=0.05)) as hub:
        folder = suite.folder / f"file of {name}"
        folder.mkdir()
        addresses = {**suite.world.addresses, "hub": hub.url}
        yield hub, replace(suite.world, addresses=addresses).file(folder, PAGE)


def sessions(hub: jupyterhub.Hub, plan: Plan, trial: Trial) -> str:
    """What is wrong at the hub or in the ledger, empty when nothing is."""
    asked = {path for method, path, _ in hub.calls if method == "POST" and "/servers/" in path}
    there = [name for servers in hub.users.values() for name in servers]
    with open_house(plan.settings(), write_index=False, clock=lambda: plan.now) as house:
        alive = house.launches.alive()
        known, total = house.launches.launches("https://id.example.org#bohr", 9, None)
    if total != 1:
        return f"{total} launches where one was asked for"
    if len(asked) > 1:
        return f"two sessions of one launch: {asked}"
    if trial.job == "session":
        states = [launch.state for launch in known]
        return "" if (there, alive, states) == ([], [], [LaunchState.STOPPED]) else f"left: {there}, {alive}, {states}"
    return "" if (len(there), len(alive)) == (1, 1) else f"at the hub {there}, in the ledger {alive}"
