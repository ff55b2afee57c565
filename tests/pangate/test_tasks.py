"""What a task is sent as, and what it cannot do: told in a sentence, as a traceback is for what nobody foresaw."""

import logging
from pathlib import Path
from typing import cast

import pytest
from celery import Celery

from pangate.settings import Settings
from pangate.tasks import LOOK, QUEUES, ROUTES, celery_app, register
from pangate.work import Work
from schema.errors import DiskFailed


class Broken:
    """A work whose every look ends with an error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def look(self) -> None:
        raise self._error


@pytest.mark.parametrize(
    ("error", "shown"), [(DiskFailed("The disk is full.", "disk-full"), False), (ZeroDivisionError("unforeseen"), True)]
)
def test_an_error_of_ours_leaves_no_traceback_in_the_log(
    error: Exception, shown: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    app = celery_app(Settings(data=tmp_path))
    register(app, cast("Work", Broken(error)))
    with caplog.at_level(logging.WARNING):
        assert app.tasks[LOOK].apply().failed()
    assert any(record.exc_info or "Traceback" in record.getMessage() for record in caplog.records) is shown


@pytest.mark.parametrize("broker", [None, "redis://127.0.0.1:1/0", "amqp://guest@127.0.0.1:1/"])
def test_tasks_are_json_acknowledged_when_done_and_leave_no_result(broker: str | None, tmp_path: Path) -> None:
    app = celery_app(Settings(data=tmp_path, broker=broker))
    conf = app.conf
    assert (conf.task_serializer, list(conf.accept_content)) == ("json", ["json"])
    assert (conf.task_acks_late, conf.task_reject_on_worker_lost, conf.worker_prefetch_multiplier) == (True, True, 1)
    assert (conf.task_ignore_result, conf.result_backend, type(app.backend).__name__) == (True, None, "DisabledBackend")
    assert {route["queue"] for route in conf.task_routes.values()} == set(QUEUES)


def test_tasks_belong_to_the_application_that_they_were_given_to(tmp_path: Path) -> None:
    ours, other = (celery_app(Settings(data=tmp_path)) for _ in range(2))
    register(ours, cast("Work", Broken(ValueError())))
    assert set(ROUTES) <= set(ours.tasks)
    assert not any(name.startswith("pangate.") for name in other.tasks)
    assert not any(name.startswith("pangate.") for name in Celery(set_as_current=False).tasks)
