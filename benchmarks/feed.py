"""This file measures the DCAT-AP feed: every dataset streamed as Turtle, how long it takes and what memory it adds."""

from __future__ import annotations

import http.client
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from benchmarks.house import anonymous_mib, served
from benchmarks.measure import Result, spread

_GOAL_S, _GOAL_MIB = 5.0, 150.0
_STATED = 10_000  # datasets the goals are stated for


def measure(folder: Path, count: int, times: int) -> list[Result]:
    """Seconds and extra MiB of a whole feed of so many datasets."""
    seconds: list[float] = []
    extra: list[float] = []
    busy: list[float] = []
    length = 0
    with served(folder) as (address, pid):
        _fetched(address, "/dcat?first=1")
        for _ in range(times):
            watch, begun = _Watch(pid), _busy_s(pid)
            began = time.perf_counter()
            length = _fetched(address, "/dcat.ttl")
            seconds.append(time.perf_counter() - began)
            extra.append(watch.done())
            busy.append(_busy_s(pid) - begun)
    took, grew = min(seconds), max(extra)
    details = {"repeats": times, "MiB": length / 1_048_576, "datasets_per_s": count / took, "processor_s": min(busy)}
    note = "" if count == _STATED else f" (stated for {_STATED:,})"
    return [
        Result(
            f"{count:,} datasets streamed as Turtle", f"< {_GOAL_S:g}{note}", took, "s", took < _GOAL_S,
            spread(seconds), None, details,
        ),
        Result(
            "memory that streaming adds", f"< {_GOAL_MIB:g}{note}", grew, "MiB", grew < _GOAL_MIB, spread(extra),
        ),
    ]  # fmt: skip


def _busy_s(pid: int) -> float:
    """The seconds of the processor that a process has had."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


class _Watch:
    """The highest RssAnon of a process from now on, over what it is now."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._begun = self._highest = anonymous_mib(pid)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def done(self) -> float:
        """The extra MiB."""
        self._over.set()
        self._thread.join()
        return self._highest - self._begun

    def _look(self) -> None:
        while not self._over.wait(0.02):
            self._highest = max(self._highest, anonymous_mib(self._pid))


def _fetched(address: str, path: str) -> int:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
    connection.request("GET", path, headers={"Accept": "text/turtle"})
    reply = connection.getresponse()
    assert reply.status == 200
    length = 0
    while block := reply.read(65_536):
        length += len(block)
    connection.close()
    return length
