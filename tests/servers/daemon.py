"""This file is a real server process for tests: started with a folder and ports of its own, ended by its own pid, never the system's."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import psutil

from demo.ports import free_port

START_S = 180.0


class Missing(RuntimeError):
    """The server cannot be had on this machine; the message says what is missing."""


class Daemon:
    """A server in a folder of its own, run by `account` when we are root. Subclasses say how: prepare, command, answers."""

    name = "server"
    account = "nobody"
    polite = signal.SIGTERM

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"pangate-{self.name}-", dir="/tmp"))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        try:
            self.prepare()
            self.own(self.folder)
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def prepare(self) -> None:
        """What is done once, before the first start. Raises Missing."""

    def command(self) -> Sequence[str]:
        """How it is started, in the foreground."""
        raise NotImplementedError

    def environment(self) -> Mapping[str, str]:
        """What is added to its environment."""
        return {}

    def answers(self) -> bool:
        """Whether it serves."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it (again, on the data it has) and wait until it answers."""
        with (self.folder / "out").open("ab") as out:
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                cwd=self.folder,
                env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(self.folder), **self.environment()},
                start_new_session=True,
                **self.identity(),
            )
        until = time.monotonic() + START_S
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise Missing(f"{self.name} did not start: {self.said()}")
            time.sleep(0.05)

    def stop(self) -> None:
        """Ask it to end, and wait."""
        self._end(self.polite)

    def kill(self) -> None:
        """kill -9 of the process and its children."""
        self._end(signal.SIGKILL)

    def close(self) -> None:
        """End it and remove its data."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def said(self) -> str:
        """The last words on its output."""
        out = self.folder / "out"
        return out.read_text(errors="replace")[-1500:] if out.exists() else ""

    def identity(self) -> dict[str, Any]:
        """Who runs it: ourselves, or for root the account."""
        if os.geteuid() != 0:
            return {}
        try:
            who = pwd.getpwnam(self.account)
        except KeyError:
            raise Missing(f"the account {self.account} of {self.name} is not there") from None
        return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}

    def own(self, folder: Path) -> None:
        """Give a folder and what is in it to the account."""
        who = self.identity()
        for path in (folder, *folder.rglob("*")) if who else ():
            os.chown(path, who["user"], who["group"])

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        try:
            if how is signal.SIGKILL:
                os.killpg(process.pid, how)
            else:
                process.send_signal(how)
            process.wait(60)
        except ProcessLookupError:
            process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(60)


class Running(Protocol):
    """A server whose process is known."""

    _process: subprocess.Popen[bytes] | None


@contextmanager
def frozen(*servers: Running) -> Iterator[None]:
    """While it lasts these servers hang: connections are accepted (by the kernel), and nothing is answered."""
    found = [psutil.Process(each._process.pid) for each in servers if each._process is not None]
    processes = [process for each in found for process in (each, *each.children(recursive=True))]
    assert len(found) == len(servers)
    try:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        yield
    finally:
        for process in reversed(processes):
            with suppress(psutil.NoSuchProcess):
                process.resume()


def listens(port: int) -> bool:
    """Whether somebody accepts connections on a loopback port."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            return True
    except OSError:
        return False
