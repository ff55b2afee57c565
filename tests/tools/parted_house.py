"""The second profile started by hand: this file runs `pangate serve`, `worker` and `beat` as processes against given servers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import requests
from servers.daemon import free_port
from waiting import until

from catalogue.index.elastic_states import SECONDS
from pangate.house import House, open_house, utc_now
from pangate.settings import Settings
from pangate.sweeper import owed_harvests
from schema.errors import Unavailable

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Program:
    """One process of pangate, and where it is asked whether it lives."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    port: int

    def said(self) -> str:
        """What it wrote."""
        return self.log.read_text(errors="replace")

    def end(self, how: signal.Signals = signal.SIGTERM, patience: float = 60) -> int:
        """Send a signal and wait; the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(patience)


@dataclass
class PartedHouse:
    """The processes of one federation, with their settings."""

    folder: Path
    settings: Mapping[str, str]
    secrets: Mapping[str, str]
    programs: list[Program] = field(default_factory=list)

    def environment(self, **more: str) -> dict[str, str]:
        """What a process is given: nothing of ours that the test did not say."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PANGATE_", "DEMO_"))}
        own = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost", "PYTHONUNBUFFERED": "1"}
        return {**kept, **own, **self.settings, **self.secrets, **more}

    def start(self, *command: str, port: int | None = None) -> Program:
        """Start `pangate COMMAND`; a server at that port, or with its figures at one of its own."""
        own = port or free_port()
        where = {"PANGATE_PORT": str(own)} if command[0] == "serve" else {"PANGATE_METRICS_PORT": str(own)}
        name = f"{command[0]}-{len(self.programs)}"
        log = self.folder / f"{name}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "pangate", *command],
                cwd=ROOT,
                env=self.environment(**where),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        program = Program(name, process, log, own)
        self.programs.append(program)
        return program

    def ready(self, *programs: Program, patience: float = 240) -> None:
        """Wait until they answer."""
        for program in programs:
            page = "readyz" if program.name.startswith("serve") else "livez"
            until(lambda: _ok(program, page), patience, program.said)  # noqa: B023 (called within the turn)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """The command line, to its end."""
        return subprocess.run(
            [sys.executable, "-m", "pangate", *command],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=500,
            check=False,
        )

    @contextmanager
    def opened(self, *, write_index: bool = False, later: timedelta = timedelta()) -> Iterator[House]:
        """The house, looked into from the test, so much later than now."""
        before = dict(os.environ)
        os.environ.update({**self.settings, **self.secrets})
        try:
            with open_house(Settings(), write_index=write_index, clock=lambda: utc_now() + later) as house:
                yield house
        finally:
            os.environ.clear()
            os.environ.update(before)

    def end(self) -> None:
        """End all that still lives, by force in the end."""
        for program in self.programs:
            if program.process.poll() is None:
                program.process.terminate()
        for program in self.programs:
            try:
                program.process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(program.process.pid, signal.SIGKILL)
                program.process.wait(60)


def settled(house: House) -> bool:
    """Whether every source is harvested to its end, no harvest is under way or owed, and the index has all of it: what is found from then
    on stays. (That sources have a time of harvest is less: their last pages may not be in the index yet.)"""
    states = {state.source: state for state in house.harvests.states()}
    for source in house.federation.sources():
        if source not in states or states[source].last_done is None or states[source].running is not None:
            return False
    try:
        return not owed_harvests(house) and house.index.mark() == house.truth.head()
    except Unavailable:
        return False


def shown(house: House, about: Callable[[], str]) -> None:
    """Wait until everything is harvested and in the index, and every gateway shows it: what it read of the index just before it may go on
    reading for two seconds."""
    until(lambda: settled(house), 120, about)
    time.sleep(2 * SECONDS)


def figure(program: Program, name: str) -> float:
    """A figure of a process's /metrics; the sum over its labels."""
    text = requests.get(f"http://127.0.0.1:{program.port}/metrics", timeout=60).text
    rows = [line for line in text.splitlines() if line.startswith((f"{name} ", f"{name}{{"))]
    return sum(float(row.rsplit(" ", 1)[1]) for row in rows)


def _ok(program: Program, page: str) -> bool:
    assert program.process.poll() is None, f"{program.name} ended by itself:\n{program.said()[-4000:]}"
    try:
        return requests.get(f"http://127.0.0.1:{program.port}/{page}", timeout=30).status_code == 200
    except requests.RequestException:
        return False
