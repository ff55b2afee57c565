"""The polite session against servers that misbehave, all on loopback."""

import gzip
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from wire import Script, Wire, answer

from harvesters.arrival import Broken, Patience
from harvesters.guard import Gate
from harvesters.http import PoliteSession, retry_after
from schema.errors import RetryLater, StopHarvest


@pytest.fixture
def wire() -> Iterator[Callable[[Script], Wire]]:
    made: list[Wire] = []

    def make(script: Script) -> Wire:
        made.append(Wire(script))
        return made[-1]

    yield make
    for each in made:
        each.listener.close()


def polite(url: str, slept: list[float] | None = None, **patience: float) -> PoliteSession:
    pause = (slept if slept is not None else []).append
    return PoliteSession(url, private=True, rate=None, patience=Patience(**patience), sleep=pause)  # type: ignore[arg-type]


def test_a_whole_answer_comes_back_with_the_servers_clock(wire):
    server = wire(lambda c, n: c.sendall(answer(b'{"a": 1}', "200 OK", "Date: Sun, 22 Nov 2026 10:00:00 GMT")))
    reply = polite(server.url).get("/x")
    assert reply.json() == {"a": 1}
    assert reply.date == datetime(2026, 11, 22, 10, tzinfo=UTC)


def test_passing_faults_are_tried_again_and_retry_after_is_obeyed(wire):
    def script(connection: socket.socket, number: int) -> None:
        connection.sendall(answer(b"", "503 Busy", "Retry-After: 7") if number < 3 else answer(b"[]"))

    slept: list[float] = []
    server = wire(script)
    assert polite(server.url, slept).get("/").json() == []
    assert slept == [7.0, 7.0]


def test_a_fault_that_stays_ends_in_retry_later_after_the_agreed_tries(wire):
    server = wire(lambda c, n: c.sendall(answer(b"", "500 Oh")))
    with pytest.raises(RetryLater, match="500"):
        polite(server.url, tries=3).get("/")
    assert server.calls == 3


def test_a_request_that_is_wrong_is_not_repeated(wire):
    server = wire(lambda c, n: c.sendall(answer(b"{}", "404 Not Found")))
    assert polite(server.url).get("/").status == 404
    assert server.calls == 1


def test_a_page_of_html_is_told_as_what_it_is(wire):
    server = wire(lambda c, n: c.sendall(answer(b"<html>", "200 OK", "Content-Type: text/html")))
    with pytest.raises(RetryLater, match="not JSON"):
        polite(server.url).get("/").json()


@pytest.mark.parametrize("in_head", [True, False])
def test_a_dripping_server_is_cut_at_the_deadline(wire, in_head):
    def script(connection: socket.socket, number: int) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + (b"" if in_head else b"Content-Length: 1000\r\n\r\n"))
        while True:  # until the other hangs up
            connection.sendall(b"X")
            time.sleep(0.05)

    began = time.monotonic()
    with pytest.raises(Broken):
        polite(wire(script).url, total_s=0.4).once("GET", "/")
    assert time.monotonic() - began < 20, "that is less than without it"


def test_a_gzip_bomb_stops_at_the_cap_without_being_unpacked(wire):
    bomb = gzip.compress(b"\0" * (64 << 20))
    server = wire(lambda c, n: c.sendall(answer(bomb, "200 OK", "Content-Encoding: gzip")))
    with pytest.raises(StopHarvest, match="larger"):
        polite(server.url, decoded_bytes=1 << 20).get("/")


def test_gzip_that_was_asked_for_is_unpacked(wire):
    server = wire(lambda c, n: c.sendall(answer(gzip.compress(b'{"b": 2}'), "200 OK", "Content-Encoding: gzip")))
    assert polite(server.url).get("/").json() == {"b": 2}


def test_a_coding_nobody_asked_for_is_refused(wire):
    server = wire(lambda c, n: c.sendall(answer(b"xx", "200 OK", "Content-Encoding: br")))
    with pytest.raises(Broken, match="coded"):
        polite(server.url).once("GET", "/")


def test_a_cut_answer_is_never_taken_for_a_whole_one(wire):
    server = wire(lambda c, n: c.sendall(answer(b"[1, 2, 3]").replace(b"Content-Length: 9", b"Content-Length: 99")))
    with pytest.raises(Broken):
        polite(server.url).once("GET", "/")


def test_a_redirect_to_another_origin_stops_the_harvest(wire):
    server = wire(lambda c, n: c.sendall(answer(b"", "302 Found", "Location: http://127.0.0.1:9/latest/meta-data")))
    with pytest.raises(StopHarvest) as caught:
        polite(server.url).get("/")
    assert caught.value.reason == "redirect"


def test_a_redirect_that_never_ends_stops_the_harvest(wire):
    server = wire(lambda c, n: c.sendall(answer(b"", "302 Found", "Location: /again")))
    with pytest.raises(StopHarvest, match="three times"):
        polite(server.url).get("/")


def test_loopback_is_not_asked_unless_the_federation_file_allows_it(wire):
    server = wire(lambda c, n: c.sendall(answer(b"[]")))
    port = server.url.rpartition(":")[2]
    outside = PoliteSession(
        f"https://catalogue.example.org:{port}",
        gate=Gate(private=False, resolver=lambda h, p: ["127.0.0.1"]),
        rate=None,
    )
    with pytest.raises(StopHarvest) as caught:
        outside.get("/")
    assert caught.value.reason == "address"
    assert server.calls == 0


def test_a_name_is_resolved_once_a_connection_and_every_address_must_pass(wire):
    server = wire(lambda c, n: c.sendall(answer(b"[]")))
    port = server.url.rpartition(":")[2]
    asked: list[str] = []

    def resolver(host: str, number: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1", "169.254.169.254"]

    session = PoliteSession(
        f"http://rebound.example.org:{port}", private=True, gate=Gate(private=True, resolver=resolver), rate=None
    )
    with pytest.raises(StopHarvest):
        session.get("/")
    assert asked == ["rebound.example.org"]
    assert server.calls == 0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", 5.0),
        ("0", 1.0),
        ("1000000000", 3600.0),
        ("-3", None),
        ("soon", None),
        ("Sun, 22 Nov 2026 10:00:30 GMT", 30.0),
        ("Sun, 22 Nov 2020 10:00:00 GMT", 1.0),
    ],
)
def test_retry_after_is_kept_sane(text, seconds):
    assert retry_after(text, datetime(2026, 11, 22, 10, tzinfo=UTC)) == seconds
