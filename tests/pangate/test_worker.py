"""A task that hangs ends its process: threads cannot be killed, so that whoever has its lease next goes on."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from pangate import worker
from pangate.house import open_house
from pangate.settings import Settings
from pangate.tasks import HARVESTS, LAUNCHES
from pangate.worker import LIMITS, Worker

FEDERATION = "facilities:\n  - id: freya\n    name: Freya Light Source\n"


def test_every_queue_has_a_limit_and_a_step_of_a_launch_the_shorter_one() -> None:
    assert 60 <= LIMITS[LAUNCHES][1] <= 1_800, "RabbitMQ takes a task back after half an hour"
    assert LIMITS[LAUNCHES][1] < LIMITS[HARVESTS][1]


def test_a_worker_in_which_a_step_hangs_ends_and_says_that_it_did_not_finish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "federation.yaml").write_text(FEDERATION, encoding="utf-8")
    settings = Settings(federation=tmp_path / "federation.yaml", data=tmp_path / "data")
    monkeypatch.setattr(worker, "LIMITS", {LAUNCHES: ("launch:", 0.5)})
    monkeypatch.setattr(worker.ending, "bound", lambda _seconds: None)  # it would end this very process
    with open_house(settings, write_index=False) as house:
        own = Worker(house, [LAUNCHES])
        assert own.wrong() == [f"hands-{LAUNCHES}"] or own.wrong() == [LAUNCHES], "it does not work yet"
        began = time.monotonic()
        with own._work._alone("launch:that hangs"):
            assert own.run() is False
            assert own._stuck() == ["launch:that hangs"]
        assert time.monotonic() - began < 60
