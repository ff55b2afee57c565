"""This file stands in for a SciCat backend 4.x (API v3) whose pages are rendered beforehand: it measures the harvester, not itself.

How it answers is taken from demo.scicat, which was compared with recorded replies. It knows the lists, the filters and the order that
our harvester uses, and no others. A POST to /touch/<n> changes n datasets, spread evenly.
"""

from __future__ import annotations

import bisect
import re
import sys
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from benchmarks.records import FEWEST
from demo.scicat import dress, freya
from demo.scicat.engine import Page
from demo.scicat.store import Store

_FIRST = datetime(2016, 1, 1, tzinfo=UTC)
_YEARS = timedelta(days=3_650)
_OWN = ("pid", "_id", "datasetName", "updatedAt")


def models(count: int) -> list[dict[str, Any]]:
    """Published datasets of the demo, as the backend sends them."""
    store = Store()
    freya.fill(store, count)
    sent = (dress.dataset(raw, store.release, store.started) for raw in store.engine.find("Dataset", {}, Page()))
    return [each for each in sent if each.get("isPublished")]


class Shelf:
    """So many datasets in the order of their pids, each the JSON of a demo dataset behind a head of its own."""

    def __init__(self, count: int, patterns: int) -> None:
        found = models(max(patterns, FEWEST))
        tails = [orjson.dumps({k: v for k, v in each.items() if k not in _OWN})[1:] for each in found]
        self.names = [each.get("datasetName") or "run" for each in found]
        self.pids = [f"20.500.99001/b{number:07}" for number in range(count)]
        self.times = [_zulu(_FIRST + _YEARS * (number / count)) for number in range(count)]
        self.versions = [0] * count
        self._tails = [tails[number % len(tails)] for number in range(count)]

    def touch(self, count: int) -> None:
        """Change so many, spread evenly."""
        for at in range(0, len(self.pids), max(1, len(self.pids) // count))[:count]:
            self.versions[at] += 1
            self.times[at] = _zulu(datetime.now(UTC))

    def page(self, asked: dict[str, Any]) -> bytes:
        """The JSON list that a filter asks for."""
        where, limit = asked.get("where", {}), asked["limits"]["limit"]
        rows = self._rows(where.get("pid", {}), where.get("updatedAt", {}).get("$gte"), limit)
        if "fields" in asked:
            return orjson.dumps([{"pid": self.pids[at], "updatedAt": self.times[at]} for at in rows])
        return b"[" + b",".join([self._document(at) for at in rows]) + b"]"

    def _rows(self, pid: dict[str, Any], since: str | None, limit: int) -> list[int]:
        if "$in" in pid:
            return [bisect.bisect_left(self.pids, each) for each in sorted(pid["$in"]) if each in self.pids]
        if "$regex" in pid:  # how the harvester asks again at the end of a list: for every text beyond the last
            wanted = re.compile(pid["$regex"])
            return [at for at in (len(self.pids) - 1,) if wanted.match(self.pids[at])]
        start = bisect.bisect_right(self.pids, pid.get("$gt", ""))
        if since is None:
            return list(range(start, min(start + limit, len(self.pids))))
        return [at for at in range(start, len(self.pids)) if self.times[at] >= since][:limit]

    def _document(self, at: int) -> bytes:
        name = f"{self.names[at % len(self.names)]} {at}.{self.versions[at]}"
        head = {"pid": self.pids[at], "_id": self.pids[at], "datasetName": name, "updatedAt": self.times[at]}
        return orjson.dumps(head)[:-1] + b"," + self._tails[at]


def _zulu(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def serve(count: int, patterns: int) -> None:
    """Serve on a free port of this machine, told on standard output, until killed."""
    shelf = Shelf(count, patterns)

    class Answers(BaseHTTPRequestHandler):
        """One connection."""

        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path.endswith("/datasets"):
                self._send(shelf.page(orjson.loads(parse_qs(parts.query)["filter"][0])))
            else:
                self._send(b"{}" if parts.path.endswith("/health") else b"[]")

        def do_POST(self) -> None:
            shelf.touch(int(self.path.rpartition("/")[2]))
            self._send(b"{}")

        def _send(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing is told."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    sys.stdout.write(f"{server.server_address[1]}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
