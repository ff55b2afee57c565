"""How the demo shows the first harvest."""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest
from rich.console import Console

from demo import freshness
from demo.freshness import follow_harvests


def says(name: str, count: int, state: str) -> dict[str, Any]:
    return {"shortName": name, "datasetCount": count, "freshness": state}


@contextmanager
def gateway(*answers: bytes, late: int = 0) -> Iterator[str]:
    """A gateway that gives these answers one after another, then the last one again and again; `late`: how often its index is behind."""
    left = list(answers)
    behind = ["the index does not hold every change yet"] * late

    class Answers(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            body = json.dumps({"parts": {"projection": behind.pop(0) if behind else "ok"}}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Tests are silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def told(*facilities: dict[str, Any]) -> bytes:
    return json.dumps({"data": {"facilities": list(facilities)}}).encode()


@pytest.fixture
def console() -> Console:
    return Console(width=120, record=True, file=io.StringIO())


def test_it_waits_until_every_facility_is_harvested(console: Console) -> None:
    begun = told(says("Freya", 0, "NEVER"), says("Skadi", 700, "FRESH"))
    done = told(says("Freya", 2_500, "FRESH"), says("Skadi", 2_000, "FRESH"))
    with gateway(b"<html>not yet</html>", b'{"data": null}', begun, done, late=2) as url:
        assert follow_harvests(url, Event(), console)
    text = console.export_text()
    assert "Harvesting Freya: 2,500 datasets" in text
    assert "Harvesting Skadi: 2,000 datasets" in text


def test_a_facility_whose_harvest_fails_is_told_and_not_waited_for(console: Console) -> None:
    with gateway(told(says("Freya", 10, "FAILING"), says("Skadi", 20, "FRESH"))) as url:
        assert not follow_harvests(url, Event(), console)
    assert "its harvest fails" in console.export_text()


def test_it_ends_when_somebody_stops_the_demo_or_time_is_over(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = Event()
    stop.set()
    assert not follow_harvests("http://127.0.0.1:9", stop, console)
    monkeypatch.setattr(freshness, "PATIENCE", 0.6)
    with gateway(told(says("Freya", 0, "NEVER"))) as url:
        assert not follow_harvests(url, Event(), console)
