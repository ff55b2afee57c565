"""This file is how tests of several machines ask for launches without waking anybody, and see what the hub was asked for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from small_federation import SmallFederation

from pangate.house import House
from schema.activities import LaunchRequest, LaunchState


def ask(house: House, number: int, user: str) -> str:
    """A launch in the table, and nobody woken."""
    request = LaunchRequest(
        principal=f"https://id.example.org#{user}",
        viewer_name=user.title(),
        facility="freya",
        trigger="freya/hub",
        dataset=f"20.500.99001/{number}",
        dataset_title=f"Dataset {number}",
        path=None,
        user=user,
        procedure="inspect",
        environment="python",
    )
    until_when = datetime.now(UTC) + timedelta(hours=4)
    return house.launches.request(request, f"key {number}", False, until_when)[0].id


def starts(world: SmallFederation) -> list[str]:
    """Every start the hub was asked for, by the path of the server's name."""
    return [path for method, path, _ in world.hub.calls if method == "POST" and "/servers/" in path]


def ready(house: House, ids: Iterable[str]) -> bool:
    """Whether all of them are ready; none may have failed."""
    states = [house.launches.launch(id).state for id in ids]  # type: ignore[union-attr]
    assert LaunchState.FAILED not in states
    return all(state is LaunchState.READY for state in states)
