"""This file is a real PostgreSQL for tests (Debian package postgresql), as a cluster of its own that trusts this machine."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

import psycopg
from servers.daemon import Daemon, Missing

PLACES = Path("/usr/lib/postgresql")


class Postgresql(Daemon):
    """One cluster with the user and database `pangate`. `stop` ends every session at once, as a restart does."""

    name = "postgresql"
    account = "postgres"
    polite = signal.SIGINT  # fast: running transactions are rolled back

    def __init__(self) -> None:
        super().__init__()
        self.url = f"postgresql://pangate@127.0.0.1:{self.port}/postgres"

    def prepare(self) -> None:
        places = sorted(PLACES.glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
        if not places:
            raise Missing("PostgreSQL is not installed (on Debian: apt install postgresql)")
        self.binaries = places[-1].parent
        self.own(self.folder)
        command = [
            self.binaries / "initdb",
            "-D",
            self.folder / "data",
            "-A",
            "trust",
            "-U",
            "pangate",
            "-E",
            "UTF8",
            "-N",
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=240, cwd=self.folder, **self.identity())

    def command(self) -> Sequence[str]:
        options = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            "fsync": "off",
            "max_connections": "200",
        }
        told = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return [str(self.binaries / "postgres"), "-D", str(self.folder / "data"), *told]

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def database(self, name: str) -> str:
        """The URL of a new, empty database."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return self.url.removesuffix("/postgres") + f"/{name}"

    def run(self, program: str, *arguments: str) -> bytes:
        """The output of one of its programs (pg_dump, pg_restore)."""
        command = [str(self.binaries / program), *arguments]
        done = subprocess.run(command, check=True, capture_output=True, timeout=120, cwd=self.folder)
        return done.stdout
