"""The demo's analysis platform: this file starts and ends a real JupyterHub with the pure-Python proxy, by pid and to the last process."""

import argparse
import os
import secrets
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from demo.children import ROOT, Child, Running, end, end_tree, start, sweep, wait_ready
from demo.identity import Client
from demo.ports import HOST, free_port

SIGN_ON = "jupyterhub"  # the hub's client id at the identity server


@dataclass(frozen=True)
class Hub:
    """A hub: where it listens, where it keeps things, whom it trusts. Without an issuer anybody may enter under any name.

    `url` is the address for people (behind the proxy), `api` the REST API at the hub's own bind address: the pure-Python proxy
    holds server-sent events back until their end. `life` is the longest a session may last, in seconds.
    """

    folder: Path
    port: int = field(default_factory=free_port)
    api_port: int = field(default_factory=free_port)
    proxy_port: int = field(default_factory=free_port)
    token: str = field(default_factory=lambda: secrets.token_hex(24), repr=False)
    issuer: str | None = None
    client_secret: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    life: float = 12 * 3600.0
    python: str = sys.executable

    @property
    def url(self) -> str:
        """The public address, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    @property
    def api(self) -> str:
        """The REST API where pangate asks, without a slash at the end."""
        return f"http://{HOST}:{self.api_port}/hub/api"

    @property
    def client(self) -> Client:
        """The hub as the identity server knows it."""
        return Client(SIGN_ON, (f"{self.url}/hub/oauth_callback",), self.client_secret)


def hub_child(hub: Hub) -> Child:
    """The hub as a child process; it is ready when its API answers through the proxy."""
    hub.folder.mkdir(parents=True, exist_ok=True)
    trust = {"DEMO_HUB_ISSUER": hub.issuer, "DEMO_HUB_CLIENT_ID": SIGN_ON, "DEMO_HUB_CLIENT_SECRET": hub.client_secret}
    return Child(
        name="hub",
        title="Analysis platform (JupyterHub)",
        command=(hub.python, "-m", "jupyterhub", "-f", str(ROOT / "demo" / "jupyterhub_config.py")),
        ready=f"{hub.url}/hub/api/",
        environment={
            "DEMO_HUB_DATA": str(hub.folder),
            "DEMO_HUB_URL": hub.url,
            "DEMO_HUB_API": f"http://{HOST}:{hub.api_port}",
            "DEMO_HUB_PROXY": f"http://{HOST}:{hub.proxy_port}",
            "DEMO_HUB_MARK": _mark(hub.folder),
            "DEMO_HUB_TOKEN": hub.token,
            "DEMO_HUB_LIFE": str(hub.life),
            **{name: value for name, value in trust.items() if hub.issuer and value},
        },
        patience=90,
        finish=lambda: end_leftovers(hub.folder),
    )


def _mark(folder: Path) -> str:
    """The file our proxy writes its pid to; standing in its command line, it also tells our proxy from other people's."""
    return str(folder / "python-proxy.pid")


def end_leftovers(folder: Path) -> tuple[str, ...]:
    """End proxies and sessions that a hub with this folder left behind; what was ended."""
    ended = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if _mark(folder) in process.cmdline():
                end_tree(process.pid, 5)
                ended.append("proxy")
    (folder / "proxy.pid").unlink(missing_ok=True)
    return (*ended, *(f"session {name}" for name in sweep(folder / "servers")))


def start_hub(hub: Hub) -> Running:
    """Start a hub and wait until it is ready; sessions of an earlier hub with the same folder are taken over. Raises NotStarted."""
    running = start(hub_child(hub), hub.folder)
    try:
        wait_ready(running)
    except BaseException:
        end(running)
        raise
    return running


@contextmanager
def hub(plan: Hub) -> Iterator[Hub]:
    """A hub for as long as the context lasts; afterwards no hub, no proxy, no session is left."""
    running = start_hub(plan)
    try:
        yield plan
    finally:
        end(running)


def main() -> None:
    """Run the hub by itself, until SIGTERM or Ctrl-C. Secrets come from DEMO_HUB_TOKEN and DEMO_HUB_CLIENT_SECRET."""
    parser = argparse.ArgumentParser(prog="python -m demo.hub", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, default=ROOT / ".demo" / "hub")
    parser.add_argument("--issuer", help="the identity server; without it anybody may enter under any name")
    chosen = parser.parse_args()
    plan = Hub(
        chosen.data.resolve(),
        chosen.port,
        token=os.environ["DEMO_HUB_TOKEN"],
        issuer=chosen.issuer,
        client_secret=os.environ.get("DEMO_HUB_CLIENT_SECRET", ""),
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    end_leftovers(plan.folder)
    with suppress(KeyboardInterrupt), hub(plan):
        print(f"hub at {plan.url}, its API at {plan.api}", flush=True)  # noqa: T201 a command's output
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    main()
