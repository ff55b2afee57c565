"""What a task cannot do is told in a sentence; a traceback is for what nobody foresaw."""

import logging
from pathlib import Path
from typing import cast

import pytest

from pangate.settings import Settings
from pangate.tasks import LOOK, celery_app, register
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
