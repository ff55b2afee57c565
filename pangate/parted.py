"""This file is what the second profile asks of its settings: a federation parted over several processes must share its stores."""

from __future__ import annotations

from pangate.settings import Settings
from pangate.tasks import QUEUES
from schema.errors import Misconfigured


def queues(text: str) -> tuple[str, ...]:
    """The names in a comma list of queues. Raises Misconfigured."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in QUEUES]
    if unknown or not names:
        raise Misconfigured(
            f"--queues: there is no queue {', '.join(unknown) or 'named'}; there are: {', '.join(QUEUES)}."
        )
    return names


def shared(settings: Settings) -> None:
    """Raises Misconfigured when a worker or beat could not meet the other processes anywhere."""
    if settings.broker is None:
        raise Misconfigured(
            "PANGATE_BROKER is not set; workers and beat need it (redis://… or amqp://…). On one machine pangate serve does everything."
        )
    if settings.database_url.startswith("sqlite"):
        raise Misconfigured(
            "PANGATE_DATABASE must be postgresql://… with a broker: several processes share the records, and SQLite is for one machine."
        )
