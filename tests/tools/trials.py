"""Trials of a crash: this file starts a driver, has it killed, lets it start again, and counts what that showed.

PANGATE_CRASH_TRIALS says how many (60; with PANGATE_SOAK 1,000), PANGATE_SEED which (2026), PANGATE_EVIDENCE a folder where the result is
written. Most lives are forks of a process that has imported everything, since a start from nothing takes longer than a trial; some
start from nothing each time, and with PANGATE_ALONE all of them, one at a time.
"""

from __future__ import annotations

import json
import os
import pickle
import platform
import queue
import random
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import faults
from crash_driver import Plan
from soak import ALONE, SOAK, how_many, keep

TRIALS = how_many("PANGATE_CRASH_TRIALS", 60, 1_000)
JOBS = 1 if ALONE else 3 if SOAK else 2
RESTART = timedelta(minutes=3)
"""How much later the next start is: beyond the life of a killed process's leases."""
PATIENCE_S = 300.0
FRESH = 32

Kill = tuple[str, int] | float
"""A named point and which visit of it, or how many seconds after the start."""

_FROM_NOTHING = "import pickle, sys, crash_driver; crash_driver.main(pickle.loads(bytes.fromhex(sys.argv[1])))"


class Template:
    """A process that forks for each life (crash_template). `library` is preloaded, and told by the file `control` which calls fail."""

    def __init__(self, library: Path | None = None, control: Path | None = None) -> None:
        preloaded = {"LD_PRELOAD": str(library), "PANGATE_FAULTS": str(control)} if library else {}
        self._read = b""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "crash_template"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=_environment() | preloaded,
        )

    def live(self, plan: Plan, seconds: float | None) -> int:
        """One life, ended from outside after so many seconds; its exit code."""
        assert self._process.stdin is not None
        self._process.stdin.write(pickle.dumps(plan).hex().encode() + b"\n")
        self._process.stdin.flush()
        number = self._answer(PATIENCE_S)
        assert number is not None, "the template does not fork"
        code = None
        if seconds is not None and (code := self._answer(seconds)) is None:
            os.kill(number, signal.SIGKILL)
        if code is None and (code := self._answer(PATIENCE_S)) is None:
            os.kill(number, signal.SIGKILL)
            self._answer(PATIENCE_S)
            raise AssertionError(f"{plan.work} did not end")
        return code

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()

    def _answer(self, seconds: float) -> int | None:
        """The next line; None when it does not come in time."""
        assert self._process.stdout is not None
        while b"\n" not in self._read:
            if not select.select([self._process.stdout], [], [], seconds)[0]:
                return None
            found = os.read(self._process.stdout.fileno(), 64)
            assert found, "the template has ended"
            self._read += found
        line, _, self._read = self._read.partition(b"\n")
        return int(line)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


class Lives:
    """Some templates; as many lives at a time. A context."""

    def __init__(self, folder: Path, library: Path | None = None) -> None:
        self._templates: queue.Queue[Template] = queue.Queue()
        for number in range(JOBS):
            control = faults.control(folder / f"control {number}") if library else None
            self._templates.put(Template(library, control))

    def __enter__(self) -> Lives:
        return self

    def __exit__(self, *error: object) -> None:
        for _ in range(JOBS):
            self._templates.get(timeout=PATIENCE_S).close()

    def run(
        self, plan: Plan, kill: Kill | None = None, *, fresh: bool = False
    ) -> tuple[int, tuple[float, float] | None]:
        """One life of a driver; its exit code, and the seconds until it could answer, passed and worked (None: it never could)."""
        ready = beside(plan, "ready")
        ready.unlink(missing_ok=True)
        plan = replace(plan, kill=kill if isinstance(kill, tuple) else None, ready=ready)
        seconds = kill if isinstance(kill, float) else None
        template = None if fresh else self._templates.get()
        begun = time.monotonic()
        try:
            code = _from_nothing(plan, seconds) if template is None else template.live(plan, seconds)
        finally:
            if template is not None:
                self._templates.put(template)
        told = ready.read_text().split() if ready.exists() else []
        return code, (float(told[0]) - begun, float(told[1])) if len(told) == 2 else None


def _from_nothing(plan: Plan, seconds: float | None) -> int:
    """A life that begins with its interpreter."""
    told = pickle.dumps(plan).hex()
    with subprocess.Popen([sys.executable, "-c", _FROM_NOTHING, told], env=_environment()) as process:
        try:
            return process.wait(PATIENCE_S if seconds is None else seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            assert seconds is not None, f"{plan.work} did not end"
            return process.wait()


@dataclass
class Trial:
    """One scenario: what was killed where, and what came of it. `hit` are the kills that met a living process, `ready` tells of each life
    how many seconds passed from its start until it could search, and `worked` how many of the processor's it took."""

    job: str
    kills: list[Kill]
    fresh: bool = False
    hit: list[Kill] = field(default_factory=list)
    ready: list[float] = field(default_factory=list)
    worked: list[float] = field(default_factory=list)
    wrong: str = ""

    def __str__(self) -> str:
        told = ", ".join(f"{kill:.2f} s" if isinstance(kill, float) else f"{kill[0]} #{kill[1]}" for kill in self.kills)
        return f"{self.job} killed at {told}: {self.wrong:.1000}"


def chosen(
    points: Mapping[str, Mapping[str, int]], took: Mapping[str, float], count: int, known: set[str], seed: int
) -> list[Trial]:
    """So many trials of jobs, given which points each visits how often (in the order of the first visits) and how long it takes.

    Most are killed at two named points, the second time while they recover: at every point that is not `known` in turn, then at the others,
    and at none a second time before each had its first. Each eighth trial is killed at a random moment, and half of those at another."""
    chance = random.Random(seed)
    pairs = [(job, point) for job in points for point in points[job]]
    chance.shuffle(pairs)
    firsts = {point: job for job, point in pairs}
    turn = sorted(pairs, key=lambda pair: (pair[1] in known, firsts[pair[1]] != pair[0]))
    queues = {job: [point for each, point in turn if each == job] for job in points}
    weights = {job: sum(firsts[point] == job and point not in known for point in queues[job]) for job in points}
    trials = []
    for number in range(count):
        job = max(points, key=lambda each: (weights[each], -sum(trial.job == each for trial in trials)))
        order, queue = list(points[job]), queues[job]
        kills: list[Kill] = [chance.uniform(0.0, took[job]) for _ in range(1 + number // 8 % 2)]
        if number % 8 != 7:
            named = sorted((queue.pop(0) for _ in range(2)), key=order.index)
            queue += named
            weights[job] = max(0, weights[job] - 2)
            kills = [(named[0], chance.randint(1, points[job][named[0]])), (named[1], 1)]
        trials.append(Trial(job, kills, fresh=ALONE or number % FRESH == FRESH // 2))
    return trials


def beside(plan: Plan, name: str) -> Path:
    """A file of a plan that is not in its folder, nor on its disk."""
    return plan.federation.parent / f"{plan.folder.parent.name} {plan.folder.name}.{name}"


def life(lives: Lives, plan: Plan, trial: Trial) -> None:
    """Lives that are cut, one after the other, and a last one that is not: it must come to its end by itself."""
    for number, kill in enumerate([*trial.kills, None]):
        code, ready = lives.run(replace(plan, now=plan.now + RESTART * number), kill, fresh=trial.fresh)
        if code == -signal.SIGKILL and kill is not None:
            trial.hit.append(kill)
        elif code != 0:
            trial.wrong = f"life {number} ended with {code}"
            return
        if ready is not None:
            trial.ready.append(ready[0])
            trial.worked.append(ready[1])


def visits(lives: Lives, plan: Plan) -> tuple[dict[str, int], float]:
    """A life that is not cut: which points it visits how often, and how long it takes."""
    done = beside(plan, "dry")
    code, _ = lives.run(replace(plan, done=done))
    assert code == 0, f"{plan.work} does not run"
    told = json.loads(done.read_text())
    return told["visits"], told["took"]


def copied(source: Path, target: Path) -> Path:
    """A folder as a killed or closed house left it."""
    shutil.copytree(source, target)
    return target


def all_of(trials: Iterable[Trial], do: Callable[[int, Trial], None]) -> list[Trial]:
    """Every trial done, some at a time; those that went wrong."""
    numbered = list(enumerate(trials))

    def one(item: tuple[int, Trial]) -> Trial:
        try:
            do(*item)
        except AssertionError as error:
            item[1].wrong = item[1].wrong or str(error)[:2_000]
        return item[1]

    with ThreadPoolExecutor(JOBS) as pool:
        return [trial for trial in pool.map(one, numbered) if trial.wrong]


def reached(trials: Sequence[Trial]) -> set[str]:
    """The named points at which a process was killed."""
    return {kill[0] for trial in trials for kill in trial.hit if isinstance(kill, tuple)}


def slowest(trials: Sequence[Trial]) -> tuple[float, float, float]:
    """The longest that a start took until it could search: of the forks, of those from nothing, and of these in processor time."""
    forked = [second for trial in trials if not trial.fresh for second in trial.ready]
    fresh = [second for trial in trials if trial.fresh for second in trial.ready]
    worked = [second for trial in trials if trial.fresh for second in trial.worked]
    return max(forked, default=0.0), max(fresh, default=0.0), max(worked, default=0.0)


def upper_bound(trials: int) -> float:
    """The 95 % upper bound of a fault's probability after so many trials without one (Clopper and Pearson 1934; about 3 / trials)."""
    return 1 - 0.05 ** (1 / trials)


def evidence(name: str, trials: Sequence[Trial], begun: float, **more: object) -> None:
    """Write what was run and seen (reliability reference, section 9: the evidence rule)."""
    failures = [str(trial) for trial in trials if trial.wrong]
    starts = slowest(trials)
    named = Counter(kill[0] for trial in trials for kill in trial.hit if isinstance(kill, tuple))
    told: dict[str, Any] = {
        "trials": len(trials),
        "jobs": Counter(trial.job for trial in trials),
        "kills": sum(len(trial.hit) for trial in trials),
        "killsAtRandomMoments": sum(isinstance(kill, float) for trial in trials for kill in trial.hit),
        "killsAtNamedPoints": dict(sorted(named.items())),
        "namedPoints": len(named),
        "fromNothing": sum(trial.fresh for trial in trials),
        "failures": failures,
        "upperBound95": round(upper_bound(len(trials)), 5) if not failures else None,
        "starts": sum(len(trial.ready) for trial in trials),
        "slowestStartSeconds": round(starts[0], 3),
        "slowestStartFromNothingSeconds": round(starts[1], 3),
        "slowestStartFromNothingProcessorSeconds": round(starts[2], 3),
        "seconds": round(time.monotonic() - begun),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "tantivy": version("tantivy"),
        **more,
    }
    keep(name, told)
