"""This file is how somebody is woken up: the sending of tasks. Nothing waits for a broker that is down; the sweeper asks again."""

from __future__ import annotations

import structlog
from celery import Celery

from pangate.settings import Settings
from pangate.tasks import ADVANCE, HARVEST, LOOK, PURGE, broken, celery_app
from schema.activities import HarvestMode

log = structlog.get_logger("pangate.wake")

STALE_S = 120
"""After that long a wake-up that still waits is dropped: the sweeper has sent a newer one."""


class Waker:
    """The sender of wake-ups. Safe to use from several threads; blocks for some seconds at most."""

    def __init__(self, settings: Settings) -> None:
        self._app: Celery = celery_app(settings)
        self._broken = broken(self._app)

    @property
    def app(self) -> Celery:
        """The application it sends with."""
        return self._app

    def launch(self, id: str, seconds: float = 0.0) -> None:
        """Have a launch advanced, at once or in so many seconds."""
        self._send(ADVANCE, id, seconds=seconds)

    def harvest(self, source: str, mode: HarvestMode) -> None:
        """Have a source harvested."""
        self._send(HARVEST, source, mode.value)

    def look(self) -> None:
        """Have the platforms looked at."""
        self._send(LOOK)

    def purge(self) -> None:
        """Have forgotten what has expired."""
        self._send(PURGE)

    def _send(self, task: str, *arguments: str, seconds: float = 0.0) -> None:
        when = {"countdown": seconds} if seconds > 0 else {}
        try:
            self._app.send_task(task, arguments, ignore_result=True, retry=False, expires=seconds + STALE_S, **when)
        except self._broken as error:
            log.warning("broker_down", task=task, reason=type(error).__name__)
