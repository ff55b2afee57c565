"""A facility, its hub and what somebody asked of it, for the trigger tests."""

from datetime import UTC, datetime
from typing import Any

from schema.activities import LaunchRequest
from schema.federation import Choice, Facility, Limits, Login, PathRule, Trigger

ID = "aabcdefghij234567klmn"
TOKEN = "t" * 32


class Vault:
    """Secrets by name."""

    def secret(self, name: str) -> str:
        return {"HUB_TOKEN": TOKEN}[name]


def request(**changed: Any) -> LaunchRequest:
    """What somebody asked for."""
    asked = {
        "principal": "https://id#1", "viewer_name": "Mia", "facility": "north", "trigger": "north/hub",
        "dataset": "10.5555/abc", "dataset_title": "Films", "path": "/data/abc", "user": "mia",
        "procedure": "plot", "environment": "python",
    }  # fmt: skip
    return LaunchRequest(**{**asked, **changed})


def hub_trigger(url: str, **changed: Any) -> Trigger:
    """A hub in a federation file."""
    said = {
        "id": "hub", "kind": "jupyterhub", "name": "North Hub", "url": url, "login": Login(token="HUB_TOKEN"),
        "allowPrivateAddress": True,
        "procedures": (
            Choice(id="plot", name="Plot", default=True),
            Choice(id="reduce", name="Reduce", value="lab/tree/reduce.ipynb"),
        ),
        "environments": (Choice(id="python", name="Python", value="py-3.12", default=True),),
        "paths": (PathRule(**{"from": "/nfs", "to": "/data"}),), "limits": Limits(),
    }  # fmt: skip
    return Trigger(**{**said, **changed})


def facility(trigger: Trigger, **changed: Any) -> Facility:
    """A facility with that trigger."""
    return Facility(**{"id": "north", "name": "North Light", "shortName": "North", "triggers": (trigger,), **changed})


def now() -> datetime:
    return datetime.now(UTC)
