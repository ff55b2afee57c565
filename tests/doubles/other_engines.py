"""Plays servers that are not what PANGATE_INDEX should name, in the shapes of the documentation of Elasticsearch 7.17, 8.19 and 9 (nodes
info, security exceptions): an old one, one that refuses the login, one that holds an index of another mapping, and none at all."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, Any]


def node(version: str) -> Answer:
    """What a node of that version says of itself."""
    return 200, {"nodes": {"n1": {"version": version}}}


REFUSED: Answer = (401, {"error": {"type": "security_exception", "reason": "unable to authenticate"}, "status": 401})
MISSING: Answer = (404, {"error": {"type": "aliases_not_found_exception", "reason": "missing"}, "status": 404})


@dataclass
class Engine:
    """A server on the loopback. `answers` are by the beginning of the path; `asked` is what came."""

    answers: Mapping[str, Answer]
    product: bool = True
    port: int = 0
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def engine(answers: Mapping[str, Answer], *, product: bool = True) -> Iterator[Engine]:
    """The server while it lasts. Without `product` it does not say that it is Elasticsearch."""
    played = Engine(answers, product)

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            played.asked.append(f"{self.command} {self.path}")
            status, body = next((it for start, it in played.answers.items() if self.path.startswith(start)), MISSING)
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            if played.product:
                self.send_header("x-elastic-product", "Elasticsearch")
            self.end_headers()
            self.wfile.write(data)

        do_PUT = do_POST = do_DELETE = do_GET

        def log_message(self, *_: object) -> None:
            """Be quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        played.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield played
        finally:
            server.shutdown()
            thread.join(10)
