"""Stores that pangate cannot work with are refused by `pangate doctor` and at the start of `pangate serve`, in a sentence that names
the remedy; nothing is written to them. The servers are played (tests/doubles/other_engines)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from doubles.other_engines import MISSING, REFUSED, Engine, engine, node
from servers.daemon import free_port
from sqlalchemy import create_engine, text

from catalogue.database import open_database
from catalogue.index.elastic_mapping import FORMAT
from pangate.doctor import Finding, examine
from pangate.house import utc_now

ROOT = Path(__file__).resolve().parents[2]
FEDERATION = "facilities:\n  - id: freya\n    name: Freya Light Source\n"
OLD = f"pangate-v{FORMAT - 1}-20250101000000000000-00000000-public"
CASES = {
    "none": ({"/": (200, {"hello": "world"})}, False, "is not Elasticsearch. Correct the address."),
    "old": ({"/_nodes": node("7.17.9")}, True, "is version 7.17.9; pangate speaks to 8 and 9. Use a server of these"),
    "new": ({"/_nodes": node("10.0.0")}, True, "is version 10.0.0; pangate speaks to 8 and 9. Use a server of these"),
    "key": ({"/": REFUSED}, True, "refuses our login (401, security_exception). Correct the API key or password"),
    "mapping": (
        {"/_nodes": node("8.19.9"), "/_alias/": (200, {OLD: {"aliases": {"pangate-public": {}}}}), "/": MISSING},
        True,
        f"has mapping version {FORMAT - 1}, this pangate needs {FORMAT}. Build it anew: pangate rebuild.",
    ),
}


@contextmanager
def played(case: str) -> Iterator[Engine]:
    answers, product, _ = CASES[case]
    with engine(answers, product=product) as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment of ours with one quiet facility; its folder."""
    for name in [name for name in os.environ if name.startswith("PANGATE_")]:
        monkeypatch.delenv(name)
    (tmp_path / "federation.yaml").write_text(FEDERATION, encoding="utf-8")
    monkeypatch.setenv("PANGATE_FEDERATION", str(tmp_path / "federation.yaml"))
    monkeypatch.setenv("PANGATE_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("PANGATE_INDEX_API_KEY", "a-key-that-is-wrong")
    return tmp_path


def faults() -> list[Finding]:
    return [finding for finding in examine(ask=False) if finding.grade == "fault"]


def serve(port: int) -> subprocess.CompletedProcess[str]:
    """`pangate serve`, which must end by itself."""
    command = [sys.executable, "-m", "pangate", "serve"]
    environment = {**os.environ, "PANGATE_PORT": str(port)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("case", list(CASES))
def test_the_doctor_names_what_is_wrong_with_the_search_engine_and_the_remedy(
    case: str, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with played(case) as server:
        monkeypatch.setenv("PANGATE_INDEX", server.url)
        (fault,) = faults()
        assert (fault.what, CASES[case][2] in fault.message) == ("stores", True), fault
        assert "a-key-that-is-wrong" not in json.dumps(fault.message)
        assert server.asked
        assert all(asked.startswith("GET ") for asked in server.asked), "nothing was written"


@pytest.mark.parametrize("case", ["none", "key", "mapping"])
def test_serve_does_not_start_on_a_search_engine_that_cannot_be_used(
    case: str, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with played(case) as server:
        monkeypatch.setenv("PANGATE_INDEX", server.url)
        done = serve(free_port())
        assert done.returncode == 1
        assert CASES[case][2] in done.stderr
        assert "Traceback" not in done.stderr
        assert "a-key-that-is-wrong" not in done.stdout + done.stderr
        assert all(asked.startswith("GET ") for asked in server.asked), "nothing was written"


def test_the_doctor_says_where_nobody_answers(settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`serve` starts all the same, says so at /readyz and heals: tests/profile/test_engine_faults."""
    url = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("PANGATE_INDEX", url)
    (fault,) = faults()
    assert fault.message == (
        f"Elasticsearch at {url} does not answer (ConnectionError). See that it runs, or correct the address."
    )


def test_a_database_that_a_newer_pangate_has_migrated_is_left_as_it_is(
    settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = settings / "newer.sqlite"
    open_database(f"sqlite:///{place}", clock=utc_now).close()
    ours = create_engine(f"sqlite:///{place}")
    with ours.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(text("CREATE TABLE of_the_future (id INTEGER)"))

    def tables() -> list[tuple[object, ...]]:
        with ours.connect() as connection:
            found = connection.execute(text("SELECT name, sql FROM sqlite_master ORDER BY name")).all()
            return [tuple(row) for row in [*found, *connection.execute(text("SELECT * FROM alembic_version"))]]

    before = tables()
    monkeypatch.setenv("PANGATE_DATABASE", f"sqlite:///{place}")
    (fault,) = faults()
    done = serve(free_port())
    ours.dispose()
    for message in (fault.message, done.stderr):
        assert "migrated by a newer pangate" in message
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert tables() == before


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("PANGATE_DATABASE", "mysql://host/x", "use sqlite or postgresql"),
        ("PANGATE_DATABASE", "postgresql://me@127.0.0.1:1/x", "cannot be opened"),
        ("PANGATE_INDEX_PREFIX", "Not, a name", "Use small letters"),
        ("PANGATE_INDEX_CA", "/nowhere/ca.pem", "Name a file of PEM certificates"),
        ("PANGATE_INDEX_USER", "somebody", "not both"),
    ],
)
def test_settings_of_the_stores_that_cannot_be_used_are_told_by_the_doctor(
    name: str, value: str, remedy: str, settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PANGATE_INDEX", "https://127.0.0.1:1")
    monkeypatch.setenv(name, value)
    (fault,) = faults()
    assert remedy in fault.message
