"""The demo's supervisor: everything comes up, everything ends, whoever is killed."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
import requests
from sign_in import sign_in
from waiting import until

from demo.__main__ import Demo, Unusable, choose_ports, waves, write_federation
from demo.children import ROOT, end_tree, recognised, remember, sweep
from demo.people import PEOPLE
from demo.ports import free_port, is_free
from schema.federation import read_federation

# A child that answers 200, starts a grandchild, and does what its name says.
SERVER = """
import http.server, subprocess, sys, threading, os, time
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
if sys.argv[2] == "dies": print("the reason [of] it all", flush=True); threading.Timer(1.0, os._exit, [3]).start()
if sys.argv[2] == "stubborn": __import__("signal").signal(15, __import__("signal").SIG_IGN)
class Quiet(http.server.BaseHTTPRequestHandler):
    def do_GET(self): self.send_response(200); self.end_headers()
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Quiet).serve_forever()
"""

SUPERVISOR = """
import sys
from pathlib import Path
from rich.console import Console
from demo.children import Child
from demo.supervisor import Busy, alone, clear, run
folder, server = Path(sys.argv[1]), sys.argv[2]
def child(text):
    name, port = text.split(":")
    return Child(name, (sys.executable, server, port, name), f"http://127.0.0.1:{port}/", name, grace=1.0, patience=120)
waves = [[child(text) for text in wave.split(",")] for wave in sys.argv[3:]]
console = Console(width=200)
try:
    with alone(folder):
        clear((), folder, console)
        sys.exit(run(waves, folder, console, lambda stop: console.print("up")))
except Busy as busy:
    console.print(str(busy)); sys.exit(2)
"""


class Demonstration:
    """A supervisor in a process of its own, with children that do what their names say."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "run"
        self.server = folder / "server.py"
        self.server.write_text(SERVER)
        self.script = folder / "supervise.py"
        self.script.write_text(SUPERVISOR)
        self.ports: dict[str, int] = {}

    def start(self, *waves: str) -> subprocess.Popen[str]:
        named = []
        for wave in waves:
            self.ports |= {name: free_port() for name in wave.split(",") if name not in self.ports}
            named.append(",".join(f"{name}:{self.ports[name]}" for name in wave.split(",")))
        command = [sys.executable, str(self.script), str(self.folder), str(self.server), *named]
        kept = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=kept)

    def alive(self) -> list[int]:
        """Children and grandchildren: those that run our server, and what they started."""
        found = []
        for process in psutil.process_iter():
            try:
                ours = str(self.server) in process.cmdline() and str(self.script) not in process.cmdline()
                if ours and process.status() != psutil.STATUS_ZOMBIE:
                    found += [process.pid, *(child.pid for child in process.children())]
            except psutil.Error:
                continue
        return found


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demonstration]:
    made = Demonstration(tmp_path)
    yield made
    for pid in made.alive():
        end_tree(pid, 0.1)


def still(pids: list[int]) -> list[int]:
    """Those that run; one that has ended and waits to be reaped by somebody does not."""
    found = []
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            found += [pid] if psutil.Process(pid).status() != psutil.STATUS_ZOMBIE else []
    return found


def read_until(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout
    seen = ""
    while text not in seen:
        line = process.stdout.readline()
        assert line, f"it ended without saying {text!r}: {seen}"
        seen += line
    return seen


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_everything_in_reverse_and_is_a_success(demo: Demonstration, how: signal.Signals) -> None:
    process = demo.start("one,two", "three")
    read_until(process, "up")
    family = demo.alive()
    assert len(family) == 6
    process.send_signal(how)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert not still(family)
    assert (demo.folder / "logs" / "one.log").exists()
    assert not list((demo.folder / "pids").glob("*.json"))


def test_a_child_that_does_not_listen_is_ended_by_force(demo: Demonstration) -> None:
    process = demo.start("stubborn")
    read_until(process, "up")
    family = demo.alive()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert not still(family)


def test_a_child_that_dies_is_told_with_its_log_and_the_others_end(demo: Demonstration) -> None:
    process = demo.start("one,dies")
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "dies ended by itself (exit code 3)" in said
    assert "the reason [of] it all" in said
    assert str(demo.folder / "logs" / "dies.log") in said.replace("\n", "")
    until(lambda: not demo.alive())


def test_a_second_demo_in_the_same_folder_is_refused_and_harms_nobody(demo: Demonstration) -> None:
    first = demo.start("one")
    read_until(first, "up")
    second = demo.start("one")
    said, _ = second.communicate(timeout=120)
    assert second.returncode == 2
    assert f"runs already (pid {first.pid})" in said
    assert first.poll() is None
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=120)
    assert first.returncode == 0


def test_after_a_killed_supervisor_the_next_start_cleans_up_and_comes_up(demo: Demonstration) -> None:
    first = demo.start("one", "stubborn")
    read_until(first, "up")
    left = demo.alive()
    first.kill()
    first.communicate(timeout=120)
    assert set(demo.alive()) == set(left)
    second = demo.start("one", "stubborn")
    said = read_until(second, "up")
    assert "Ended what an earlier run left behind: one, stubborn" in said
    assert not still(left)
    second.send_signal(signal.SIGTERM)
    second.communicate(timeout=120)
    assert second.returncode == 0


@pytest.mark.parametrize("forged", [{"started": 1.0}, {"command": ["somebody", "else"]}, {"pid": "x"}, {}])
def test_a_pid_that_somebody_else_has_now_is_left_alone(tmp_path: Path, forged: dict[str, object]) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as stranger:
        until(lambda: psutil.Process(stranger.pid).cmdline())
        path = tmp_path / "one.json"
        remember(stranger.pid, path)
        assert recognised(path) == stranger.pid
        path.write_text(json.dumps({**json.loads(path.read_text()), **forged}) if forged else "not json")
        assert sweep(tmp_path) == ()
        assert stranger.poll() is None
        stranger.kill()


def test_ports_are_the_configured_ones_else_the_usual_else_any(monkeypatch: pytest.MonkeyPatch) -> None:
    free = {name: str(free_port()) for name in ("PANGATE_PORT", "DEMO_HUB_PORT")}
    chosen = choose_ports(free)
    assert chosen["PANGATE_PORT"] == int(free["PANGATE_PORT"])
    assert chosen["DEMO_HUB_PORT"] == int(free["DEMO_HUB_PORT"])
    assert len(set(chosen.values())) == len(chosen)
    assert all(is_free(port) for port in chosen.values())


def test_a_busy_or_senseless_port_has_one_clear_message() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for name in ("PANGATE_PORT", "DEMO_HUB_PORT"):
            with pytest.raises(Unusable, match=f"Port {port} is taken.*{name}="):
                choose_ports({"PANGATE_PORT": str(free_port()), name: port})
    for wrong in ("http", "0", "70000", "-1", "²"):
        with pytest.raises(Unusable, match=r"PANGATE_PORT.*number from 1 to 65535"):
            choose_ports({"PANGATE_PORT": wrong})


def test_the_federation_of_a_run_is_valid_and_has_its_ports(tmp_path: Path) -> None:
    ports = dict(zip(choose_ports({"PANGATE_PORT": str(free_port())}), range(9001, 9008), strict=True))
    text = write_federation(Demo(tmp_path, ports, "http://127.0.0.1:9001")).read_text()
    federation = read_federation(text)
    assert list(federation.sources()) == ["freya/scicat", "skadi/icat"]
    for _facility, trigger in federation.triggers().values():
        assert trigger.url == f"http://127.0.0.1:{ports['DEMO_HUB_PORT']}"
        assert trigger.apiUrl == f"http://127.0.0.1:{ports['DEMO_HUB_API_PORT']}/hub/api"
    assert "${" not in text


def test_no_secret_stands_in_a_command_line_or_in_the_federation_file(tmp_path: Path) -> None:
    ports = choose_ports({"PANGATE_PORT": str(free_port())})
    children = [child for wave in waves(Demo(tmp_path, ports, "http://127.0.0.1:1")) for child in wave]
    words = ("SECRET", "TOKEN", "PASSWORD")
    secrets = {
        value for child in children for name, value in child.environment.items() if any(word in name for word in words)
    }
    assert len(secrets) >= 5
    visible = (tmp_path / "federation.yaml").read_text() + repr(children)
    assert not [secret for secret in secrets if secret in visible]


AROUND = """
import sys
from pathlib import Path
from rich.console import Console
from demo.__main__ import Demo, choose_ports, waves
from demo.supervisor import alone, run
folder = Path(sys.argv[1])
ports = choose_ports({name: port for name, port in (pair.split("=") for pair in sys.argv[2:])})
with alone(folder):
    demo = Demo(folder, ports, f"http://127.0.0.1:{ports['PANGATE_PORT']}")
    console = Console(width=200)
    sys.exit(run(waves(demo)[:1], folder, console, lambda stop: console.print("up")))
"""


@pytest.mark.jupyterhub
def test_everything_that_pangate_leans_on_comes_up_together_and_trusts_each_other(tmp_path: Path) -> None:
    names = (
        "PANGATE_PORT",
        "DEMO_HUB_PORT",
        "DEMO_HUB_API_PORT",
        "DEMO_IDENTITY_PORT",
        "DEMO_SCICAT_PORT",
        "DEMO_ICAT_PORT",
    )
    ports = {name: free_port() for name in names}
    kept = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    pairs = [f"{name}={port}" for name, port in ports.items()]
    process = subprocess.Popen(
        [sys.executable, "-c", AROUND, str(tmp_path / "run"), *pairs],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=kept,
    )
    try:
        read_until(process, "up")
        home = sign_in(
            requests.Session(), f"http://127.0.0.1:{ports['DEMO_HUB_PORT']}/hub/home", "curie", PEOPLE[2].password
        )
        assert home.status_code == 200
        assert "curie" in home.text
        count = requests.get(
            f"http://127.0.0.1:{ports['DEMO_SCICAT_PORT']}/api/v3/datasets?filter=%7B%22limit%22:1%7D", timeout=30
        )
        assert count.json()
    finally:
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert all(is_free(port) for port in ports.values())
