"""Who reads while indexes are made, swapped and dropped, or while a shard is away: what a node says then is played (seen at 8.19.9 and
9.2.0, hundreds of swaps under constant reading), and a real one is asked at the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import httpx
import pytest
from contracts.index import asked, dataset, write
from servers.elasticsearch import Elasticsearch

from catalogue.index.elastic import ElasticIndex
from catalogue.index.elastic_async import AsyncElasticIndex
from catalogue.index.elastic_client import Absent, Connection, Request, Unassigned, run
from catalogue.index.elastic_generations import Generation, Layout, created
from catalogue.index.elastic_mapping import FORMAT, mappings
from catalogue.index.elastic_reading import PAUSES, Reading
from catalogue.index.vocabulary import NoTechniques
from catalogue.query import Found, Position, Search, Sort
from schema.errors import CursorExpired, Unavailable
from schema.records import Kind

LAYOUT = Layout("films", template=False)
OLD, USED, BUILT = (Generation(f"films-v{FORMAT}-2026112212000000000{at}-0123456{at}") for at in range(3))
CALLED = "0123456789abcdef01234567"
READ_ON = asked("film", after=Position(CALLED, Sort.RELEVANCE, "1.0", "a", 1))
AWAY, GONE = Unassigned("no_shard_available_action_exception"), Absent("index_not_found_exception")
NOTHING = {"aggregations": {"source": {"values": {"buckets": []}}}, "hits": {"total": {"value": 0}, "hits": []}}
Make = Callable[..., ElasticIndex]


class Server:
    """A server in which `USED` is in use and `OLD` is kept, while `BUILT` is being made: nothing of that one answers. `fails` are raised
    one after the other when a path ends with `at`; then comes an answer. `found`: what an `_mget` says of each document."""

    def __init__(self, at: str = "", fails: Iterable[Exception] = (), noted: Generation | None = None) -> None:
        self._at, self._fails, self._noted = at, iter(fails), noted
        self.found: Iterator[dict[str, Any]] = iter(())
        self.asked: list[str] = []

    def send(self, request: Request) -> Any:
        self.asked.append(request.path)
        if BUILT.stem in request.path:
            raise AWAY
        if self._at and request.path.endswith(self._at):
            for failure in self._fails:
                raise failure
        return self._answer(request.path)

    def _answer(self, path: str) -> Any:
        last = path.rsplit("/", 1)[1]
        if path.startswith("/_alias/"):
            return {USED.public: {}}
        if path == "/films-v*":
            return {name: {} for one in (OLD, USED, BUILT) for name in (one.public, one.restricted)}
        if last == "mark":
            return {"_index": USED.restricted, "_seq_no": 1, "_source": {"mark": 7}}
        if last == f"view.{CALLED}":
            if self._noted is None or self._noted.stem not in path:
                raise Absent("no such document")
            return {"_source": {"pit": {"name": CALLED, "id": "noted", "public": True}}}
        if last == "_mget":
            return {"docs": [next(self.found)]}
        return {"id": "pit"} if last == "_pit" else NOTHING


class Waiting:
    """A reader of such a server, and the seconds that it has waited."""

    def __init__(self, server: Server) -> None:
        self.pauses: list[float] = []
        self.reading = Reading(LAYOUT, NoTechniques(), time.monotonic)
        self._server = server

    def search(self, search: Search) -> Found:
        return run(self._server, self.reading.search(search), self.pauses.append)

    def documents(self) -> dict[str, bytes]:
        steps = self.reading.documents(Kind.DATASET, ["a"], frozenset())
        return run(self._server, steps, self.pauses.append)


@pytest.mark.parametrize("at", ["_search", "_pit", "mark"])
@pytest.mark.parametrize("fails", [[AWAY], [GONE], [GONE, AWAY, GONE, AWAY, AWAY]])
def test_a_search_whose_index_goes_or_comes_is_asked_anew_at_once_and_then_after_growing_pauses(
    at: str, fails: list[Exception]
) -> None:
    server = Server(at, fails if at != "mark" else [AWAY] * len(fails))
    reader = Waiting(server)
    assert reader.search(Search()).total == 0
    assert sum(path.endswith("/mark") for path in server.asked) == len(fails) + 1, (
        "which index is in use is asked each time"
    )
    assert reader.pauses == list(PAUSES[: len(fails)])
    assert (PAUSES[0], sorted(PAUSES)) == (0, list(PAUSES))


def test_a_shard_that_stays_away_is_told_within_a_second() -> None:
    reader = Waiting(Server("_pit", [AWAY] * 99))
    with pytest.raises(Unassigned):
        reader.search(Search())
    assert reader.pauses == list(PAUSES)
    assert 0.5 < sum(PAUSES) < 1
    with pytest.raises(Unavailable, match="faster"):
        Waiting(Server("_search", [GONE] * 99)).search(Search())


def test_a_list_whose_state_is_being_dropped_is_told_to_begin_again_and_not_that_the_server_is_busy() -> None:
    """While its index is dropped a node has no shard for it, and then no index."""
    reader = Waiting(Server("_search", [AWAY, AWAY, GONE], noted=USED))
    with pytest.raises(CursorExpired):
        reader.search(READ_ON)
    assert reader.pauses == list(PAUSES[:2])


def test_a_list_whose_shard_comes_back_is_read_on_and_one_whose_shard_does_not_is_unavailable() -> None:
    assert Waiting(Server("_search", [AWAY], noted=USED)).search(READ_ON).total == 0
    with pytest.raises(Unassigned):
        Waiting(Server("_search", [AWAY] * 99, noted=USED)).search(READ_ON)


@pytest.mark.parametrize("noted", [OLD, USED])
def test_what_another_process_has_noted_is_not_looked_for_in_an_index_that_is_being_built(noted: Generation) -> None:
    server = Server(noted=noted)
    assert Waiting(server).search(READ_ON).total == 0
    assert not [path for path in server.asked if BUILT.stem in path]
    with pytest.raises(CursorExpired):
        Waiting(Server()).search(READ_ON)


@pytest.mark.parametrize("kind", ["index_not_found_exception", "no_shard_available_action_exception"])
def test_documents_are_never_missing_because_their_index_or_shard_is(kind: str) -> None:
    """An `_mget` answers 200 all the same, with an error at each document."""
    failed = {"_id": "x", "error": {"type": kind}}
    server = Server()
    server.found = iter([failed, failed, {"_id": "dataset a", "found": False}])
    reader = Waiting(server)
    assert reader.documents() == {}
    assert reader.pauses == list(PAUSES[:2])
    server.found = iter([failed] * 99)
    with pytest.raises(Unavailable):
        reader.documents()


class Awaited(Server):
    """The same for an event loop."""

    async def send(self, request: Request) -> Any:
        return super().send(request)

    async def close(self) -> None:
        """Nothing is open."""


def reader_of(server: Awaited, patience: float) -> AsyncElasticIndex:
    index = AsyncElasticIndex(Connection("http://127.0.0.1:9"), LAYOUT, patience=patience)
    index._cluster = server  # type: ignore[assignment]
    return index


async def test_those_who_wait_for_a_shard_hold_up_nobody_and_not_each_other() -> None:
    away, well = reader_of(Awaited("_pit", [AWAY] * 9_999), 4), reader_of(Awaited(), 4)
    began = time.monotonic()
    waiting = [asyncio.create_task(away.search(Search())) for _ in range(200)]
    await asyncio.sleep(0)
    assert (await well.search(Search())).total == 0
    assert not any(one.done() for one in waiting)
    told = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(one) for one in told} == {Unassigned}
    assert time.monotonic() - began < 3, "all of them together, and not 200 times a pause"


async def test_who_may_wait_for_a_moment_only_is_told_after_that() -> None:
    index = reader_of(Awaited("_pit", [AWAY] * 99), 0.1)
    began = time.monotonic()
    with pytest.raises(Unavailable, match=r"0\.1 s"):
        await index.search(Search())
    assert time.monotonic() - began < sum(PAUSES)


def test_an_index_whose_shards_find_no_place_is_dropped_and_never_swapped_in() -> None:
    class Full:
        def __init__(self) -> None:
            self.asked: list[str] = []

        def send(self, request: Request) -> Any:
            self.asked.append(request.method)
            return {"shards_acknowledged": False} if request.method == "PUT" else {}

    server = Full()
    with pytest.raises(Unavailable, match="allocation/explain"):
        run(server, created(LAYOUT))
    assert server.asked == ["GET", "PUT", "DELETE"]


@pytest.mark.elasticsearch
@pytest.mark.timeout(600)
def test_a_real_shard_that_is_away_is_told_soon_whatever_is_asked_and_all_goes_on_when_it_comes(
    make: Make, stem: str, elasticsearch: Elasticsearch
) -> None:
    index = make(pause=time.sleep)
    write(index, *(dataset(at, title="film") for at in range(4)))
    assert index.search(Search()).total == 4
    with httpx.Client(base_url=elasticsearch.url, timeout=60) as server:
        (name,) = server.get(f"/_alias/{stem}-public").json()
        server.delete(f"/{name}").raise_for_status()
        nowhere = {"index.routing.allocation.require.rack": "nowhere"}
        made = {"settings": nowhere, "mappings": mappings(), "aliases": {f"{stem}-public": {}}}
        server.put(f"/{name}?timeout=0s", json=made).raise_for_status()
        for ask in (
            lambda: index.search(Search()),
            lambda: index.get(Kind.DATASET, "north/dataset/0001", frozenset()),
            index.counts,
        ):
            began = time.monotonic()
            with pytest.raises(Unassigned):
                ask()
            assert sum(PAUSES) < time.monotonic() - began < 3
        server.put(f"/{name}/_settings", json=dict.fromkeys(nowhere)).raise_for_status()
        server.get(f"/_cluster/health/{name}?wait_for_status=yellow").raise_for_status()
    assert (index.search(Search()).total, index.counts()) == (0, {})
