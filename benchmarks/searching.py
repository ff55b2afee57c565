"""This file measures a search over HTTP and GraphQL against the same question to the bare index, and what memory the server takes."""

from __future__ import annotations

import http.client
import statistics
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import orjson

from benchmarks.house import anonymous_mib, served
from benchmarks.measure import Result, spread
from benchmarks.question import QUERY, search, variables
from catalogue.ports import Index


class _Client:
    """One connection that is kept."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)

    def ask(self, body: bytes) -> bytes:
        """The bytes of an answer."""
        self._connection.request("POST", "/graphql", body, {"Content-Type": "application/json"})
        reply = self._connection.getresponse()
        found = reply.read()
        assert reply.status == 200, found
        return found


def measure(folder: Path, index: Index, words: Sequence[str], times: int, searches: int) -> list[Result]:
    """The ratio of the medians, and RssAnon after so many searches."""
    with served(folder) as (address, pid):
        client = _Client(address)
        bodies = {word: orjson.dumps({"query": QUERY, "variables": variables(word)}) for word in words}
        begun = anonymous_mib(pid)
        whole, bare = _alternately(client, index, bodies, times)
        done = 2 * times * len(words)
        for at in range(max(0, searches - done)):
            client.ask(bodies[words[at % len(words)]])
        memory = anonymous_mib(pid)
    ratio = statistics.median(whole) / statistics.median(bare)
    details = {"http_ms": statistics.median(whole) * 1e3, "index_ms": statistics.median(bare) * 1e3}
    return [
        Result(
            "search through HTTP and GraphQL, p50 over that of the bare index",
            "≤ 1.5", ratio, "times", ratio <= 1.5, spread(whole), spread(bare), details,
        ),
        Result(
            f"RssAnon of `pangate serve` after {searches} searches",
            "≤ 300", memory, "MiB", memory <= 300, 0.0, None, {"at_start_mib": begun},
        ),
    ]  # fmt: skip


def _alternately(
    client: _Client, index: Index, bodies: dict[str, bytes], times: int
) -> tuple[list[float], list[float]]:
    """Seconds of each search, over HTTP and bare; each once before, and the total must be the same."""
    for word, body in bodies.items():
        answer = orjson.loads(client.ask(body))
        assert answer["data"]["datasets"]["totalCount"] == index.search(search(word)).total > 0, answer
    whole: list[float] = []
    bare: list[float] = []
    for _ in range(times):
        for word, body in bodies.items():
            began = time.perf_counter()
            client.ask(body)
            middle = time.perf_counter()
            index.search(search(word))
            bare.append(time.perf_counter() - middle)
            whole.append(middle - began)
    return whole, bare
