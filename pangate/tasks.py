"""This file is the Celery application: wake-ups that carry an id and nothing else, so that a lost broker loses time, not work.

Every task can be derived again from the tables (pangate/sweeper.py), and is safe to run twice at once (leases). A task ends well
within the hour after which Redis gives it to somebody else, and the half hour after which RabbitMQ closes the channel: a long harvest
works in slices (pangate/work.py).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from celery import Celery
from kombu.exceptions import KombuError

from pangate.settings import Environment, Settings, broker_url
from pangate.work import Work
from schema.errors import Misconfigured, PangateError, Unavailable

HARVESTS, LAUNCHES, MAINTENANCE = "harvests", "launches", "maintenance"
QUEUES = (HARVESTS, LAUNCHES, MAINTENANCE)
HARVEST, ADVANCE, LOOK, PURGE = "pangate.harvest", "pangate.advance", "pangate.look", "pangate.purge"
ROUTES = {HARVEST: HARVESTS, ADVANCE: LAUNCHES, LOOK: MAINTENANCE, PURGE: MAINTENANCE}
BROKERS = ("redis", "rediss", "amqp", "amqps")

VISIBLE_S = 3600
_REFUSED = frozenset(("AuthenticationError", "AccessRefused", "NotAllowed"))
"""What redis-py and py-amqp raise when a login is wrong, or a virtual host is not ours."""
_WAKE_S = 0.05
_CONNECT_S = 4.0
_AGAIN_S = 0.1  # /readyz looks for a second, and must hear what is wrong


class Refused(Unavailable):
    """The broker is there and does not let us in: asking again gains nothing until somebody mends the login."""


def celery_app(settings: Settings) -> Celery:
    """The application of these settings: JSON only, results off, late acknowledgement, a queue a kind of work. Raises Misconfigured."""
    app = Celery("pangate", broker=_broker(broker_url(settings, Environment())), set_as_current=False)
    app.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        result_backend=None,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        worker_prefetch_multiplier=1,
        task_default_queue=LAUNCHES,
        task_create_missing_queues=True,
        task_routes={task: {"queue": queue} for task, queue in ROUTES.items()},
        task_publish_retry=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=_CONNECT_S,
        broker_heartbeat=0,  # Celery's plain loop (see Hands) sends none; TCP keep-alive finds dead peers
        broker_transport_options=_transport(settings.broker),
        worker_hijack_root_logger=False,
        worker_enable_remote_control=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        enable_utc=True,
    )
    app.set_default()  # a pool of threads looks for the tasks in the process's default application
    return app


def register(app: Celery, work: Work) -> None:
    """Bind the tasks to one house's work. Errors of ours were told where they arose: Celery shows no traceback of them."""

    @app.task(name=HARVEST, shared=False, throws=(PangateError,))  # type: ignore[untyped-decorator]
    def harvest(source: str, _mode: str) -> None:
        work.woken(source)

    @app.task(name=ADVANCE, shared=False, throws=(PangateError,))  # type: ignore[untyped-decorator]
    def advance(launch: str) -> None:
        work.advance(launch)

    @app.task(name=LOOK, shared=False, throws=(PangateError,))  # type: ignore[untyped-decorator]
    def look() -> None:
        work.look()

    @app.task(name=PURGE, shared=False, throws=(PangateError,))  # type: ignore[untyped-decorator]
    def purge() -> None:
        work.purge()


def broken(app: Celery) -> tuple[type[BaseException], ...]:
    """The errors by which the libraries of this broker say that it cannot be reached."""
    connection = app.connection_for_write()
    return (KombuError, OSError, *connection.connection_errors, *connection.channel_errors)


def depths(app: Celery) -> dict[str, int]:
    """How many wake-ups wait in each queue (none in one that nobody has used yet). Raises Unavailable when the broker does not
    answer, Refused when it does not let us in."""
    try:
        with app.connection_for_read() as connection:
            connection.ensure_connection(max_retries=1, interval_start=_AGAIN_S, timeout=_CONNECT_S)
            return {queue: _depth(connection, queue) for queue in QUEUES}
    except broken(app) as error:
        raise _silent(error) from error


def admitted(settings: Settings) -> None:
    """Raises Misconfigured when the broker refuses us. One that does not answer may come later."""
    try:
        depths(celery_app(settings))
    except Refused as error:
        raise Misconfigured(error.message) from error
    except Unavailable:
        pass


def _silent(error: BaseException) -> Unavailable:
    """What is wrong with a broker that gives no answer, and the remedy. The login is what the library's own error, below kombu's, tells."""
    cause = type(error.__cause__ or error).__name__
    if cause in _REFUSED:
        return Refused(
            f"The broker refuses us ({cause}). Correct the user, password or virtual host in PANGATE_BROKER "
            "(or PANGATE_BROKER_PASSWORD)."
        )
    return Unavailable(f"The broker does not answer at present ({cause}). See that it runs, or correct PANGATE_BROKER.")


def _depth(connection: Any, queue: str) -> int:
    with connection.channel() as channel:
        try:
            return int(channel.queue_declare(queue, passive=True).message_count)
        except connection.channel_errors:
            return 0


def _broker(url: str | None) -> str:
    if url is None:
        return "memory://"
    scheme = urlsplit(url).scheme
    if scheme not in BROKERS or not urlsplit(url).hostname:
        raise Misconfigured(
            "PANGATE_BROKER is no broker's URL; write redis://host:6379/0 or amqp://user@host:5672/vhost."
        )
    return url


def _transport(url: str | None) -> dict[str, Any]:
    """What the wire wants. Redis hands a wake-up out again an hour after a worker died with it; the sweeper is sooner."""
    if url is None:
        return {"polling_interval": _WAKE_S}
    if url.startswith("redis"):
        return {
            "visibility_timeout": VISIBLE_S,
            "unacked_restore_throttle": 1,
            "unacked_restore_interval": 60,
            "socket_connect_timeout": _CONNECT_S,
            "socket_timeout": 30.0,
            "socket_keepalive": True,
            "health_check_interval": 25,
        }
    return {"confirm_publish": True, "confirm_timeout": _CONNECT_S}
