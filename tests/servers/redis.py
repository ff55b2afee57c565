"""This file is a real Redis for tests (Debian package redis-server), without persistence unless asked for: killed, it has forgotten."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Sequence

from servers.daemon import Daemon, Missing


class Redis(Daemon):
    """One server. `url` is a broker's URL."""

    name = "redis"

    def __init__(self, *, persistent: bool = False) -> None:
        super().__init__()
        self._persistent = persistent
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def prepare(self) -> None:
        if shutil.which("redis-server") is None:
            raise Missing("Redis is not installed (on Debian: apt install redis-server)")

    def command(self) -> Sequence[str]:
        keep = "yes" if self._persistent else "no"
        own = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder), "--daemonize", "no"]
        return ["redis-server", *own, "--save", "", "--appendonly", keep]

    def answers(self) -> bool:
        return self.ask("PING") == "+PONG"

    def ask(self, command: str) -> str:
        """The first line of the answer to a command without arguments; empty when nobody answers."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=10) as talk:
                talk.sendall(f"{command}\r\n".encode())
                return talk.recv(1000).decode().split("\r\n")[0]
        except OSError:
            return ""
