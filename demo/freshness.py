"""How the first harvest is shown: this file asks pangate's public interface until every facility is in the index."""

import time
from contextlib import suppress
from threading import Event
from typing import Any

import requests
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

QUERY = "{ facilities { shortName datasetCount freshness } }"
PATIENCE = 240.0  # seconds; the demo goes on without a facility that takes longer
SETTLED = ("FRESH", "FAILING")


def facilities(session: requests.Session, url: str) -> list[dict[str, Any]]:
    """What pangate says about its facilities now; nothing when it does not answer."""
    with suppress(requests.RequestException, ValueError, KeyError, TypeError):
        answer = session.post(f"{url}/graphql", json={"query": QUERY}, timeout=10)
        return list(answer.json()["data"]["facilities"])
    return []


def settled(found: list[dict[str, Any]]) -> bool:
    """Whether every facility has been harvested, or fails."""
    return bool(found) and all(facility["freshness"] in SETTLED for facility in found)


def indexed(session: requests.Session, url: str) -> bool:
    """Whether the index holds all that was harvested; asked after the facilities, so that it speaks of no earlier moment."""
    with suppress(requests.RequestException, ValueError, KeyError, TypeError):
        return bool(session.get(f"{url}/readyz", timeout=10).json()["parts"]["projection"] == "ok")
    return False


def follow_harvests(url: str, stop: Event, console: Console) -> bool:
    """Show how many datasets of each facility can be found, until all are harvested; whether that came about."""
    begun = time.monotonic()
    columns = (SpinnerColumn(finished_text="[green]✓[/]"), TextColumn("{task.description}"), TimeElapsedColumn())
    with requests.Session() as session, Progress(*columns, console=console) as progress:
        session.trust_env = False
        rows: dict[str, TaskID] = {}
        while not stop.is_set() and time.monotonic() - begun < PATIENCE:
            harvested = settled(facilities(session, url))
            ready = harvested and indexed(session, url)
            found = facilities(session, url)
            for facility in found:
                name, state = facility["shortName"], facility["freshness"]
                if name not in rows:
                    rows[name] = progress.add_task("", total=1)
                failing = " [yellow](its harvest fails; see the log of pangate)[/]" if state == "FAILING" else ""
                told = f"Harvesting {name}: {facility['datasetCount']:,} datasets{failing}"
                progress.update(rows[name], description=told, completed=int(state in SETTLED and ready))
            if ready:
                return all(facility["freshness"] == "FRESH" for facility in found)
            stop.wait(0.5)
    return False
