"""This file is a real RabbitMQ for tests (Debian package rabbitmq-server): a node of its own name, with a port mapper of its own."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from servers.daemon import Daemon, Missing, free_port, listens

PROGRAM = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


class Rabbitmq(Daemon):
    """One node. `url` is a broker's URL; `forget` has the next start begin with nothing."""

    name = "rabbitmq"
    account = "rabbitmq"

    def __init__(self) -> None:
        super().__init__()
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}//"
        self._mapper_port, self._distribution_port = free_port(), free_port()
        self._mapper: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        if not PROGRAM.exists() or shutil.which("epmd") is None:
            raise Missing("RabbitMQ is not installed (on Debian: apt install rabbitmq-server)")
        (self.folder / "rabbitmq.conf").write_text(f"listeners.tcp.1 = 127.0.0.1:{self.port}\n")
        (self.folder / "plugins").write_text("[].\n")
        self.own(self.folder)
        self._mapper = subprocess.Popen(
            ["epmd", "-port", str(self._mapper_port), "-address", "127.0.0.1"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self.identity(),
        )

    def command(self) -> Sequence[str]:
        return [str(PROGRAM)]

    def environment(self) -> Mapping[str, str]:
        return {
            "RABBITMQ_NODENAME": f"pangate{self.port}@localhost",
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_DIST_PORT": str(self._distribution_port),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
            "ERL_EPMD_PORT": str(self._mapper_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "LANG": "C.UTF-8",
        }

    def answers(self) -> bool:
        return listens(self.port) and "Server startup complete" in self._all()

    def start(self) -> None:
        (self.folder / "out").unlink(missing_ok=True)
        super().start()

    def forget(self) -> None:
        """Remove what it has kept; it must not be running."""
        shutil.rmtree(self.folder / "data", ignore_errors=True)

    def close(self) -> None:
        super().close()
        if self._mapper is not None:
            self._mapper.kill()
            self._mapper.wait(60)
            self._mapper = None

    def _all(self) -> str:
        out = self.folder / "out"
        return out.read_text(errors="replace") if out.exists() else ""
