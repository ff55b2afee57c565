"""This file stands in for an icat.server 6.2 whose pages are rendered beforehand: it measures the harvester, not itself.

It gives the answers of demo.icat, which was compared with recorded replies: what was asked for the first time is asked there, and what was
asked before leaves as it was kept, whatever the session. A GET of /asked tells, in order, what was asked since the last time that it was.
"""

from __future__ import annotations

import http.client
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

import orjson

from demo.icat import content
from demo.icat.server import serve as demo
from demo.icat.store import Store

LOGIN = {"plugin": "db", "username": "reader", "password": "BENCH_READER"}
SECRET = "reader-secret"
_KEPT = ("/icat/entityManager", "/icat/version", "/icat/properties")

Answer = tuple[int, str, bytes]


def question(path: str) -> str:
    """What is asked by a path, whoever asks."""
    parts = urlsplit(path)
    query = parse_qs(parts.query)
    query.pop("sessionId", None)
    return f"{parts.path}?{urlencode(query, doseq=True)}"


class Shelf:
    """The answers known so far; others are fetched from the demo's server."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._known: dict[str, Answer] = {}
        self._asked: list[str] = []

    def answer(self, method: str, path: str, body: bytes, media: str) -> Answer:
        """What the server says."""
        if path == "/asked":
            told, self._asked = self._asked, []
            return 200, "application/json", orjson.dumps(told)
        if method != "GET" or not path.startswith(_KEPT):
            return self._fetched(method, path, body, media)
        key = question(path)
        self._asked.append(key)
        if key not in self._known:
            self._known[key] = self._fetched(method, path, body, media)
        return self._known[key]

    def _fetched(self, method: str, path: str, body: bytes, media: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=300)
        connection.request(method, path, body or None, {"Content-Type": media} if media else {})
        reply = connection.getresponse()
        found = (reply.status, reply.headers.get("Content-Type", ""), reply.read())
        connection.close()
        return found


def serve(datasets: int) -> None:
    """Serve a facility of so many datasets on a free port of this machine, told on standard output, until killed."""
    store = Store()
    content.fill(store, datasets=datasets, password=SECRET)
    with demo(store) as url:
        shelf = Shelf(urlsplit(url).port or 0)

        class Answers(BaseHTTPRequestHandler):
            """One connection."""

            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                self._send()

            def do_POST(self) -> None:
                self._send()

            def do_PUT(self) -> None:
                self._send()

            def do_DELETE(self) -> None:
                self._send()

            def _send(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                media = self.headers.get("Content-Type", "")
                status, kind, found = shelf.answer(self.command, self.path, body, media)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(found)))
                self.end_headers()
                self.wfile.write(found)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing is told."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        sys.stdout.write(f"{server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]))
