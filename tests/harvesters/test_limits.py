"""This file is every limit of a fetch with its real number, at one below, at, and one above (reliability reference, section 8)."""

import gzip
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from wire import Script, Wire, answer

from harvesters import arrival, child
from harvesters.arrival import Broken, Patience, arrived
from harvesters.http import PoliteSession
from schema.addresses import checked_url
from schema.errors import BadInput, RetryLater, StopHarvest

NUMBERS = Patience()
MIB = 1 << 20


@pytest.fixture
def serving() -> Iterator[Callable[[Script], str]]:
    made: list[Wire] = []

    def make(script: Script) -> str:
        made.append(Wire(script))
        return made[-1].url

    yield make
    for each in made:
        each.listener.close()


def fetched(url: str, **patience: float) -> str:
    """The length of what came, or why nothing did."""
    session = PoliteSession(url, private=True, rate=None, patience=Patience(tries=1, **patience))  # type: ignore[arg-type]
    try:
        return str(len(session.once("GET", "/").body))
    except StopHarvest as error:
        return error.reason
    except Broken:
        return "broken"
    finally:
        session.close()


def whole(body: bytes, *headers: str) -> Script:
    return lambda connection, _number: connection.sendall(answer(body, "200 OK", *headers))


@pytest.mark.parametrize(("over", "told"), [(-1, None), (0, None), (1, "too-large")])
def test_so_much_comes_over_the_wire(serving: Callable[[Script], str], over: int, told: str | None) -> None:
    size = NUMBERS.wire_bytes + over
    assert fetched(serving(whole(b"x" * size))) == (told or str(size))


@pytest.mark.parametrize(("over", "told"), [(-1, None), (0, None), (1, "too-large")])
def test_so_much_is_unpacked(serving: Callable[[Script], str], over: int, told: str | None) -> None:
    """Of what is packed at a ratio below the limit: a part that cannot be packed, and a part that can."""
    size = NUMBERS.decoded_bytes + over
    hard = b"".join(zlib.crc32(at.to_bytes(4, "big")).to_bytes(4, "big") for at in range(200_000))
    packed = gzip.compress(hard + b"\0" * (size - len(hard)), 1)
    assert len(packed) * NUMBERS.ratio > size
    assert fetched(serving(whole(packed, "Content-Encoding: gzip"))) == (told or str(size))


@pytest.mark.parametrize(("over", "told"), [(-1, None), (0, None), (1, "too-large")])
def test_a_large_answer_is_packed_so_tightly_and_no_more(
    serving: Callable[[Script], str], over: int, told: str | None
) -> None:
    """The packed length is filled up by a file name, which gzip's header may carry (RFC 1952, 2.3.1)."""
    named = tight(over)
    assert fetched(serving(whole(named, "Content-Encoding: gzip"))) == (told or str(NUMBERS.ratio * len(named) + over))


def tight(over: int) -> bytes:
    """So many bytes more than may be in an answer of its length."""
    wire = 8 * MIB // NUMBERS.ratio
    packed = gzip.compress(b"\0" * (NUMBERS.ratio * wire + over))
    name = b"n" * (wire - len(packed) - 1) + b"\0"
    named = packed[:3] + b"\x08" + packed[4:10] + name + packed[10:]
    assert len(named) == wire
    return named


class Parts:
    """An answer that comes in these parts."""

    def __init__(self, *parts: bytes) -> None:
        self._parts = [*parts, b""]
        self.raw, self.headers = self, {"content-encoding": "gzip"}

    def read1(self, _size: int, *, decode_content: bool) -> bytes:
        return self._parts.pop(0)


@pytest.mark.parametrize("last", range(1, 13))
def test_how_tightly_is_told_of_the_whole_wherever_the_network_cuts_its_end(last: int) -> None:
    """All is unpacked before the checksum and the length have come."""
    packed = tight(0)
    parts = Parts(packed[:-last], packed[-last:])
    assert len(arrived(parts, NUMBERS, "here")) == NUMBERS.ratio * len(packed)  # type: ignore[arg-type]
    packed = tight(1)
    with pytest.raises(StopHarvest):
        arrived(Parts(packed[:-last], packed[-last:]), NUMBERS, "here")  # type: ignore[arg-type]


def test_a_small_answer_is_packed_as_tightly_as_it_likes(serving: Callable[[Script], str]) -> None:
    assert fetched(serving(whole(gzip.compress(b"\0" * MIB), "Content-Encoding: gzip"))) == str(MIB)
    assert fetched(serving(whole(gzip.compress(b"\0" * (MIB + 1)), "Content-Encoding: gzip"))) == "too-large"


def test_only_one_layer_is_unpacked(serving: Callable[[Script], str]) -> None:
    twice = gzip.compress(gzip.compress(b"{}"))
    assert fetched(serving(whole(twice, "Content-Encoding: gzip, gzip"))) == "broken"


@pytest.mark.parametrize(("count", "told"), [(98, "2"), (99, "2"), (100, "broken")])
def test_an_answer_has_a_hundred_lines_of_headers(serving: Callable[[Script], str], count: int, told: str) -> None:
    """The empty line that ends them is one: so Python's own reader counts."""
    more = [f"X-{at}: y" for at in range(count - 2)]  # two are there already
    assert fetched(serving(whole(b"{}", *more))) == told


@pytest.mark.parametrize(("over", "told"), [(-1, "2"), (0, "2"), (1, "too-large")])
def test_the_headers_have_so_many_bytes(serving: Callable[[Script], str], over: int, told: str) -> None:
    lines = ["Content-Length: 2", "Connection: close", "X: "]
    used = sum(len(line) + 2 for line in lines)
    assert fetched(serving(whole(b"{}", "X: " + "y" * (NUMBERS.headers_bytes - used + over)))) == told


@pytest.mark.parametrize(("count", "told"), [(2, "2"), (3, "2"), (4, "redirects")])
def test_three_redirects_are_followed(serving: Callable[[Script], str], count: int, told: str) -> None:
    def script(connection: socket.socket, number: int) -> None:
        on = answer(b"", "302 Found", f"Location: /{number}")
        connection.sendall(on if number <= count else answer(b"{}"))

    assert fetched(serving(script)) == told


class Drip:
    """An answer of which so many bytes come each tenth of a second, by a clock of its own."""

    def __init__(self, a_second: int) -> None:
        self._each, self._left, self.now = a_second // 10, 12, 100.0
        self.raw, self.headers = self, dict[str, str]()

    def read1(self, _size: int, *, decode_content: bool) -> bytes:
        self._left -= 1
        self.now += 0.1
        return b"x" * self._each if self._left >= 0 else b""


@pytest.mark.parametrize(("a_second", "told"), [(1_020, "broken"), (1_030, None)])
def test_an_answer_comes_at_a_kibibyte_a_second(
    a_second: int, told: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    drip = Drip(a_second)
    monkeypatch.setattr(arrival, "time", SimpleNamespace(monotonic=lambda: drip.now))
    try:
        came = str(len(arrived(drip, Patience(slow_s=0.7999), "here")))  # type: ignore[arg-type]
    except Broken:
        came = "broken"
    assert came == (told or str(a_second // 10 * 12))


def test_an_answer_that_goes_on_dripping_is_left(serving: Callable[[Script], str]) -> None:
    def script(connection: socket.socket, _number: int) -> None:
        connection.sendall(answer(b"").replace(b"Content-Length: 0\r\n", b""))
        while True:  # until the other hangs up
            connection.sendall(b"x" * 80)
            time.sleep(0.1)

    assert fetched(serving(script), slow_s=0.8) == "broken"


@pytest.mark.parametrize(("limit", "waits", "told"), [(30.0, 0.3, "2"), (0.3, 30.0, "broken")])
def test_the_first_byte_and_the_whole_have_their_time(
    serving: Callable[[Script], str], limit: float, waits: float, told: str
) -> None:
    def first(connection: socket.socket, _number: int) -> None:
        time.sleep(waits)
        connection.sendall(answer(b"{}"))

    def last(connection: socket.socket, _number: int) -> None:
        connection.sendall(answer(b"{}")[:-1])
        time.sleep(waits)
        connection.sendall(b"}")

    assert fetched(serving(first), first_byte_s=limit) == told
    assert fetched(serving(last), total_s=limit) == told


@pytest.mark.parametrize(
    ("url", "private", "taken"),
    [
        ("https://catalogue.example.org/api", False, True),
        ("http://catalogue.example.org/api", False, False),
        ("http://catalogue.example.org/api", True, True),
        ("ftp://catalogue.example.org/api", True, False),
    ],
)
def test_only_https_is_asked_unless_the_file_says_so(url: str, private: bool, taken: bool) -> None:
    if taken:
        checked_url(url, private=private)
    else:
        with pytest.raises(BadInput):
            checked_url(url, private=private)


def test_two_requests_a_second_are_sent_and_no_more(serving: Callable[[Script], str]) -> None:
    slept: list[float] = []
    began = time.monotonic()
    session = PoliteSession(serving(whole(b"{}")), private=True, sleep=slept.append)
    for _ in range(3):
        session.once("GET", "/")
    passed = time.monotonic() - began
    session.close()
    if passed < 0.5:  # else no pause is left to be told
        assert len(slept) == 2, "nobody really slept: each is told the whole time"
    for told, whole_s in zip(reversed(slept), (1.0, 0.5), strict=False):
        assert whole_s - passed <= told <= whole_s


def test_the_numbers_are_those_that_were_agreed() -> None:
    times = (NUMBERS.connect_s, NUMBERS.first_byte_s, NUMBERS.total_s, NUMBERS.slow_s)
    assert times == (5.0, 30.0, 120.0, 30.0)
    sizes = (NUMBERS.headers_bytes, NUMBERS.wire_bytes, NUMBERS.decoded_bytes, NUMBERS.ratio)
    assert sizes == (32 << 10, 32 << 20, 64 << 20, 200)
    assert (child.MEMORY, child.SECONDS) == (1 << 30, 24 * 3600)
    assert issubclass(Broken, RetryLater)
