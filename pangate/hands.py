"""This file is the hands of a worker: one Celery worker a queue, each in a thread with a pool of threads, so that long harvests never keep
a launch waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

from celery import Celery
from celery.worker import state
from kombu import Connection

from pangate.settings import Settings
from pangate.tasks import HARVESTS, LAUNCHES, MAINTENANCE, celery_app, register
from pangate.work import Work

AT_ONCE: Mapping[str, int] = {HARVESTS: 2, LAUNCHES: 8, MAINTENANCE: 2}
"""How many of a kind one process does at once."""
_LOOK_S = 0.5


class Hands:
    """Celery workers on some queues."""

    def __init__(self, settings: Settings, work: Work, queues: Sequence[str], at_once: Mapping[str, int]) -> None:
        state.should_stop = None
        self._each = [_Queue(settings, work, queue, at_once[queue]) for queue in queues]

    def start(self) -> None:
        """Begin to take wake-ups."""
        for each in self._each:
            each.start()

    def finish(self, seconds: float) -> bool:
        """Take nothing new, finish what is in hand; whether all was finished in time."""
        state.should_stop = 0  # each loop sees it when it looks next, and ends in its own thread
        until = time.monotonic() + seconds
        for each in self._each:
            each.join(timeout=max(0.1, until - time.monotonic()))
        return not any(each.is_alive() for each in self._each)

    def dead(self) -> list[str]:
        """The queues nobody serves any more although somebody should."""
        return [each.queue for each in self._each if not each.is_alive()]


class _Attentive(Connection):  # type: ignore[misc]
    """A connection that is never listened to for long: Celery's loop listens for two seconds before it looks whether it is to end, and
    for two more when it has seen that."""

    def drain_events(self, **wished: Any) -> Any:
        """As kombu's. Raises TimeoutError when nothing comes."""
        return super().drain_events(**wished | {"timeout": min(_LOOK_S, wished.get("timeout") or _LOOK_S)})


class _Queue(threading.Thread):
    """A Celery worker of one queue. It uses Celery's plain loop: the other one exists once a process."""

    def __init__(self, settings: Settings, work: Work, queue: str, at_once: int) -> None:
        super().__init__(name=f"hands-{queue}", daemon=True)
        self.queue = queue
        app: Celery = celery_app(settings)
        app.amqp.Connection = _Attentive
        register(app, work)
        self._worker: Any = app.WorkController(
            pool="threads",
            concurrency=at_once,
            queues=[queue],
            hostname=f"{queue}@pangate",
            loglevel="WARNING",
            use_eventloop=False,
            without_heartbeat=True,
            without_mingle=True,
            without_gossip=True,
        )

    def run(self) -> None:
        self._worker.start()
