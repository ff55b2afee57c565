"""The forms of request that the ICAT harvester sends, held against the replies recorded from icat.server 6.2.0 and 6.0.1."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from harvesters.http import Reply
from harvesters.icat_clock import literal, zone_changed
from harvesters.icat_session import IcatSession, TooMany, _is_passing
from schema.errors import RetryLater, StopHarvest

WIRE = Path(__file__).resolve().parents[3] / "shared" / "data" / "wire" / "icat"
pytestmark = pytest.mark.skipif(not WIRE.is_dir(), reason="the reference data folder ../shared is not here")
RUNS = ("run-6.2.0", "run-6.0.1")


class Recorded:
    """A polite session that answers every request with one recorded reply."""

    def __init__(self, body: Any, status: int, media: str) -> None:
        raw = b"" if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.reply = Reply(status, {"content-type": media}, raw, None)
        self.body = body

    def ask(self, _path: str, *_more: Any, transient: Callable[[Reply], bool] | None = None) -> tuple[Reply, Any]:
        if transient is not None and transient(self.reply):
            raise RetryLater("passing")
        return self.reply, self.body if not isinstance(self.body, str) else None

    def once(self, *_args: Any, **_more: Any) -> Reply:
        return Reply(200, {"content-type": "application/json"}, b'{"sessionId": "s"}', None)


def replies() -> Iterator[tuple[str, dict[str, Any]]]:
    for run in RUNS:
        for file in sorted((WIRE / run).glob("*.json")):
            found = json.loads(file.read_text())
            if found.get("request", {}).get("path") == "/icat/entityManager" and found["request"]["method"] == "GET":
                yield f"{run}/{file.stem}", found


QUERIES = list(replies()) if WIRE.is_dir() else []


@pytest.mark.parametrize("found", [each[1] for each in QUERIES], ids=[each[0] for each in QUERIES])
def test_every_recorded_answer_to_a_query_has_one_meaning(found: dict[str, Any]) -> None:
    media = dict(found["headers"]).get("Content-Type", "")
    http = Recorded(found["body"], found["status"], media)
    session = IcatSession(http, None, None, lambda: datetime.now(UTC))  # type: ignore[arg-type]
    body = found["body"]
    if found["status"] == 200 and isinstance(body, list):
        assert session.query("q") == body
        return
    with pytest.raises((RetryLater, StopHarvest)) as caught:
        session.query("q")
    message = body.get("message", "") if isinstance(body, dict) else ""
    assert isinstance(caught.value, TooMany) is ("more than" in message)
    assert "SQL" not in str(caught.value)


@pytest.mark.parametrize("run", RUNS)
def test_the_column_forms_we_send_are_answered_as_rows(run: str) -> None:
    for name in ("query-columns-null", "query-distinct-parents", "query-columns-enum"):
        found = json.loads((WIRE / run / f"{name}.json").read_text())
        assert found["status"] == 200
        assert isinstance(found["body"], list)


def test_no_right_and_an_empty_table_are_told_apart_by_max() -> None:
    none = json.loads((WIRE / "run-6.2.0" / "rules-norights-max.json").read_text())
    empty = json.loads((WIRE / "run-6.2.0" / "query-max-empty.json").read_text())
    assert none["body"] == []
    assert empty["body"] == [None]


def test_the_page_of_a_container_that_starts_is_passing_and_a_missing_object_is_not() -> None:
    page = json.loads((WIRE / "run-6.2.0" / "restart-404.json").read_text())
    headers = {name.lower(): value for name, value in page["headers"]}
    assert _is_passing(Reply(page["status"], headers, b"", None))
    assert not _is_passing(Reply(404, {"content-type": "application/json"}, b"", None))


def test_time_literals_are_the_servers_own_digits() -> None:
    assert literal("2026-11-22T17:33:30.000+01:00") == "{ts 2026-11-22 17:33:30}"
    first = json.loads((WIRE / "run-6.2.0" / "query-facility.json").read_text())["body"][0]["Facility"]
    assert first["createTime"].endswith("+01:00")


def test_a_zone_has_changed_when_an_offset_that_was_known_is_another() -> None:
    assert not zone_changed(["+01:00", "+02:00"], ["+01:00", "+02:00"])
    assert zone_changed(["+01:00", "+02:00"], ["-05:00", "-04:00"])
    assert zone_changed(["Z", "Z"], ["Z", "+01:00"])  # UTC and London are one in winter
    assert not zone_changed(["", "+02:00"], ["+01:00", ""])
    assert not zone_changed(None, ["Z", "Z"])
