"""How the demo's processes begin, become ready and end: this file is the life of a child, with a pid file for the worst case."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import requests

ROOT = Path(__file__).resolve().parent.parent
CLOCK_SLACK = 5.0  # seconds; a process's start time is computed from the boot time, which clock corrections move


class NotStarted(Exception):
    """A child died or did not become ready; the text says which and shows the end of its log."""


@dataclass(frozen=True)
class Child:
    """One process of the demo: its command, what it adds to the environment (secrets too), where it answers 200 when it is ready."""

    name: str
    command: tuple[str, ...]
    ready: str
    title: str = ""
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    patience: float = 60.0
    grace: float = 15.0
    finish: Callable[[], object] = field(default=tuple, repr=False)  # ends what may outlive the process


@dataclass(frozen=True)
class Running:
    """A child that was started."""

    child: Child
    process: subprocess.Popen[bytes]
    log: Path
    pid_file: Path


def start(child: Child, folder: Path) -> Running:
    """Start a child; its output goes to `folder`/logs/NAME.log, its pid to `folder`/pids/NAME.json."""
    log, pid_file = folder / "logs" / f"{child.name}.log", folder / "pids" / f"{child.name}.json"
    for path in (log, pid_file):
        path.parent.mkdir(parents=True, exist_ok=True)
    # a proxy of the surrounding network must never see what children say to each other on loopback
    plain = {
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(ROOT),
    }
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 the command is ours, never a visitor's
            child.command,
            cwd=ROOT,
            env={**os.environ, **plain, **child.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which then ends children in order
        )
    remember(process.pid, pid_file)
    return Running(child, process, log, pid_file)


def wait_ready(running: Running, meanwhile: Callable[[], None] = lambda: None) -> float:
    """Wait until the child answers; seconds waited. Raises NotStarted when it died or its patience is over."""
    begun = time.monotonic()
    with requests.Session() as session:
        session.trust_env = False
        while (waited := time.monotonic() - begun) < running.child.patience:
            if running.process.poll() is not None:
                raise NotStarted(death(running))
            with suppress(requests.RequestException):
                if session.get(running.child.ready, timeout=5).status_code == requests.codes.ok:
                    return waited
            meanwhile()
            time.sleep(0.1)
    raise NotStarted(f"{running.child.name} was not ready within {running.child.patience:.0f} s. {tail(running)}")


def death(running: Running) -> str:
    """One sentence about a child that ended by itself, and the end of its log."""
    return f"{running.child.name} ended by itself (exit code {running.process.poll()}). {tail(running)}"


def tail(running: Running, lines: int = 15) -> str:
    """The last lines of a child's log, with its address."""
    text = running.log.read_bytes()[-20_000:].decode(errors="replace")
    last = "\n".join(f"    {line}" for line in text.splitlines()[-lines:])
    return f"Its log is {running.log}:\n{last}"


def end(running: Running) -> None:
    """End a child and all that it started: SIGTERM, its grace, SIGKILL. Does nothing to one that has ended."""
    end_tree(running.process.pid, running.child.grace)
    running.child.finish()
    with suppress(subprocess.TimeoutExpired):
        running.process.wait(1)
    running.pid_file.unlink(missing_ok=True)


def end_tree(pid: int, grace: float) -> None:
    """End a process politely, then what it leaves behind politely, then by force whatever is left of them."""
    try:
        leader = psutil.Process(pid)
        family = [leader, *leader.children(recursive=True)]
        leader.terminate()
    except psutil.NoSuchProcess:
        return
    _left([leader], grace)
    left = _left(family, 0)
    for process in left:
        _tell(process.kill if process == leader else process.terminate)
    stubborn = _left(left, min(grace, 5.0))
    for process in stubborn:
        _tell(process.kill)
    _left(stubborn, 5)


def _left(processes: Sequence[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Wait for processes to end; those that have not. One that ended and that nobody has reaped yet has ended."""
    limit = time.monotonic() + seconds
    while (left := [process for process in processes if _alive(process)]) and time.monotonic() < limit:
        time.sleep(0.02)
    return left


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _tell(signal: Callable[[], None]) -> None:
    with suppress(psutil.NoSuchProcess):
        signal()


def remember(pid: int, path: Path) -> None:
    """Write down a process so that a later run can recognise it: pid, start time and command line."""
    try:
        process = psutil.Process(pid)
        for _ in range(100):
            # for an instant after its start a process has no command line yet
            if command := process.cmdline():
                break
            time.sleep(0.01)
        known = {"pid": pid, "started": process.create_time(), "command": command}
    except psutil.Error:
        return
    path.write_text(json.dumps(known))


def recognised(path: Path) -> int | None:
    """The pid in a pid file, when the process of that pid is still the one that was written down; a pid is used again by others."""
    try:
        known = json.loads(path.read_text())
        process = psutil.Process(int(known["pid"]))
        same = (
            abs(process.create_time() - float(known["started"])) < CLOCK_SLACK and process.cmdline() == known["command"]
        )
    except (OSError, ValueError, KeyError, TypeError, psutil.Error):
        return None
    return process.pid if same and process.status() != psutil.STATUS_ZOMBIE else None


def sweep(pids: Path, grace: float = 10.0) -> tuple[str, ...]:
    """End what an earlier run left behind, by its pid files; the names of what was ended."""
    ended = []
    for path in sorted(pids.glob("*.json")) if pids.is_dir() else []:
        if (pid := recognised(path)) is not None:
            end_tree(pid, grace)
            ended.append(path.stem)
        path.unlink(missing_ok=True)
    return tuple(ended)
