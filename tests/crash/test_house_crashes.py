"""Killed at named points and at random moments: the next start goes on by itself, and ends where an uncut run ends (P01, P02, P16)."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from canonical import canonical, difference
from crash_driver import Plan
from doubles import jupyterhub
from small_federation import NOON, SECRETS, SmallFederation, small_federation
from trials import SEED, TRIALS, Trial, all_of, copied, evidence, life, visits

from pangate.house import open_house
from schema.activities import LaunchState

pytestmark = [pytest.mark.crash, pytest.mark.timeout(max(600, 20 * TRIALS))]
DATASETS, PAGE = 40, 25
START_S = 5.0

JOBS = {
    "first harvest": Plan(Path(), Path(), NOON, ("harvests", "project", "rebuild")),
    "what changed": Plan(Path(), Path(), NOON + timedelta(hours=2), ("harvests", "project", "rebuild")),
    "sweep": Plan(Path(), Path(), NOON + timedelta(days=8), ("harvests", "project")),
    "session": Plan(Path(), Path(), NOON + timedelta(hours=2), ("session",), moving=True),
    "session left alone": Plan(Path(), Path(), NOON + timedelta(hours=2), ("started",), moving=True),
}
LATER = ("what changed", "sweep")


@dataclass
class Suite:
    """The stand-ins, the snapshots that trials begin from, the uncut ends, the points that were visited."""

    folder: Path
    world: SmallFederation
    file: Path
    points: dict[str, dict[str, int]] = field(default_factory=dict)
    took: dict[str, float] = field(default_factory=dict)
    ends: dict[str, dict[str, Any]] = field(default_factory=dict)

    def plan(self, job: str, name: str, file: Path | None = None) -> Plan:
        """A job in a folder of its own, begun from where it begins."""
        folder = self.folder / name
        if job != "first harvest":
            copied(self.folder / "harvested", folder)
        return replace(JOBS[job], folder=folder, federation=file or self.file)

    def uncut(self, job: str, name: str, file: Path | None = None) -> None:
        """Run a job that nobody kills, and remember its end."""
        plan = self.plan(job, name, file)
        self.points[job], self.took[job] = visits(plan)
        if "session" not in job:
            self.ends[job] = dump(plan)


def dump(plan: Plan) -> dict[str, Any]:
    """What a house holds when nobody works in it."""
    with open_house(plan.settings(), write_index=False, clock=lambda: plan.now) as house:
        return canonical(house)


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    before = dict(os.environ)
    os.environ.update(SECRETS)
    folder = tmp_path_factory.mktemp("crash")
    with small_federation(DATASETS) as world:
        yield Suite(folder, world, world.file(folder, PAGE))
    os.environ.clear()
    os.environ.update(before)


def chosen(suite: Suite, jobs: tuple[str, ...], count: int, chance: random.Random) -> list[Trial]:
    """So many trials: every named point of the jobs in turn, at a random visit; each sixth at a random moment; every other one is killed
    again while it recovers."""
    named = [(job, point) for job in jobs for point in suite.points[job]]
    chance.shuffle(named)
    trials = []
    for number in range(count):
        job, point = named[number % len(named)]
        kills: list[tuple[str, int] | float] = [(point, chance.randint(1, suite.points[job][point]))]
        if number % 6 == 5:
            kills = [chance.uniform(0.01, suite.took[job])]
        if number % 2:
            again = chance.choice(list(suite.points[job]))
            kills.append((again, 1))
        trials.append(Trial(job, kills))
    return trials


def share(part: float) -> int:
    """A part of all trials."""
    return max(2, round(TRIALS * part))


def test_a_house_killed_anywhere_ends_where_an_uncut_one_ends(suite: Suite) -> None:
    begun = time.monotonic()
    chance = random.Random(SEED)
    suite.uncut("first harvest", "harvested")
    trials = chosen(suite, ("first harvest",), share(0.40), chance)

    def first(number: int, trial: Trial) -> None:
        check(suite, trial, suite.plan(trial.job, f"first {number}"))

    wrong = all_of(trials, first)
    suite.world.live_on()
    for job in LATER:
        suite.uncut(job, f"uncut {job}")
    later = chosen(suite, LATER, share(0.35), chance)

    def after(number: int, trial: Trial) -> None:
        check(suite, trial, suite.plan(trial.job, f"later {number}"))

    wrong += all_of(later, after)
    points = {point for visited in suite.points.values() for point in visited}
    evidence("crash-house", trials + later, len(points), begun)
    assert not wrong, "\n\n".join(map(str, wrong))
    assert sum(trial.killed for trial in trials + later) >= len(trials + later)
    slowest = max(second for trial in trials + later for second in trial.ready)
    assert slowest < START_S, f"a start took {slowest:.1f} s until it could search"


def check(suite: Suite, trial: Trial, plan: Plan) -> None:
    """A trial's lives, and whether its end is the uncut one's."""
    life(plan, trial)
    if not trial.wrong:
        trial.wrong = difference(dump(plan), suite.ends[trial.job])


def test_a_launch_killed_anywhere_leaves_one_session_and_then_none(suite: Suite) -> None:
    """0 double sessions, 0 orphans after the reconciler's next pass."""
    begun = time.monotonic()
    chance = random.Random(SEED + 1)
    if not (suite.folder / "harvested").exists():
        suite.uncut("first harvest", "harvested")
    for job in ("session", "session left alone"):
        with hub_of(suite, job) as (_, file):
            suite.uncut(job, f"uncut {job}", file)
    trials = chosen(suite, ("session", "session left alone"), share(0.25), chance)

    def one(number: int, trial: Trial) -> None:
        with hub_of(suite, f"hub {number}") as (hub, file):
            plan = suite.plan(trial.job, f"session {number}", file)
            life(plan, trial)
            if not trial.wrong:
                trial.wrong = sessions(hub, plan, trial)

    wrong = all_of(trials, one)
    points = {point for job in ("session", "session left alone") for point in suite.points[job]}
    evidence("crash-launch", trials, len(points), begun)
    assert not wrong, "\n\n".join(map(str, wrong))
    every = {point for visited in suite.points.values() for point in visited}
    assert len(every) >= 40 or len(suite.points) < len(JOBS), f"{len(every)} named points: {sorted(every)}"


class hub_of:  # noqa: N801 a context, read as a phrase
    """A hub of its own, and a federation file that names it."""

    def __init__(self, suite: Suite, name: str) -> None:
        self._suite, self._name = suite, name
        self._running = jupyterhub.running(jupyterhub.Hub(spawn_takes=0.05))

    def __enter__(self) -> tuple[jupyterhub.Hub, Path]:
        hub = self._running.__enter__()
        folder = self._suite.folder / f"file of {self._name}"
        folder.mkdir()
        addresses = {**self._suite.world.addresses, "hub": hub.url}
        return hub, replace(self._suite.world, addresses=addresses).file(folder, PAGE)

    def __exit__(self, *error: object) -> None:
        self._running.__exit__(None, None, None)


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
