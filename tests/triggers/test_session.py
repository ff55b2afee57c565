"""The way to a platform: deadlines, caps, no redirects, no cookies, forbidden addresses, hostile answers."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from schema.errors import BadInput, RetryLater
from triggers.session import Patience, Session

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
PATIENT = Patience(body_bytes=10_000, stream_bytes=4_000)
QUICK = Patience(connect_s=5, first_byte_s=0.5, total_s=0.8, body_bytes=10_000, stream_bytes=4_000)
LONG_S = 20.0
"""Less than it would take without those deadlines; whoever waits so long in a test has met none."""


@contextmanager
def says(talk: Callable[[socket.socket], None], seen: list[bytes] | None = None) -> Iterator[str]:
    """A server that says what it is told to, to everybody who comes."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    over = threading.Event()

    def serve(sock: socket.socket) -> None:
        try:
            heard = sock.recv(65536)
            if seen is not None:
                seen.append(heard)
            talk(sock)
        except OSError:
            pass
        finally:
            sock.close()

    def accept() -> None:
        while not over.is_set():
            try:
                sock, _ = listener.accept()
            except TimeoutError:
                continue
            threading.Thread(target=serve, args=(sock,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        over.set()
        thread.join()
        listener.close()


@pytest.fixture
def at() -> Iterator[Callable[..., Session]]:
    with ExitStack() as stack:

        def make(
            talk: Callable[[socket.socket], None], seen: list[bytes] | None = None, patience: Patience = PATIENT
        ) -> Session:
            made = Session(stack.enter_context(says(talk, seen)), token="secret", private=True, patience=patience)
            stack.callback(made.close)
            return made

        yield make


def drip(first: bytes) -> Callable[[socket.socket], None]:
    """Says more and more until the other hangs up."""

    def talk(sock: socket.socket) -> None:
        sock.sendall(first)
        while True:
            sock.sendall(b"x")
            time.sleep(0.05)

    return talk


def send(*pieces: bytes) -> Callable[[socket.socket], None]:
    return lambda sock: sock.sendall(b"".join(pieces))


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\nX: ", HEAD + b"Content-Length: 1000\r\n\r\n"])
def test_a_dripping_platform_is_left_at_the_deadline(at: Callable[..., Session], first: bytes) -> None:
    session = at(drip(first), patience=QUICK)
    began = time.monotonic()
    with pytest.raises(RetryLater):
        session.ask("GET", "/")
    assert time.monotonic() - began < LONG_S


@pytest.mark.parametrize(
    "talk",
    [
        send(),
        send(b"what?\r\n\r\n"),
        send(HEAD, b"Content-Length: 100\r\n\r\n{}"),
        send(HEAD, b"\r\n", b"x" * 20_000),
        send(HEAD, b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"),
        send(HEAD, b"X: y\r\n" * 200, b"\r\n"),
        lambda sock: time.sleep(2 * LONG_S),
    ],
    ids=["silence", "nonsense", "cut", "endless", "compressed", "headers", "late"],
)
def test_what_is_no_whole_answer_is_asked_again_later(
    at: Callable[..., Session], talk: Callable[[socket.socket], None]
) -> None:
    with pytest.raises(RetryLater) as raised:
        at(talk, patience=QUICK).ask("GET", "/")
    assert "secret" not in raised.value.message
    assert "0x" not in raised.value.message


@pytest.mark.parametrize("body", [b"<html>", b"[" * 100_000, b"\xff", b"NaN"])
def test_what_is_no_json_is_told_as_that(at: Callable[..., Session], body: bytes) -> None:
    answer = at(send(HEAD, b"Content-Length: %d\r\n\r\n" % len(body[:9000]), body[:9000])).ask("GET", "/")
    with pytest.raises(RetryLater, match="not JSON"):
        answer.json()


def test_redirects_are_not_followed_and_cookies_not_kept(at: Callable[..., Session]) -> None:
    seen: list[bytes] = []
    redirect = send(
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nSet-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n"
    )
    session = at(redirect, seen)
    assert session.ask("GET", "/").status == 302
    assert session.visit(session.base + "/page").status == 302
    assert len(seen) == 2
    assert b"Authorization: token secret" in seen[0]
    assert b"secret" not in seen[1]
    assert b"Cookie" not in seen[1]


def test_an_event_stream_is_heard_for_its_time_and_no_longer(at: Callable[..., Session]) -> None:
    session = at(drip(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: {}\n\n"))
    began = time.monotonic()
    heard = session.listen("/progress", 2.5)
    assert time.monotonic() - began < LONG_S
    assert heard.body.startswith(b"data: {}")
    flood = at(send(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 1_000_000)).listen("/progress", 10)
    assert len(flood.body) <= 4_000 + (1 << 14)
    assert at(send()).listen("/progress", 10).status == 0


@pytest.mark.parametrize("base", ["http://127.0.0.1:9", "https://localhost:9", "https://127.0.0.1:9"])
def test_addresses_inside_are_not_asked_unless_allowed(base: str) -> None:
    session = Session(base, patience=QUICK)
    with pytest.raises((RetryLater, BadInput)):
        session.ask("GET", "/")
    with pytest.raises((RetryLater, BadInput)):
        session.visit("http://169.254.169.254/latest")
