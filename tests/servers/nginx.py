"""This file is a real nginx for tests (Debian package nginx, 1.22): with a configuration of its own,
and as the proxy of deploy/nginx.conf."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from servers.daemon import Daemon, Missing, listens

DEPLOYED = Path(__file__).resolve().parents[2] / "deploy" / "nginx.conf"
GATEWAY = "server gateway:8080 resolve max_fails=2 fail_timeout=5s;"
RESOLVER = "resolver 127.0.0.11 valid=5s;"
"""Docker's own server of names, and the word that has nginx (from 1.27.3 on) ask it again: here gateways have addresses."""
LISTEN = "listen 8080;"
ALONE = """
worker_processes 1; pid FOLDER/pid; error_log stderr warn; events { worker_connections 512; }
http {
    access_log off; client_body_temp_path FOLDER/body; proxy_temp_path FOLDER/proxy;
    fastcgi_temp_path FOLDER/fastcgi; uwsgi_temp_path FOLDER/uwsgi; scgi_temp_path FOLDER/scgi;
"""
"""What each configuration begins with, so that a server writes nowhere but into its folder."""


class Nginx(Daemon):
    """One server. In its configuration PORT stands for its port and FOLDER for a folder of its own, where it finds `files` by name.
    Raises ValueError for a configuration that nginx does not take."""

    name = "nginx"
    polite = signal.SIGQUIT  # nginx's own word for an end that lets those be answered who have asked

    def __init__(self, configuration: str, files: Mapping[str, Path] | None = None) -> None:
        super().__init__()
        self._files = files or {}
        self.url = f"http://127.0.0.1:{self.port}"
        self._configuration = configuration.replace("PORT", str(self.port)).replace("FOLDER", str(self.folder))

    def prepare(self) -> None:
        if _program() is None:
            raise Missing("nginx is not installed (on Debian: apt install nginx)")
        (self.folder / "nginx.conf").write_text(self._configuration)
        for name, file in self._files.items():
            shutil.copyfile(file, self.folder / name)
        self.own(self.folder)
        tried = subprocess.run([*self.command(), "-t"], capture_output=True, text=True, check=False, **self.identity())
        if tried.returncode:
            raise ValueError(tried.stderr)

    def command(self) -> Sequence[str]:
        own = ["-p", str(self.folder), "-e", "stderr", "-c", str(self.folder / "nginx.conf")]
        return [_program() or "nginx", *own, "-g", "daemon off;"]

    def answers(self) -> bool:
        return listens(self.port)

    def reload(self) -> None:
        """Have new workers take over, while the old ones answer who has asked them."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    def all_said(self) -> str:
        """Everything on its output: it says there what is wrong, and nothing else."""
        return (self.folder / "out").read_text(errors="replace")


def alone(servers: str) -> str:
    """A whole configuration of what is said within `http`."""
    return f"{ALONE}{servers}}}\n"


def deployed(ports: Sequence[int]) -> Nginx:
    """The proxy as it is deployed, before gateways at these ports of loopback. Nothing is changed but names, addresses and folders."""
    text = DEPLOYED.read_text("utf-8")
    gateways = " ".join(GATEWAY.replace("gateway:8080 resolve", f"127.0.0.1:{port}") for port in ports)
    for said, here in ((GATEWAY, gateways), (RESOLVER, ""), (LISTEN, "listen 127.0.0.1:PORT;")):
        assert text.count(said) == 1, f"deploy/nginx.conf says {said} once"
        text = text.replace(said, here)
    return Nginx(text.replace("/tmp/", "FOLDER/"))


def _program() -> str | None:
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
