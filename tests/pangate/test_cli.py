"""The command, as an operator types it, over a small stand-in facility."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.scicat.freya import PREFIX, fill
from demo.scicat.server import serve
from demo.scicat.store import Store

ROOT = Path(__file__).resolve().parents[2]
FEDERATION = """
facilities:
  - id: freya
    name: Freya Light Source
    sources:
      - id: scicat
        kind: scicat
        url: {base}/api/v3
        rate: null
        allowPrivateAddress: true
"""


class Operator:
    """Somebody at a shell whose environment names one federation file and one data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.first: list[dict[str, Any]] = []
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PANGATE_")},
            "PANGATE_FEDERATION": str(folder / "federation.yaml"),
            "PANGATE_DATA": str(folder / "data"),
        }

    def types(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pangate", *words]
        return subprocess.run(
            command,
            cwd=ROOT,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )

    def reads(self, *words: str) -> Any:
        done = self.types(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    folder = tmp_path_factory.mktemp("operator")
    store = Store(version="5.2", prefix=PREFIX)
    fill(store, 120, 2026)
    with serve(store) as base:
        (folder / "federation.yaml").write_text(FEDERATION.format(base=base))
        made = Operator(folder)
        made.first = made.reads("harvest")
        yield made


def test_a_harvest_is_told_in_figures_and_its_records_are_found(operator: Operator) -> None:
    (run,) = operator.first
    assert (run["source"], run["mode"], run["state"]) == ("freya/scicat", "full", "done")
    assert run["added"] > 30
    (state,) = operator.reads("sources")
    assert state["records"] == run["added"]
    assert state["lastDone"].endswith("Z")
    found = operator.reads("search", "x-ray")
    assert found["total"] > 0
    assert found["hits"][0]["facility"] == "freya"
    (again,) = operator.reads("harvest")
    assert (again["mode"], again["added"], again["changed"], again["removed"]) == ("incremental", 0, 0, 0)
    rebuilt = operator.reads("rebuild", "--drop-old")
    assert (rebuilt["documents"], rebuilt["dropped"]) == (state["records"], 0), "the embedded index keeps none"
    assert operator.reads("search", "x-ray")["total"] == found["total"]


def test_what_is_exported_is_public_and_complete(operator: Operator) -> None:
    done = operator.types("export", "dataset")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) == operator.reads("search", "*", "--first", "1")["total"]
    assert operator.reads("export", "dataset") == lines
    assert all("visibility" not in line["record"] and line["version"] == 0 for line in lines)


def test_people_read_tables(operator: Operator) -> None:
    assert "freya/scicat" in operator.types("sources").stdout
    assert "found" in operator.types("search", "x-ray").stdout
    assert operator.reads("launches") == []


def test_a_probe_keeps_nothing(operator: Operator, tmp_path: Path) -> None:
    done = operator.types("harvest", "--probe", "--json", PANGATE_DATA=str(tmp_path))
    (found,) = json.loads(done.stdout)
    assert found["ok"], found
    assert found["looked_at"]["dataset"] > 0
    assert {each["field"] for each in found["fields"] if each["kind"] == "dataset"} >= {"title", "techniques"}
    assert all(isinstance(each["pid"], str) for each in found["sample"])
    empty = operator.types("sources", "--json", PANGATE_DATA=str(tmp_path))
    assert json.loads(empty.stdout)[0]["records"] == 0


def test_an_unknown_source_is_told_with_those_that_are_there(operator: Operator) -> None:
    done = operator.types("harvest", "freya/oaipmh")
    assert done.returncode == 1
    assert "There is no source freya/oaipmh" in done.stderr
    assert "freya/scicat" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_federation_file_is_one_clear_message(operator: Operator, tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text("facilities:\n  - id: ess\n    nmae: ESS\n")
    done = operator.types("sources", PANGATE_FEDERATION=str(tmp_path / "f.yaml"))
    assert done.returncode == 1
    assert "line 3" in done.stderr
    assert "nmae" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_doctor_names_what_is_wrong_and_what_to_do(operator: Operator) -> None:
    done = operator.types("doctor", "--offline", "--json", PANGATE_OIDC_ISSUER="https://login.example.org")
    findings = json.loads(done.stdout)
    assert done.returncode == 1
    assert any(each["grade"] == "fault" and "PANGATE_OIDC_CLIENT_ID" in each["message"] for each in findings)


def test_a_source_that_is_down_fails_plainly_and_loses_nothing(operator: Operator, tmp_path: Path) -> None:
    before = operator.reads("sources")[0]["records"]
    text = (operator.folder / "federation.yaml").read_text()
    (tmp_path / "f.yaml").write_text(text.replace("/api/v3", "/nothing-here"))
    done = operator.types("harvest", "--json", PANGATE_FEDERATION=str(tmp_path / "f.yaml"))
    assert done.returncode == 1
    assert json.loads(done.stdout)[0]["state"] == "failed"
    assert operator.reads("sources")[0]["records"] == before
