"""The whole demo in a process of its own: this file starts `python -m demo` as a person would, and ends it with Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
from waiting import until

from demo.__main__ import PORTS
from demo.children import ROOT, end_tree
from demo.ports import free_port

FIRST_LIGHT_S = 300.0
"""Issue 3: the page is up and both facilities are harvested within five minutes."""


class WholeDemo:
    """A demo on ports and in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {name: free_port() for name in PORTS}
        self.url = f"http://127.0.0.1:{self.ports['PANGATE_PORT']}"
        self.hub_api = f"http://127.0.0.1:{self.ports['DEMO_HUB_API_PORT']}/hub/api"
        self.took = 0.0
        self._output = folder / "said.txt"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it greets: everything up, both facilities harvested."""
        self.folder.mkdir(parents=True, exist_ok=True)
        told = {name: str(port) for name, port in self.ports.items()}
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PANGATE_", "DEMO_"))}
        begun = time.monotonic()
        with self._output.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "demo"],
                cwd=ROOT,
                env={**kept, **told, "DEMO_FOLDER": str(self.folder / "demo"), "COLUMNS": "200"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until(lambda: self.url in self.said() or self._process.poll() is not None, FIRST_LIGHT_S, self.said)
        assert self._process.poll() is None, f"the demo ended by itself:\n{self.said()}"
        self.took = time.monotonic() - begun

    def interrupt(self, patience: float = 60) -> int:
        """Ctrl-C; the exit code."""
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(patience)

    def said(self) -> str:
        """What it has written to the terminal."""
        return self._output.read_text(errors="replace")

    def log(self, child: str) -> str:
        """A child's log."""
        return (self.folder / "demo" / "logs" / f"{child}.log").read_text(errors="replace")

    def family(self) -> list[psutil.Process]:
        """Processes that name this demo's folder in their command, their environment or as the place they work in."""
        found = []
        for process in psutil.process_iter():
            try:
                about = " ".join([*process.cmdline(), *process.environ().values(), process.cwd()])
                if str(self.folder) in about and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return [process for process in found if process.pid != os.getpid()]

    def end(self) -> None:
        """By force, if it lives still."""
        if self._process is not None and self._process.poll() is None:
            end_tree(self._process.pid, grace=30)
            self._process.wait(60)
