"""The real `pangate serve` killed at random moments: nothing of it stays, the next start goes on by itself to where an uncut one ends;
and on a disk that gets full: it answers what it was asked to read, says plainly what is wrong, and goes on when there is room.

The leases of a killed process last two seconds here in the place of 120, since nobody wants to wait for them in a test.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests
from canonical import canonical, difference
from faults import Missing, fill, small_disk
from pace import slowness
from small_federation import SECRETS, small_federation
from soak import ALONE, SEED
from trials import TRIALS, Kill, Trial, evidence
from waiting import until

from catalogue import disk
from demo.children import ROOT
from demo.ports import free_port
from pangate.house import open_house
from pangate.settings import Settings

pytestmark = [pytest.mark.crash, pytest.mark.timeout(max(600, 20 * TRIALS))]
COUNT = max(2, TRIALS // 30)
START_S, WAIT_S = 5.0, 5.0 if ALONE else 60.0
"""Interpreter, imports, stores and server until it answers: its own work, as the processor's time, and as it passes on a machine that
others keep busy (PANGATE_ALONE: the same five). A lease that nobody frees would hold it up for two minutes."""
ENDED = (0, -signal.SIGTERM)
"""uvicorn ends what is in hand, then dies of the signal it was told with."""
SERVE = (
    "import sys, harvesters.harvest, triggers.launch; harvesters.harvest.LEASE_S = triggers.launch.LEASE_S = 2.0; "
    "from pangate.cli import main; sys.argv[1:] = ['serve']; main()"
)
TOLD = "{ sources { key state } facilities { datasetCount } }"


@dataclass
class Server:
    """A served house in a folder, on a port of its own."""

    folder: Path
    federation: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def settings(self) -> Settings:
        return Settings(federation=self.federation, data=self.folder, port=self.port, url="http://127.0.0.1:8080")

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command in another process."""
        line = [sys.executable, "-m", "pangate", *arguments]
        return subprocess.run(
            line, cwd=ROOT, env=self._environment(), capture_output=True, text=True, timeout=400, check=False
        )

    def _environment(self) -> dict[str, str]:
        told = {"FEDERATION": self.federation, "DATA": self.folder, "PORT": self.port, "URL": "http://127.0.0.1:8080"}
        environment = {**os.environ, **{f"PANGATE_{name}": str(value) for name, value in told.items()}}
        return {**environment, "PYTHONPATH": str(ROOT)}

    def start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SERVE],
                cwd=ROOT,
                env=self._environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def ask(self, query: str) -> dict[str, Any]:
        """An answer's data, empty while there is none."""
        try:
            headers = {"Connection": "close"}
            answer = requests.post(f"{self.url}/graphql", json={"query": query}, headers=headers, timeout=30).json()
            return {} if "errors" in answer else dict(answer["data"])
        except (requests.RequestException, ValueError, KeyError, TypeError):
            return {}

    def fresh(self) -> bool:
        """Whether both sources are harvested."""
        assert self.process is not None
        assert self.process.poll() is None, self.log()
        return [each["state"] for each in self.ask(TOLD).get("sources", [])] == ["FRESH", "FRESH"]

    def kill(self) -> list[psutil.Process]:
        """SIGKILL; the processes it had started."""
        assert self.process is not None
        family = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        return family

    def worked(self) -> float:
        """Seconds of the processor that it has taken."""
        assert self.process is not None
        spent = psutil.Process(self.process.pid).cpu_times()
        return float(spent.user + spent.system)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-3000:]

    def dump(self) -> dict[str, Any]:
        """What it holds once stopped; the projector's last turn is done first, as the next start would."""
        with open_house(self.settings(), write_index=True) as house:
            house.projector.project()
            return canonical(house)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    with small_federation(24, real_time=True) as world:
        yield world.file(tmp_path, 5)


def test_a_server_killed_at_random_moments_goes_on_by_itself(site: Path, tmp_path: Path) -> None:
    chance = random.Random(SEED)
    uncut = Server(tmp_path / "uncut", site, free_port())
    begun = time.monotonic()
    uncut.start()
    try:
        until(partial(_ready, uncut), 120, uncut.log)
        until(uncut.fresh, 120, uncut.log)
    finally:
        code = uncut.stop()
    took = time.monotonic() - begun
    assert code in ENDED, uncut.log()
    expected = uncut.dump()
    kills: list[list[Kill]] = [[chance.uniform(0.2, took) for _ in range(2)] for _ in range(COUNT)]
    trials = [Trial("serve", each, fresh=True, hit=each) for each in kills]
    for number, trial in enumerate(trials):
        server = Server(tmp_path / str(number), site, free_port())
        killed_twice(server, trial)
        differing = difference({**server.dump(), **PATHS}, {**expected, **PATHS})
        assert not differing, f"trial {number}: {differing}"
    evidence("crash-serve", trials, begun)


def killed_twice(server: Server, trial: Trial) -> None:
    """Two starts that are killed, and one that comes to its end; how long that one took until it was ready."""
    try:
        for kill in trial.kills:
            server.start()
            time.sleep(float(kill))  # type: ignore[arg-type]
            left = server.kill()
            _, alive = psutil.wait_procs(left, timeout=60)
            assert not alive, "a harvest's own process ends when nobody listens to it"
        started = time.monotonic()
        server.start()
        until(partial(_ready, server), WAIT_S, server.log)
        trial.ready.append(time.monotonic() - started)
        trial.worked.append(server.worked())
        assert trial.worked[-1] / max(slowness() for _ in range(20)) <= START_S, "its own work until it is ready"
        until(server.fresh, 120, server.log)
        assert server.stop() in ENDED, server.log()
    finally:
        if server.process is not None and server.process.poll() is None:
            server.kill()


PATHS: dict[str, Any] = {"changes": [], "public": []}
"""The order of changes is not compared: here two sources are harvested beside each other."""


def test_a_server_whose_disk_is_full_answers_and_goes_on(site: Path, tmp_path: Path) -> None:
    with ExitStack() as stack:
        try:
            small = stack.enter_context(small_disk(tmp_path / "small", 48 << 20))
        except Missing as reason:
            pytest.skip(str(reason))
        server = Server(small / "house", site, free_port())
        server.start()
        try:
            until(server.fresh, 120, server.log)
            until(lambda: _projected(server), 120, server.log)
            found = until(lambda: server.ask(COUNTED), about=server.log)
            ballast = fill(small / "ballast", 0)
            refused = server.command("rebuild")
            assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)
            assert " ".join(refused.stderr.split()).endswith(disk.failed("the database", disk.FULL).message)
            told = server.command("doctor", "--offline")
            assert "is full. Make room" in " ".join(told.stdout.split())
            assert until(lambda: server.ask(COUNTED), about=server.log) == found
            until(lambda: _ready(server), 60, server.log)
            ballast.unlink()
            assert server.command("rebuild").returncode == 0
            assert until(lambda: server.ask(COUNTED), about=server.log) == found
            assert server.stop() in ENDED
            assert "Traceback" not in server.log()
        finally:
            if server.process is not None and server.process.poll() is None:
                server.kill()


COUNTED = "{ datasets(first: 5) { totalCount nodes { pid title } } facilities { key datasetCount } }"


def _projected(server: Server) -> bool:
    """Whether the index has everything that the truth has."""
    with open_house(server.settings(), write_index=False) as house:
        return house.index.mark() == house.truth.head() > 0


def _ready(server: Server) -> bool:
    try:
        return requests.get(f"{server.url}/readyz", timeout=30).status_code == 200
    except requests.RequestException:
        return False
