"""This file is a whole house to measure in: a data folder filled through the ledger and the projector, and `pangate serve` over it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import httpx

from benchmarks import records
from catalogue.ports import Page
from pangate.house import House, open_house
from pangate.settings import Settings
from schema.activities import Bookmark, HarvestMode, HarvestState

_FEDERATION = """facilities:
  - id: freya
    name: Freya Light Source
    shortName: Freya
    sources:
      - {{ id: scicat, kind: scicat, url: "http://127.0.0.1:{port}/api/v3", enabled: {enabled},
          rate: null, allowPrivateAddress: true, interval: 365 d }}
"""
_ROOT = Path(__file__).resolve().parent.parent
_PAGE = 500
_READY_S = 60.0


def settings(folder: Path, source_port: int | None = None) -> Settings:
    """Settings of a house in a folder, whose one source answers at a port of this machine (without one it is switched off)."""
    file = folder / "federation.yaml"
    file.write_text(
        _FEDERATION.format(port=source_port or 9, enabled=str(source_port is not None).lower()), encoding="utf-8"
    )
    return Settings(federation=file, data=folder, rate_limit=False)


def fill(house: House, count: int) -> tuple[float, float]:
    """Bring so many datasets into the truth and the index; the seconds of either."""
    ledger = house.harvests
    lease = ledger.acquire(f"source:{records.SOURCE}", "bench", 3_600)
    assert lease is not None
    run = ledger.begin(lease, records.SOURCE, HarvestMode.FULL)
    made, committing = records.documents(count), 0.0
    while some := tuple(each.record for each in islice(made, _PAGE)):
        began = time.perf_counter()
        run = ledger.commit(lease, run, Page(some))
        committing += time.perf_counter() - began
    ledger.close(lease, run, HarvestState.DONE, "", Bookmark())
    ledger.release(lease)
    began = time.perf_counter()
    house.projector.project()
    return committing, time.perf_counter() - began


@contextmanager
def filled(folder: Path, count: int) -> Iterator[House]:
    """A house that holds so many datasets."""
    with open_house(settings(folder), write_index=True) as house:
        fill(house, count)
        yield house


@contextmanager
def served(folder: Path, more: Mapping[str, str] | None = None) -> Iterator[tuple[str, int]]:
    """`pangate serve` over a folder that `settings` was called for, in a process of its own: its address and process id. `more` are
    further settings."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    told = {
        "PANGATE_FEDERATION": str(folder / "federation.yaml"),
        "PANGATE_DATA": str(folder),
        "PANGATE_PORT": str(port),
    }
    environment = {**os.environ, **told, "PANGATE_RATE_LIMIT": "false", "PANGATE_LOG_LEVEL": "error"}
    environment |= more or {}
    process = subprocess.Popen(
        [sys.executable, "-m", "pangate", "serve"], cwd=_ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        address = f"http://127.0.0.1:{port}"
        _await(f"{address}/readyz", process)
        yield address, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _READY_S
    while time.monotonic() < until and process.poll() is None:
        try:
            if httpx.get(url).status_code == 200:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise RuntimeError(f"{url} did not answer")


def anonymous_mib(pid: int) -> float:
    """The memory of a process that is its own and resident (RssAnon), in MiB; NaN where the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    except OSError:
        return float("nan")
    found = next((line.split()[1] for line in lines if line.startswith("RssAnon:")), None)
    return float("nan") if found is None else int(found) / 1024


def processor_s(pid: int) -> float:
    """Seconds of the processor that a process has used, all its threads; NaN where the system does not tell."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")
