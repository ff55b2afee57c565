"""The demo: this file is `python -m demo`, the whole federation on one machine until Ctrl-C.

Ports: PANGATE_PORT (8080), DEMO_HUB_PORT, DEMO_HUB_API_PORT, DEMO_HUB_PROXY_PORT, DEMO_IDENTITY_PORT, DEMO_SCICAT_PORT, DEMO_ICAT_PORT.
Folder: DEMO_FOLDER (.demo). Every secret is made at the start and handed to the processes by environment alone.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from secrets import token_urlsafe
from string import Template
from threading import Event

from rich.console import Console
from rich.table import Table

from demo.children import ROOT, Child
from demo.freshness import follow_harvests
from demo.hub import Hub, hub_child
from demo.identity import Client, identity_child, issuer_at
from demo.people import OPERATORS, PEOPLE
from demo.ports import HOST, free_port, is_free
from demo.scicat.store import INGESTOR
from demo.supervisor import Busy, alone, clear, run

PORTS = {
    "PANGATE_PORT": 8080,
    "DEMO_HUB_PORT": 8081,
    "DEMO_IDENTITY_PORT": 8082,
    "DEMO_SCICAT_PORT": 8083,
    "DEMO_ICAT_PORT": 8084,
    "DEMO_HUB_API_PORT": 8085,
    "DEMO_HUB_PROXY_PORT": 8086,
}
"""The ports and their defaults. They stay the same from run to run, so that people and their launches keep their names."""


class Unusable(Exception):
    """A setting of the demo cannot be used; the text says what to do."""


@dataclass(frozen=True)
class Demo:
    """One run of the demo: its folder, its ports, its address."""

    folder: Path
    ports: Mapping[str, int]
    url: str


def choose_ports(environment: Mapping[str, str]) -> dict[str, int]:
    """The port of each server: the configured one, else its default, else (but for the page itself) any free one. Raises Unusable."""
    chosen: dict[str, int] = {}
    for name, default in PORTS.items():
        told = environment.get(name)
        port = _number(name, told) if told else default
        if port in chosen.values() or not is_free(port):
            if told or name == "PANGATE_PORT":
                raise Unusable(
                    f"Port {port} is taken by another program. Free it or choose another: {name}={port + 1000} make run"
                )
            port = free_port()
        chosen[name] = port
    return chosen


def _number(name: str, told: str) -> int:
    if not told.isascii() or not told.isdigit() or not 1 <= int(told) <= 65535:
        raise Unusable(f"{name} is {told!r}; it must be a port, a number from 1 to 65535.")
    return int(told)


def write_federation(demo: Demo) -> Path:
    """The federation file of this run: demo/federation.yaml with the ports filled in."""
    text = (ROOT / "demo" / "federation.yaml").read_text(encoding="utf-8")
    path = demo.folder / "federation.yaml"
    path.write_text(Template(text).substitute(demo.ports), encoding="utf-8")
    return path


def waves(demo: Demo) -> tuple[tuple[Child, ...], tuple[Child, ...]]:
    """Everything that pangate leans on, then pangate."""
    ports = demo.ports
    gateway = Client("pangate", (f"{demo.url}/login/callback",))
    hub = Hub(
        demo.folder / "hub",
        ports["DEMO_HUB_PORT"],
        ports["DEMO_HUB_API_PORT"],
        ports["DEMO_HUB_PROXY_PORT"],
        issuer=issuer_at(ports["DEMO_IDENTITY_PORT"]),
    )
    icat_password = token_urlsafe(24)
    around = (
        identity_child(ports["DEMO_IDENTITY_PORT"], [gateway, hub.client]),
        hub_child(hub),
        _facility("scicat", "Freya Light Source (SciCat)", ports["DEMO_SCICAT_PORT"], "/api/v3/health", {}),
        _facility(
            "icat",
            "Skadi Neutron Source (ICAT)",
            ports["DEMO_ICAT_PORT"],
            "/icat/version",
            {"DEMO_ICAT_PASSWORD": icat_password},
        ),
    )
    secrets = {
        "PANGATE_OIDC_CLIENT_SECRET": gateway.secret,
        "DEMO_HUB_TOKEN": hub.token,
        "DEMO_SCICAT_PASSWORD": INGESTOR.password,
        "DEMO_ICAT_PASSWORD": icat_password,
    }
    return around, (_pangate(demo, secrets),)


def _facility(module: str, title: str, port: int, ready: str, environment: Mapping[str, str]) -> Child:
    command = (sys.executable, "-m", f"demo.{module}", "--port", str(port))
    return Child(module, command, f"http://{HOST}:{port}{ready}", title, environment)


def _pangate(demo: Demo, secrets: Mapping[str, str]) -> Child:
    data = demo.folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    settings = {
        "PANGATE_FEDERATION": str(write_federation(demo)),
        "PANGATE_DATA": str(data),
        "PANGATE_PORT": str(demo.ports["PANGATE_PORT"]),
        "PANGATE_URL": demo.url,
        "PANGATE_OIDC_ISSUER": issuer_at(demo.ports["DEMO_IDENTITY_PORT"]),
        "PANGATE_OIDC_CLIENT_ID": "pangate",
        "PANGATE_OPERATORS": OPERATORS,
        "PANGATE_RATE_LIMIT": "false",
    }
    return Child(
        name="pangate",
        command=(sys.executable, "-m", "pangate", "serve"),
        ready=f"http://{HOST}:{demo.ports['PANGATE_PORT']}/readyz",
        title="pangate",
        environment={**settings, **secrets},
    )


def welcome(demo: Demo, console: Console) -> None:
    """What somebody needs to know to begin."""
    people = Table("user", "password", "who", box=None, header_style="dim", padding=(0, 3, 0, 2))
    for person in PEOPLE:
        people.add_row(f"[bold]{person.name}[/]", person.password, f"{person.given} {person.family}, {person.role}")
    console.print(f"\n  The page is at [bold link={demo.url}]{demo.url}[/]\n", highlight=False)
    console.print(people)
    console.print(f"\n  Logs are in {demo.folder / 'logs'}. Ctrl-C ends everything.\n", highlight=False, soft_wrap=True)


def main() -> int:
    """Run the demo; the exit code."""
    console = Console()
    folder = Path(os.environ.get("DEMO_FOLDER") or ROOT / ".demo").resolve()
    try:
        with alone(folder):
            # an earlier demo that was killed may still hold the very ports that are chosen next
            clear((hub_child(Hub(folder / "hub")),), folder, console)
            ports = choose_ports(os.environ)
            url = (os.environ.get("PANGATE_URL") or f"http://{HOST}:{ports['PANGATE_PORT']}").rstrip("/")
            demo = Demo(folder, ports, url)

            def when_up(stop: Event) -> None:
                follow_harvests(f"http://{HOST}:{ports['PANGATE_PORT']}", stop, console)
                if not stop.is_set():
                    welcome(demo, console)

            return run(waves(demo), folder, console, when_up)
    except (Busy, Unusable) as wrong:
        console.print(str(wrong), style="red", highlight=False, markup=False, soft_wrap=True)
        return 2


if __name__ == "__main__":
    sys.exit(main())
