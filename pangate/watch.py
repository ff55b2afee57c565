"""This file is how a process without a page is watched: /livez, /readyz and /metrics on a port of its own, and the wait for the signal."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from pangate.settings import Settings

Wrong = Callable[[], list[str]]
Parts = Callable[[], dict[str, str]]


@contextmanager
def watching(settings: Settings, wrong: Wrong, parts: Parts) -> Iterator[None]:
    """While it lasts, PANGATE_METRICS_PORT (if it is set) answers: /livez with 200, or 503 and what hangs; /readyz with 200, or 503
    when a part that it works with is not "ok"; /metrics with the figures."""
    if settings.metrics_port is None:
        yield
        return
    server = ThreadingHTTPServer((settings.host, settings.metrics_port), _answers(wrong, parts))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="watch", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(timeout=5)


def until_told(alive: Callable[[], bool] = lambda: True) -> None:
    """Wait for SIGTERM or Ctrl-C, or for something to have died."""
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    while alive() and not told.wait(1.0):
        pass


def _answers(wrong: Wrong, parts: Parts) -> type[BaseHTTPRequestHandler]:
    class Answers(BaseHTTPRequestHandler):
        timeout = 10
        server_version, sys_version = "pangate", ""

        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._send(200, CONTENT_TYPE_LATEST, generate_latest())
            elif self.path == "/livez":
                hangs = wrong()
                self._tell({"status": "hangs", "what": hangs} if hangs else {"status": "ok"}, not hangs)
            elif self.path == "/readyz":
                seen = parts()
                well = all(state == "ok" for state in seen.values())
                self._tell({"status": "ok" if well else "unavailable", "parts": seen}, well)
            else:
                self._send(404, "text/plain", b"There are /livez, /readyz and /metrics.\n")

        def log_message(self, *_: object) -> None:
            """Nobody reads who asked."""

        def _tell(self, body: dict[str, object], well: bool) -> None:
            self._send(200 if well else 503, "application/json", json.dumps(body).encode())

        def _send(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Answers
