"""This file is the Celery application: wake-ups that carry an id and nothing else, so that a lost broker loses time, not work.

Every task can be derived again from the tables (pangate/sweeper.py), and is safe to run twice at once (leases).
"""

from __future__ import annotations

from celery import Celery

from pangate.settings import Settings
from pangate.work import Work

HARVESTS, LAUNCHES = "harvests", "launches"
HARVEST, ADVANCE = "pangate.harvest", "pangate.advance"
_WAKE_S = 0.05


def celery_app(settings: Settings) -> Celery:
    """The application of these settings: JSON only, results off, late acknowledgement, a queue a kind of work."""
    app = Celery("pangate", broker=settings.broker or "memory://", set_as_current=False)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        task_default_queue=LAUNCHES,
        task_routes={HARVEST: {"queue": HARVESTS}, ADVANCE: {"queue": LAUNCHES}},
        task_publish_retry=False,
        broker_connection_retry_on_startup=True,
        broker_transport_options={"polling_interval": _WAKE_S} if settings.broker is None else {},
        worker_hijack_root_logger=False,
        worker_enable_remote_control=False,
        enable_utc=True,
    )
    app.set_default()  # a pool of threads looks for the tasks in the process's default application
    return app


def register(app: Celery, work: Work) -> None:
    """Bind the tasks to one house's work."""

    @app.task(name=HARVEST, shared=False)  # type: ignore[untyped-decorator]
    def harvest(source: str, mode: str) -> None:
        work.harvest(source, mode)

    @app.task(name=ADVANCE, shared=False)  # type: ignore[untyped-decorator]
    def advance(launch: str) -> None:
        work.advance(launch)
