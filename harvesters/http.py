"""This file is the polite session: deadlines, size caps, retries with jitter, a rate of its own, and no forbidden address.

Numbers: reliability reference, section 8 (harvest fetch).
"""

from __future__ import annotations

import random
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec
import orjson
import requests
from urllib3.exceptions import HTTPError

from harvesters.arrival import Broken, Patience, arrived
from harvesters.guard import AddressRefused, Gate, session
from harvesters.ports import Clock
from schema.addresses import checked_url
from schema.errors import BadInput, RetryLater, StopHarvest

AGENT = "pangate-harvester/0.1 (+https://github.com/pangate)"
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NO_ROOM = "Not enough memory"  # what orjson calls an error of the text; asked for again, the answer would be as large


class Reply(msgspec.Struct, frozen=True):
    """One whole answer: `headers` in lower case, `date` the server's clock if it told it."""

    status: int
    headers: dict[str, str]
    body: bytes
    date: datetime | None

    def json(self) -> Any:
        """The body as JSON. Raises RetryLater when it is none (a proxy's page, a cut answer), MemoryError when there is no room for it."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            if error.msg.startswith(_NO_ROOM):
                raise MemoryError from None
            raise RetryLater(self.strange()) from None

    def strange(self) -> str:
        """The sentence for an answer that is no JSON."""
        kind = self.headers.get("content-type", "no content type")[:60]
        return f"The source answered {self.status} with something that is not JSON ({kind})."


class PoliteSession:
    """A connection to one source. One call at a time."""

    def __init__(
        self,
        base: str,
        *,
        private: bool = False,
        rate: float | None = 2.0,
        patience: Patience | None = None,
        clock: Clock | None = None,
        gate: Gate | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base = base.rstrip("/")
        self.patience = patience or Patience()
        self.requests = 0
        self._private = private
        self._gap_s = 1.0 / rate if rate else 0.0
        self._clock = clock or (lambda: datetime.now(UTC))
        self._gate = gate or Gate(private=private)
        self._session = session(self._gate)
        self._sleep = sleep
        self._next_start = 0.0

    def get(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        transient: Callable[[Reply], bool] | None = None,
    ) -> Reply:
        """The answer to a GET, tried again while that can help (`transient` tells when, else the status does).

        Raises RetryLater, StopHarvest.
        """
        return self._persist(lambda: self.once("GET", path, params=params, headers=headers), transient or _is_transient)

    def ask(
        self,
        path: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        transient: Callable[[Reply], bool] | None = None,
    ) -> tuple[Reply, Any]:
        """As `get`, with the answer's JSON. A 200 that is no JSON (a proxy's page, a cut answer) is asked for again; of another
        status it is None then. Raises RetryLater, StopHarvest, MemoryError."""
        found: Any = None

        def call() -> Reply:
            nonlocal found
            reply = self.once("GET", path, params=params, headers=headers)
            try:
                found = reply.json()
            except RetryLater as error:
                found = None
                if reply.status == 200:
                    raise Broken(error.message) from None
            return reply

        reply = self._persist(call, transient or _is_transient)
        return reply, found

    def once(self, method: str, path: str, **options: Any) -> Reply:
        """One call, not repeated; redirects within the same origin are followed for GET. Raises Broken, StopHarvest."""
        url = path if path.startswith(("http://", "https://")) else self.base + path
        for _ in range(4):
            self._wait_turn()
            reply = self._call(method, url, **options)
            if reply.status not in _REDIRECTS or method != "GET":
                return reply
            url, options = self._redirect(url, reply), {**options, "params": None}
        raise StopHarvest(
            "redirects", f"{self.base} redirects more than three times; put the final address into the federation file."
        )

    def close(self) -> None:
        """Let go of the connections."""
        self._session.close()

    def _persist(self, call: Callable[[], Reply], transient: Callable[[Reply], bool]) -> Reply:
        patience, began = self.patience, time.monotonic()
        for attempt in range(patience.tries):
            reply: Reply | None = None
            try:
                reply = call()
                if not transient(reply):
                    return reply
                reason = f"The source answered {reply.status}"
            except Broken as broken:
                reason = broken.message.rstrip(".")
            pause = self._pause(attempt, reply)
            if attempt + 1 == patience.tries or time.monotonic() - began + pause > patience.all_tries_s:
                break
            self._sleep(pause)
        raise RetryLater(
            f"{reason}, {attempt + 1} times in a row.", not_before=self._clock() + timedelta(seconds=pause)
        )

    def _pause(self, attempt: int, reply: Reply | None) -> float:
        asked = retry_after(reply.headers.get("retry-after", ""), self._clock()) if reply else None
        if asked is not None:
            return asked
        return random.uniform(0, min(self.patience.cap_s, self.patience.base_s * 2**attempt))  # noqa: S311 (jitter)

    def _wait_turn(self) -> None:
        now = time.monotonic()
        if self._gap_s and now < self._next_start:
            self._sleep(self._next_start - now)
        self._next_start = max(now, self._next_start) + self._gap_s

    def _redirect(self, url: str, reply: Reply) -> str:
        target = requests.compat.urljoin(url, reply.headers.get("location", ""))
        if urlsplit(target)[:2] != urlsplit(url)[:2]:
            raise StopHarvest(
                "redirect", f"{self.base} redirects to another address; put the right one into the federation file."
            )
        return str(target)

    def _call(self, method: str, url: str, **options: Any) -> Reply:
        try:
            checked_url(url, private=self._private)
        except BadInput as error:
            raise StopHarvest("address", error.message) from None
        self.requests += 1
        host = urlsplit(url).hostname
        headers = {
            "User-Agent": AGENT,
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            **(options.pop("headers", None) or {}),
        }
        times = (self.patience.connect_s, self.patience.first_byte_s)
        try:
            with (
                _deadline(self.patience.total_s, self._gate) as late,
                self._session.request(
                    method, url, headers=headers, stream=True, allow_redirects=False, timeout=times, **options
                ) as response,
            ):
                body = arrived(response, self.patience, self.base)
                if late.is_set():
                    raise Broken(f"{host} did not finish its answer in time.")
                found = {name.lower(): value for name, value in response.headers.items()}
                return Reply(response.status_code, found, body, _date(found.get("date", "")))
        except requests.RequestException as error:
            if _is_refused(error):
                raise StopHarvest(
                    "address", f"{host} leads to a private address; set allowPrivateAddress if that is meant."
                ) from None
            raise Broken(f"{host} did not answer: {_plain(error)}.") from None
        except (HTTPError, OSError, zlib.error) as error:
            raise Broken(f"{host} broke off its answer: {_plain(error)}.") from None


@contextmanager
def _deadline(seconds: float, gate: Gate) -> Iterator[threading.Event]:
    """Within it, every open socket of the gate is ended when the time is up; the event tells that it was."""
    late = threading.Event()

    def end() -> None:
        late.set()
        gate.cut()

    alarm = threading.Timer(seconds, end)
    alarm.daemon = True
    alarm.start()
    try:
        yield late
    finally:
        alarm.cancel()


def _is_transient(reply: Reply) -> bool:
    return reply.status in TRANSIENT


def retry_after(text: str, now: datetime) -> float | None:
    """Seconds a Retry-After header asks for (RFC 9110, 10.2.3), kept within a second and an hour; None when it says nothing sane."""
    if text.strip().isdigit():
        asked = float(int(text.strip()[:12]))
    else:
        date = _date(text)
        if date is None:
            return None
        asked = (date - now).total_seconds()
    return min(3600.0, max(1.0, asked))


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _is_refused(error: BaseException) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, AddressRefused) or isinstance(getattr(seen, "reason", None), AddressRefused):
            return True
        if seen.args and isinstance(seen.args[0], BaseException) and _is_refused(seen.args[0]):
            return True
        seen = seen.__cause__
    return False


def _plain(error: BaseException) -> str:
    """A transport fault in words without addresses or object names."""
    words = {
        "ConnectTimeout": "no connection in time",
        "ReadTimeout": "no answer in time",
        "ConnectionError": "no connection",
        "ChunkedEncodingError": "the answer was cut",
        "SSLError": "its certificate is not accepted",
        "ProtocolError": "the answer was cut",
    }
    return words.get(type(error).__name__, "the connection broke")
