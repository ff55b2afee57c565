"""This file is how a platform is asked over HTTP: deadlines, size caps, no redirects, no cookies, nothing repeated by itself.

Numbers: reliability reference, section 8. Whether a call may be repeated is the launch line's to say, after a look at what is there:
a POST is never sent twice blindly.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import msgspec
import requests
from urllib3.exceptions import HTTPError

from schema.addresses import checked_url
from schema.errors import RetryLater
from triggers.guard import Wire

AGENT = "pangate-launcher/0.1"


class Patience(msgspec.Struct, frozen=True):
    """How long (seconds) and how much (bytes): a hub's POST answers after up to 10 s, so the first byte may take longer than that."""

    connect_s: float = 5.0
    first_byte_s: float = 15.0
    total_s: float = 25.0
    body_bytes: int = 8 << 20
    stream_bytes: int = 256 << 10


class Answer(msgspec.Struct, frozen=True):
    """One whole answer; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON. Raises RetryLater when it is none (a proxy's page, a cut answer)."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            kind = self.headers.get("content-type", "no content type")[:60]
            raise RetryLater(f"The platform answered {self.status} with something that is not JSON ({kind}).") from None


class Session:
    """The way to one platform; safe to use from several threads. `token` goes to `base` only, and into no message."""

    def __init__(self, base: str, *, token: str = "", private: bool = False, patience: Patience | None = None) -> None:
        self.base = base.rstrip("/")
        self.patience = patience or Patience()
        self._token = token
        self._private = private
        self._local = threading.local()
        self._wires: list[Wire] = []
        self._lock = threading.Lock()

    def ask(self, method: str, path: str, *, accept: str = "application/json", **options: Any) -> Answer:
        """The answer of the platform to one call with our token (`json`, `params` as in requests).
        Raises RetryLater when there was no whole answer: whether the platform acted on it is then unknown."""
        headers = {**self._authority(), "Accept": accept}
        with self._call(method, self.base + path, headers, self.patience.total_s, **options) as response:
            return _answer(response, self._body(response))

    def visit(self, url: str) -> Answer:
        """What anybody gets who opens that page: no token, no cookie, no redirect followed, the beginning only. Raises RetryLater."""
        with self._call("GET", url, {"Accept": "text/html"}, self.patience.total_s) as response:
            return _answer(response, b"")

    def listen(self, path: str, seconds: float) -> Answer:
        """What an event stream says within that time: a hint. Status 0 when nothing at all came."""
        received = bytearray()
        response: requests.Response | None = None
        headers = {**self._authority(), "Accept": "text/event-stream"}
        try:
            with self._call("GET", self.base + path, headers, seconds) as response:
                while len(received) < self.patience.stream_bytes and (part := response.raw.read1(1 << 14)):
                    received += part
        except RetryLater:
            if response is None:
                return Answer(0, {}, b"")
        return _answer(response, bytes(received))

    def close(self) -> None:
        """Let go of every connection."""
        with self._lock:
            wires, self._wires = self._wires, []
        for wire in wires:
            wire.close()

    def _authority(self) -> dict[str, str]:
        return {"Authorization": f"token {self._token}"} if self._token else {}

    @contextmanager
    def _call(
        self, method: str, url: str, headers: Mapping[str, str], seconds: float, **options: Any
    ) -> Iterator[requests.Response]:
        checked_url(url, private=self._private)
        host = urlsplit(url).hostname
        wire = self._wire()
        sent = {"User-Agent": AGENT, "Accept-Encoding": "identity", **headers}
        times = (self.patience.connect_s, min(self.patience.first_byte_s, seconds))
        late = threading.Event()

        def end() -> None:
            late.set()
            wire.cut()

        alarm = threading.Timer(seconds, end)
        alarm.daemon = True
        alarm.start()
        try:
            with wire.session.request(
                method, url, headers=sent, stream=True, allow_redirects=False, timeout=times, **options
            ) as response:
                yield response
            if late.is_set():  # an answer cut in its headers looks like a short one
                raise RetryLater(f"{host} did not finish its answer in time.")
        except (requests.RequestException, HTTPError, OSError, UnicodeError) as error:
            # UnicodeError: requests decodes Location even where no redirect is followed
            raise RetryLater(f"{host} does not answer: {_plain(error)}.") from None
        finally:
            alarm.cancel()

    def _body(self, response: requests.Response) -> bytes:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise RetryLater("The platform sent a compressed answer, which was not asked for.")
        received, deadline = bytearray(), time.monotonic() + self.patience.total_s
        while part := response.raw.read1(1 << 16):
            received += part
            if len(received) > self.patience.body_bytes:
                raise RetryLater(f"The platform's answer is larger than {self.patience.body_bytes >> 20} MiB.")
            if time.monotonic() > deadline:
                raise RetryLater("The platform did not finish its answer in time.")
        promised = response.headers.get("content-length", "")
        if promised.isdigit() and len(received) < int(promised) and response.request.method != "HEAD":
            raise RetryLater("The platform broke off its answer.")
        return bytes(received)

    def _wire(self) -> Wire:
        wire: Wire | None = getattr(self._local, "wire", None)
        if wire is None:
            wire = self._local.wire = Wire(private=self._private, connect_s=self.patience.connect_s)
            wire.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            with self._lock:
                self._wires.append(wire)
        return wire


def retry_after(text: str, now: datetime) -> float | None:
    """Seconds a Retry-After header asks for (RFC 9110, 10.2.3), kept within a second and an hour; None when it says nothing sane."""
    plain = text.strip()
    if plain.isascii() and plain.isdigit():
        asked = float(plain[:12])
    else:
        try:
            date = parsedate_to_datetime(plain)
        except (ValueError, TypeError, IndexError):
            return None
        asked = ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds()
    return min(3600.0, max(1.0, asked))


def _answer(response: requests.Response | None, body: bytes) -> Answer:
    if response is None:
        return Answer(0, {}, body)
    return Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()}, body)


def _plain(error: BaseException) -> str:
    """A transport fault in words without addresses or object names."""
    words = {
        "ConnectTimeout": "no connection in time",
        "ReadTimeout": "no answer in time",
        "ConnectionError": "no connection",
        "SSLError": "its certificate is not accepted",
    }
    return words.get(type(error).__name__, "the answer was cut")
