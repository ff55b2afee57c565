"""This file is the threads of the one-machine profile: projector, sweeper, platform watch, and a Celery worker on the in-process broker."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from celery import Celery
from kombu.exceptions import KombuError

from pangate.house import House
from pangate.sweeper import owed_harvests, owed_launches
from pangate.tasks import ADVANCE, HARVEST, HARVESTS, LAUNCHES, celery_app, register
from pangate.work import Work
from schema.errors import PangateError

log = structlog.get_logger("pangate.crew")

PROJECT_S, SWEEP_S, LOOK_S, PURGE_S = 0.2, 2.0, 30.0, 600.0
HARVESTS_AT_ONCE, HANDS = 2, 8


class Crew:
    """Everything that works beside the server in one process."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.work = Work(house)
        self._app = celery_app(house.settings)
        register(self._app, self.work)
        self._stop = threading.Event()

    def wake(self, launch: str) -> None:
        """Have a launch advanced at once; if the broker is down, the sweeper will."""
        self._send(ADVANCE, launch)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """While it lasts, the crew works; at the end every hand finishes its step and stops."""
        loops = [
            ("sweeper", self._sweep, SWEEP_S),
            ("platforms", self.work.look, LOOK_S),
            ("purge", self._purge, PURGE_S),
        ]
        if self._house.projecting:
            loops.append(("projector", self._project, PROJECT_S))
        worker = _Hands(self._app)
        threads = [threading.Thread(target=self._every, args=loop, name=loop[0], daemon=True) for loop in loops]
        for thread in [*threads, worker]:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            worker.finish()
            for thread in [*threads, worker]:
                thread.join(timeout=20)

    def _every(self, name: str, turn: Callable[[], None], seconds: float) -> None:
        while not self._stop.is_set():
            try:
                turn()
            except PangateError as error:
                log.warning("turn_failed", what=name, reason=error.message)
            except Exception:  # a thread that ends would end its work for ever
                log.exception("turn_broke", what=name)
            self._stop.wait(seconds)

    def _project(self) -> None:
        self._house.projector.project()

    def _purge(self) -> None:
        self._house.sessions.purge(self._house.clock())

    def _sweep(self) -> None:
        for launch in owed_launches(self._house):
            if not self.work.is_busy(f"launch:{launch}"):
                self._send(ADVANCE, launch)
        free = HARVESTS_AT_ONCE - self.work.busy("harvest:")
        for source, mode in owed_harvests(self._house):
            if free > 0 and not self.work.is_busy(f"harvest:{source}"):
                self._send(HARVEST, source, mode.value)
                free -= 1

    def _send(self, task: str, *arguments: str) -> None:
        try:
            self._app.send_task(task, arguments, ignore_result=True)
        except (KombuError, OSError) as error:
            log.warning("broker_down", reason=type(error).__name__)


class _Hands(threading.Thread):
    """A Celery worker in a thread, with a pool of threads."""

    def __init__(self, app: Celery) -> None:
        super().__init__(name="hands", daemon=True)
        self._worker: Any = app.WorkController(
            pool="threads",
            concurrency=HANDS,
            queues=[HARVESTS, LAUNCHES],
            hostname="hands@pangate",
            loglevel="WARNING",
            without_heartbeat=True,
            without_mingle=True,
            without_gossip=True,
        )

    def run(self) -> None:
        self._worker.start()

    def finish(self) -> None:
        """Take nothing new, finish what is in hand."""
        self._worker.should_stop = 0
        self._worker.stop(in_sighandler=False)
