"""What is measured anew takes its own place, and hides nothing that another Python gave."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from benchmarks.report import merged, page

FAST, SLOW = ({"cores": 2, "python": version, "system": "Linux", "load": 0.1} for version in ("3.13.0", "3.11.0"))


def result(measured: float, *, met: bool) -> dict[str, Any]:
    return {
        "name": "a way",
        "goal": "≥ 0.8",
        "measured": measured,
        "unit": "times",
        "met": met,
        "spread": 0.0,
        "noise": None,
        "details": {},
    }


def test_a_figure_replaces_that_of_the_same_python_alone(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    for measured, machine in ((0.7, SLOW), (0.84, FAST), (0.75, SLOW)):
        file.write_bytes(orjson.dumps(merged(file, [result(measured, met=measured >= 0.8)], machine)))
    kept = orjson.loads(file.read_bytes())
    assert [(each["measured"], each["machine"]["python"]) for each in kept["results"]] == [
        (0.75, "3.11.0"),
        (0.84, "3.13.0"),
    ]
    told = page(kept)
    assert "| 0.75 times | **missed** | 0% |  | 0.1 | 3.11.0 |" in told
    assert "| 0.84 times | met | 0% |  | 0.1 | 3.13.0 |" in told
