"""This file is who asks the same question: over HTTP and GraphQL, of the bare embedded index in a process of its own, of Elasticsearch
directly."""

from __future__ import annotations

import http.client
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import orjson

from benchmarks.question import BEGINNINGS, QUERY, SUGGEST, search, variables
from catalogue.index import elastic_search
from catalogue.index.elastic_client import Cluster, Connection, run
from catalogue.index.elastic_generations import Layout, current
from catalogue.index.elastic_views import opened
from catalogue.index.embedded import EmbeddedIndex
from schema.techniques import default

_TRIES = 10
_ROOT = Path(__file__).resolve().parent.parent


class Failed(RuntimeError):
    """The answer was an error; the message says which."""


class Asker(Protocol):
    """Somebody who asks for a word: seconds and matches."""

    def ask(self, word: str, /) -> tuple[float, int]:
        """The seconds that the answer took, and how many datasets match."""


class Line:
    """One HTTP connection that is kept."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)

    def close(self) -> None:
        """Hang up: a server that ends waits for whoever still holds a line."""
        self._connection.close()

    def send(self, path: str, body: bytes) -> bytes:
        """The bytes of an answer."""
        self._connection.request("POST", path, body, {"Content-Type": "application/json"})
        reply = self._connection.getresponse()
        found = reply.read()
        if reply.status != 200:
            raise Failed(found.decode(errors="replace"))
        return found


class Gateway:
    """Through HTTP and GraphQL."""

    def __init__(self, address: str) -> None:
        self.line = Line(address)
        self._bodies: dict[str, bytes] = {}

    def ask(self, word: str) -> tuple[float, int]:
        """As the protocol says; the whole answer has arrived."""
        if word not in self._bodies:
            self._bodies[word] = orjson.dumps({"query": QUERY, "variables": variables(word)})
        began = time.perf_counter()
        found = self.line.send("/graphql", self._bodies[word])
        took = time.perf_counter() - began
        told = orjson.loads(found)
        if "errors" in told:
            raise Failed(str(told["errors"]))
        return took, int(told["data"]["datasets"]["totalCount"])

    def complete(self, text: str) -> float:
        """Seconds of a suggestion."""
        body = orjson.dumps({"query": SUGGEST, "variables": {"text": text}})
        began = time.perf_counter()
        found = self.line.send("/graphql", body)
        took = time.perf_counter() - began
        assert "errors" not in orjson.loads(found), text
        return took


class Direct:
    """The same `_search` sent to Elasticsearch by a bare connection, ready-made: the call that answers hits, totals and facets."""

    def __init__(self, url: str, layout: Layout, words: Sequence[str]) -> None:
        self._line = Line(url)
        cluster = Cluster(Connection(url))
        try:
            generation = run(cluster, current(layout))
            assert generation is not None
            view = run(cluster, opened(generation, public=True))
        finally:
            cluster.close()
        self.asked: dict[str, tuple[str, bytes]] = {}
        for word in words:
            request = next(elastic_search.answer(search(word), view, default()))
            parameters = "&".join(f"{name}={value}" for name, value in request.params.items())
            self.asked[word] = f"{request.path}?{parameters}", orjson.dumps(request.body)

    def ask(self, word: str) -> tuple[float, int]:
        """As the protocol says."""
        began = time.perf_counter()
        found = self._line.send(*self.asked[word])
        took = time.perf_counter() - began
        return took, int(orjson.loads(found)["hits"]["total"]["value"])


class Bare:
    """The embedded index in a process of its own, which takes the time itself."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, word: str) -> tuple[float, int]:
        """As the protocol says."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{word}\n")
        self._process.stdin.flush()
        took, total = self._process.stdout.readline().split()
        return float(took), int(total)


@contextmanager
def bare(data: Path) -> Iterator[Bare]:
    """The bare index over a data folder."""
    command = [sys.executable, "-m", "benchmarks.asking", str(data / "index")]
    process = subprocess.Popen(command, cwd=_ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        yield Bare(process)
    finally:
        process.communicate(timeout=30)


def answer_lines(folder: Path) -> None:
    """The other side of `Bare`: a word a line in, seconds and matches out."""
    index = EmbeddedIndex(folder, writable=False, techniques=default())
    for line in sys.stdin:
        asked = search(line.strip())
        began = time.perf_counter()
        found = index.search(asked)
        print(time.perf_counter() - began, found.total, flush=True)
    index.close()


@dataclass(frozen=True)
class Turns:
    """Seconds by word: of the whole, of the reference before it, and of the reference again after it; and the matches of each."""

    whole: Mapping[str, list[float]]
    before: Mapping[str, list[float]]
    after: Mapping[str, list[float]]
    matches: dict[str, int]

    def ratios(self) -> list[float]:
        """Whole over reference, pair by pair: both were asked for the same word, one right after the other."""
        return _over(self.whole, self.before)

    def noise(self) -> list[float]:
        """The reference over itself, pair by pair."""
        return _over(self.after, self.before)

    def middle(self, seconds: Mapping[str, list[float]]) -> float:
        """The median of the words' medians."""
        return statistics.median(statistics.median(some) for some in seconds.values())


def _over(one: Mapping[str, list[float]], other: Mapping[str, list[float]]) -> list[float]:
    return [first / second for word in one for first, second in zip(one[word], other[word], strict=True)]


def in_turns(whole: Asker, reference: Asker, words: Sequence[str], times: int) -> Turns:
    """Both asked for every word in turn so many times; each was asked once before, and both must find as many."""
    told = Turns({word: [] for word in words}, {word: [] for word in words}, {word: [] for word in words}, {})
    for word in words:
        told.matches[word] = first(whole, word)
        assert told.matches[word] == reference.ask(word)[1] > 0, word
    for _ in range(times):
        for word in words:
            told.before[word].append(reference.ask(word)[0])
            told.whole[word].append(whole.ask(word)[0])
            told.after[word].append(reference.ask(word)[0])
    return told


def first(asker: Asker, word: str) -> int:
    """Matches of a word that may not have been asked for yet: a cold engine may take longer than a reader is kept waiting."""
    for _ in range(_TRIES - 1):
        try:
            return asker.ask(word)[1]
        except Failed as error:
            print(f"{word}: {error}", file=sys.stderr)
            time.sleep(2)
    return asker.ask(word)[1]


def completing(gateway: Gateway, times: int) -> list[float]:
    """Seconds of suggestions for every beginning, each asked once before."""
    for text in BEGINNINGS:
        gateway.complete(text)
    return [gateway.complete(text) for _ in range(times) for text in BEGINNINGS]


if __name__ == "__main__":
    answer_lines(Path(sys.argv[1]))
