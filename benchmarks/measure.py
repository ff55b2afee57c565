"""This file is how anything is measured: repeats, their spread, and what is said about the machine."""

from __future__ import annotations

import asyncio
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Check = Callable[[float], bool]


@dataclass(frozen=True)
class Result:
    """One figure: what was aimed at, what came out, its spread (relative distance of the quartiles of the repeats), and how noisy
    the machine was (the same of the reference alone; None where there is none)."""

    name: str
    goal: str
    measured: float
    unit: str
    met: bool
    spread: float
    noise: float | None = None
    details: dict[str, Any] = field(default_factory=dict)

    def line(self) -> str:
        """For a person at a terminal."""
        noise = "" if self.noise is None else f", noise of the reference {self.noise:.0%}"
        told = " ".join(f"{name}={_short(value)}" for name, value in self.details.items())
        mark = "met   " if self.met else "MISSED"
        return f"{mark} {self.name}: {self.measured:.4g} {self.unit} (goal {self.goal}; spread {self.spread:.0%}{noise}) {told}"

    def plain(self) -> dict[str, Any]:
        """For a file."""
        return asdict(self)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def spread(values: list[float]) -> float:
    """How far apart the quartiles lie, relative to the median."""
    if len(values) < 2:
        return 0.0
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return (high - low) / middle if middle else 0.0


def timed(call: Callable[[], Any]) -> float:
    """Seconds on the wall."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


async def alternately(
    one: Callable[[], Awaitable[Any]], other: Callable[[], Awaitable[Any]], times: int
) -> tuple[list[float], list[float]]:
    """Seconds of two things done in turn, so that a busy moment of the machine hits both; each was done once before."""
    for call in (one, other):
        await call()
    pairs: tuple[list[float], list[float]] = ([], [])
    for _ in range(times):
        for call, seconds in zip((one, other), pairs, strict=True):
            began = time.perf_counter()
            await call()
            seconds.append(time.perf_counter() - began)
            await asyncio.sleep(0)
    return pairs


@contextmanager
def started(module: str, *sizes: int) -> Iterator[int]:
    """A stand-in of ours in a process of its own; its port, which it tells in its first line."""
    command = [sys.executable, "-m", module, *map(str, sizes)]
    process = subprocess.Popen(command, cwd=Path(__file__).resolve().parent.parent, stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def machine() -> dict[str, Any]:
    """What it ran on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = os.getloadavg()[0]
    return {"cores": cores, "python": platform.python_version(), "system": platform.system(), "load": round(load, 1)}
