"""Who asks to be left alone for some seconds (429 or 503 with Retry-After) is left alone so long, whatever is asked again."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
import strategies as made
from contracts.index import dataset
from doubles.tollgate import AWAY, BUSY, tollgate
from elastic_transport import ApiResponseMeta, HttpHeaders, NodeConfig
from elasticsearch import ApiError

from catalogue.index.elastic import ElasticIndex
from catalogue.index.elastic_bulk import CAP_SECONDS, Insistent, Writer
from catalogue.index.elastic_client import (
    Absent,
    Busy,
    Cluster,
    Connection,
    Refused,
    Request,
    Unassigned,
    Unsure,
    told,
)
from catalogue.index.elastic_generations import Generation, Layout
from catalogue.index.vocabulary import NoTechniques

MAKE = Request("PUT", "/an-index", {}, patient=True)


class Burdened:
    """A cluster that is busy so many times, then does what it is asked."""

    def __init__(self, times: int, after: float) -> None:
        self._left, self._after = times, after

    def send(self, request: Request) -> Any:
        self._left -= 1
        if self._left >= 0:
            raise Busy("429", after=self._after)
        return {"items": [{"index": {"status": 201}}], "docs": []}


class Empty:
    """A cluster without indexes, as far as names go: two who look at the same time both find none."""

    def __init__(self) -> None:
        self._both = threading.Barrier(2)
        self._names: list[str] = []
        self.marks: list[int] = []
        self.begun: set[str] = set()

    def send(self, request: Request) -> Any:
        if request.path.startswith("/_alias/") and not self._names:
            with suppress(threading.BrokenBarrierError):
                self._both.wait(0.5)
            if not self._names:
                raise Absent("none")
        if request.path.startswith("/_alias/"):
            return {name: {} for name in self._names}
        if request.path.endswith("/_doc/mark"):
            self.marks.append(request.body["mark"])  # type: ignore[index, call-overload]
        if request.path == "/_aliases":
            added = [action["add"]["index"] for action in request.body["actions"] if "add" in action]  # type: ignore[index, call-overload]
            self.begun |= set(added)
            self._names = [name for name in added if name.endswith("-public")]
        return {}


def test_two_batches_that_come_first_begin_one_index() -> None:
    index = ElasticIndex(Connection("http://127.0.0.1:9"), Layout("x", template=False))
    cluster = Empty()
    index._insistent = cluster  # type: ignore[assignment]
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(index.apply, (), 0) for _ in range(2)]:
            done.result()
    assert len(cluster.begun) == 2, "its two sides, and no other"
    index.close()


@pytest.mark.parametrize("answer", [BUSY, AWAY])
def test_a_busy_server_says_when_to_come_back(answer: str) -> None:
    with tollgate("http://127.0.0.1:9", lambda _asked: answer) as gate:
        cluster = Cluster(Connection(gate.url))
        with pytest.raises(Busy) as told:
            cluster.send(MAKE)
        cluster.close()
    assert told.value.after == 1


def test_a_bulk_comes_back_when_it_was_told_to_and_not_before() -> None:
    pauses: list[float] = []
    generation = Generation("x-v1-20260101000000000000-00000000")
    writer = Writer(Burdened(3, 40.0), generation, NoTechniques(), print, pause=pauses.append)  # type: ignore[arg-type]
    writer.write(writer.rows([made.entry(dataset(1), 1)]))
    assert pauses == [40.0] * 3
    pauses.clear()
    writer = Writer(Burdened(3, 0.0), generation, NoTechniques(), print, pause=pauses.append)  # type: ignore[arg-type]
    writer.write(writer.rows([made.entry(dataset(1), 1)]))
    assert len(pauses) == 3
    assert max(pauses) <= CAP_SECONDS


def test_what_is_asked_again_is_told_with_its_reason() -> None:
    told: list[str] = []
    generation = Generation("x-v1-20260101000000000000-00000000")
    answers: list[Any] = [Busy("429"), Unsure("cut off"), {"items": [{"index": {"status": 429, "error": {}}}]}, None]

    class Moody(Burdened):
        def send(self, request: Request) -> Any:
            answer = answers.pop(0) if answers else None
            if isinstance(answer, Exception):
                raise answer
            return answer or super().send(request)

    cluster: Any = Moody(0, 0.0)
    writer = Writer(cluster, generation, NoTechniques(), print, pause=lambda _: None, retried=told.append)
    writer.write(writer.rows([made.entry(dataset(1), 1)]))
    assert told == ["busy", "silent", "put off"]
    assert answers == []


@pytest.mark.parametrize(
    ("status", "kind", "meant"),
    [
        (404, "index_not_found_exception", Absent),
        (503, "index_not_found_exception", Absent),  # of a search whose index is dropped while its shards are asked
        (503, "no_shard_available_action_exception", Unassigned),
        (503, "illegal_index_shard_state_exception", Unassigned),  # its shard is being started
        (503, "search_phase_execution_exception", Unassigned),  # of a point in time, without any root cause
        (503, "cluster_block_exception", Busy),
        (429, "es_rejected_execution_exception", Busy),
        (400, "parsing_exception", Refused),
    ],
)
def test_an_index_that_goes_is_told_from_a_server_that_is_busy(status: int, kind: str, meant: type[Exception]) -> None:
    meta = ApiResponseMeta(status, "1.1", HttpHeaders(), 0.1, NodeConfig("http", "127.0.0.1", 9))
    error = ApiError(kind, meta, {"error": {"root_cause": [{"type": kind, "reason": "r"}], "type": "outer"}})
    assert type(told(error, "here")) is meant


def test_an_index_is_made_though_the_server_is_busy_for_a_while_and_a_search_is_not_asked_again() -> None:
    pauses: list[float] = []
    Insistent(Burdened(5, 2.0), pauses.append).send(MAKE)  # type: ignore[arg-type]
    assert len(pauses) == 5
    assert min(pauses) >= 2
    with pytest.raises(Busy):
        Insistent(Burdened(99, 0.0), pauses.append).send(MAKE)  # type: ignore[arg-type]
    pauses.clear()
    with pytest.raises(Busy):
        Insistent(Burdened(1, 2.0), pauses.append).send(Request("POST", "/_search", {}))  # type: ignore[arg-type]
    assert pauses == []
