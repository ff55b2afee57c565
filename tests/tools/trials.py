"""Trials of a crash: this file starts a driver, has it killed, lets it start again, and counts what that showed.

PANGATE_CRASH_TRIALS says how many (64; with PANGATE_SOAK 1,000), PANGATE_SEED which (2026), PANGATE_EVIDENCE a folder where the result is
written. The driver runs in forks of a server that has imported everything, since a start from nothing takes a second.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import shutil
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from importlib.metadata import version
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import crash_driver
from crash_driver import Plan

SEED = int(os.environ.get("PANGATE_SEED", "2026"))
TRIALS = int(os.environ.get("PANGATE_CRASH_TRIALS") or (1_000 if os.environ.get("PANGATE_SOAK") else 64))
JOBS = 2
RESTART = timedelta(minutes=3)
"""How much later the next start is: beyond the life of a killed process's leases."""
PATIENCE_S = 120.0

_forks = multiprocessing.get_context("forkserver")
_turn = threading.Lock()


def _ready() -> None:
    """Start the server of forks. Python 3.11 gives it no path for what it imports beforehand but the environment's."""
    _forks.set_forkserver_preload(["crash_driver"])
    with _turn:
        before = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)
        try:
            forkserver.ensure_running()
        finally:
            os.environ.pop("PYTHONPATH")
            if before is not None:
                os.environ["PYTHONPATH"] = before


@dataclass
class Trial:
    """One scenario: what was killed where, and what came of it."""

    job: str
    kills: list[tuple[str, int] | float]
    killed: int = 0
    ready: list[float] = field(default_factory=list)
    wrong: str = ""

    def __str__(self) -> str:
        told = ", ".join(f"{kill:.2f} s" if isinstance(kill, float) else f"{kill[0]} #{kill[1]}" for kill in self.kills)
        return f"{self.job} killed at {told}: {self.wrong}"


def run(plan: Plan, kill: tuple[str, int] | float | None = None) -> int | None:
    """One life of a driver; its exit code. `kill`: a named point and which visit, or after how many seconds."""
    _ready()
    named = kill if isinstance(kill, tuple) else None
    process = _forks.Process(target=crash_driver.main, args=(replace(plan, kill=named),))
    process.start()
    if isinstance(kill, float):
        process.join(kill)
        if process.is_alive() and process.pid is not None:
            os.kill(process.pid, signal.SIGKILL)
    process.join(PATIENCE_S)
    if process.is_alive():
        process.kill()
        process.join()
        raise AssertionError(f"{plan.work} did not end")
    return process.exitcode


def life(plan: Plan, trial: Trial) -> None:
    """Lives that are cut, one after the other, and a last one that is not: it must come to its end by itself."""
    lives: list[tuple[str, int] | float | None] = [*trial.kills, None]
    for number, kill in enumerate(lives):
        done = plan.folder.parent / f"{plan.folder.name}.done.{number}"
        now = plan.now + RESTART * number
        code = run(replace(plan, now=now, done=done), kill)
        if code == -signal.SIGKILL and kill is not None:
            trial.killed += 1
        elif code != 0:
            trial.wrong = f"life {number} ended with {code}"
            return
        if done.exists():
            trial.ready.append(json.loads(done.read_text())["ready"])


def visits(plan: Plan) -> tuple[dict[str, int], float]:
    """A life that is not cut: which points it visits how often, and how long it takes."""
    done = plan.folder.parent / f"{plan.folder.name}.dry"
    assert run(replace(plan, done=done)) == 0, f"{plan.work} does not run"
    told = json.loads(done.read_text())
    return told["visits"], told["took"]


def copied(source: Path, target: Path) -> Path:
    """A folder as a killed or closed house left it."""
    shutil.copytree(source, target)
    return target


def all_of(trials: Iterable[Trial], do: Callable[[int, Trial], None]) -> list[Trial]:
    """Every trial done, two at a time; those that went wrong."""
    numbered = list(enumerate(trials))

    def one(item: tuple[int, Trial]) -> Trial:
        try:
            do(*item)
        except AssertionError as error:
            item[1].wrong = item[1].wrong or str(error)[:2_000]
        return item[1]

    with ThreadPoolExecutor(JOBS) as pool:
        return [trial for trial in pool.map(one, numbered) if trial.wrong]


def evidence(name: str, trials: list[Trial], points: int, begun: float) -> None:
    """Write what was run and seen (reliability reference, section 9: the evidence rule)."""
    folder = os.environ.get("PANGATE_EVIDENCE")
    if not folder:
        return
    failures = [str(trial) for trial in trials if trial.wrong]
    told: dict[str, Any] = {
        "seed": SEED,
        "trials": len(trials),
        "kills": sum(trial.killed for trial in trials),
        "namedPoints": points,
        "failures": failures,
        "upperBound95": round(3 / len(trials), 5) if not failures else None,
        "slowestStartSeconds": round(max((second for trial in trials for second in trial.ready), default=0.0), 3),
        "seconds": round(time.monotonic() - begun),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "tantivy": version("tantivy"),
    }
    Path(folder).mkdir(parents=True, exist_ok=True)
    (Path(folder) / f"{name}.json").write_text(json.dumps(told, indent=1) + "\n")
