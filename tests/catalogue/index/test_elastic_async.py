"""The event loop's reading half on a real node, behind addresses that hang or that nobody listens at: nobody waits for another."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import oracle
import pytest
from contracts.index import asked, dataset, numbers, write
from doubles.tollgate import HANG, PASS, Asked, Tollgate, searches, tollgate
from servers.elasticsearch import Elasticsearch, free_port
from servers.wiping import made_name, wipe

from catalogue.index.elastic import ElasticIndex
from catalogue.index.elastic_addresses import Address
from catalogue.index.elastic_async import AsyncCluster, AsyncElasticIndex
from catalogue.index.elastic_client import Connection
from catalogue.index.elastic_generations import Layout
from catalogue.query import Search
from schema.errors import Misconfigured, Unavailable
from schema.records import Kind

pytestmark = [pytest.mark.elasticsearch, pytest.mark.timeout(600)]
MANY = 200


class Filled:
    """An index of ten films, gates before its node, and readers at any addresses."""

    def __init__(self, node: Elasticsearch, stem: str, opened: ExitStack) -> None:
        self._node, self._layout, self._opened = node, Layout(stem, template=False), opened
        self._write(*range(10), start=1)

    def _write(self, *numbers: int, start: int) -> None:
        index = ElasticIndex(Connection(self._node.url), self._layout)
        write(index, *(dataset(at, title="film") for at in numbers), start=start)
        index.close()

    def change(self) -> None:
        """An eleventh film."""
        self._write(10, start=11)

    def gate(self, rule: Callable[[Asked], str]) -> Tollgate:
        return self._opened.enter_context(tollgate(self._node.url, rule))

    def reader(self, *urls: str, **options: Any) -> AsyncElasticIndex:
        return AsyncElasticIndex(Connection(",".join(urls)), self._layout, techniques=oracle.Tree(), **options)


@pytest.fixture
def filled(elasticsearch: Elasticsearch) -> Iterator[Filled]:
    stem = made_name()
    with ExitStack() as opened:
        yield Filled(elasticsearch, stem, opened)
    wipe(elasticsearch, stem)


def stuck(request: Asked) -> str:
    """Searches for one word are never answered."""
    return HANG if searches(request) and b"stuck" in request.body else PASS


def hangs(_request: Asked) -> str:
    return HANG


async def until(happened: Callable[[], bool], seconds: float = 120) -> None:
    async with asyncio.timeout(seconds):
        while not happened():
            await asyncio.sleep(0.01)


async def ended(*tasks: asyncio.Task[Any]) -> list[Any]:
    for task in tasks:
        task.cancel()
    return await asyncio.gather(*tasks, return_exceptions=True)


async def test_two_hundred_searches_that_hang_hold_up_no_other_and_end_with_those_who_asked(filled: Filled) -> None:
    gates = [filled.gate(stuck) for _ in range(3)]
    reader = filled.reader(*(gate.url for gate in gates), calls=300, patience=60)
    await reader.counts()
    hanging = [asyncio.create_task(reader.search(asked("stuck"))) for _ in range(MANY)]
    await until(lambda: sum(gate.hanging for gate in gates) == MANY)
    assert numbers(await reader.search(asked("film", first=20))) == list(range(10))
    assert await reader.counts() == {"north": 10}
    assert len(await reader.get_many(Kind.DATASET, ["north/dataset/0001"], frozenset())) == 1
    assert await reader.mark() == 10
    assert sum(gate.hanging for gate in gates) == MANY, "all that while the others hang"
    assert not any(task.done() for task in hanging)
    await ended(*hanging)
    await until(lambda: sum(gate.left for gate in gates) == MANY)
    assert not any(gate.hanging for gate in gates), "their connections are closed, so that the server ends them too"
    await reader.close()


async def test_calls_under_way_are_bounded_and_who_finds_no_place_is_told_soon(filled: Filled) -> None:
    gate = filled.gate(stuck)
    reader = filled.reader(gate.url, calls=6, patience=60)
    await reader.counts()
    hanging = [asyncio.create_task(reader.search(asked("stuck"))) for _ in range(20)]
    await until(lambda: sum(task.done() for task in hanging) == 14)
    await until(lambda: gate.hanging == 6)
    with pytest.raises(Unavailable, match="too many searches"):
        await reader.counts()
    found = await ended(*hanging)
    assert sum(isinstance(one, Unavailable) for one in found) == 14
    assert await reader.counts() == {"north": 10}, "the places are free again"
    await reader.close()


async def test_an_address_that_hangs_keeps_few_waiting_and_is_left_alone(filled: Filled) -> None:
    sick, well = filled.gate(hangs), filled.gate(stuck)
    reader = filled.reader(sick.url, well.url, calls=100, patience=6)
    await asyncio.gather(reader.counts(), reader.mark(), return_exceptions=True)  # one of them finds out
    for left in (2, 1, 0):  # where the machine stands still, the address that is well keeps them waiting too
        before, began = sum(sick.met.values()), time.monotonic()
        found = await asyncio.gather(*(reader.search(asked("film")) for _ in range(40)), return_exceptions=True)
        failed = [one for one in found if isinstance(one, Exception)]
        trials = sum(sick.met.values()) - before
        assert all(numbers(one) == list(range(10)) for one in found if not isinstance(one, BaseException))
        assert all(isinstance(one, Unavailable) for one in failed)
        if len(failed) <= trials <= 1 + (time.monotonic() - began) / 2:
            break
        assert left, failed
    await reader.close()


async def test_where_nobody_listens_the_next_address_is_asked_and_no_asker_notices(filled: Filled) -> None:
    gate = filled.gate(stuck)
    reader = filled.reader(f"http://127.0.0.1:{free_port()}", gate.url)
    for _ in range(6):
        assert (await reader.search(Search())).total == 10
    await reader.close()


async def test_a_node_that_takes_connections_and_drops_them_is_unavailable(filled: Filled) -> None:
    nowhere = filled.reader(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(Unavailable, match="does not answer"):
        await nowhere.search(Search())
    await nowhere.close()


async def test_a_question_ends_when_its_time_is_over(filled: Filled) -> None:
    gate = filled.gate(hangs)
    reader = filled.reader(gate.url, patience=0.3)
    with pytest.raises(Unavailable, match="not answer"):
        await reader.search(Search())
    await until(lambda: gate.hanging == 0)
    await reader.close()


@pytest.mark.parametrize("which", ["/_doc/mark", "/_pit"])
async def test_while_a_newer_state_is_looked_for_others_read_the_one_before(filled: Filled, which: str) -> None:
    held = asyncio.Event()
    gate = filled.gate(lambda request: HANG if held.is_set() and which in request.target else PASS)
    now = [100.0]
    reader = filled.reader(gate.url, clock=lambda: now[0], patience=60)
    assert (await reader.search(Search())).total == 10
    held.set()
    filled.change()
    now[0] += 1.5
    opening = asyncio.create_task(reader.search(Search()))
    await until(lambda: gate.hanging == 1)
    assert (await reader.search(Search())).total == 10
    assert not opening.done()
    await ended(opening)
    await reader.close()


async def test_what_nobody_reads_is_closed_without_an_answer_waiting_for_it(filled: Filled) -> None:
    gate = filled.gate(lambda request: HANG if request.method == "DELETE" else PASS)
    now = [100.0]
    reader = filled.reader(gate.url, clock=lambda: now[0], patience=60)
    assert await reader.counts() == {"north": 10}
    filled.change()
    now[0] += 1.5
    assert await reader.counts() == {"north": 11}
    await until(lambda: gate.hanging == 1)
    assert await reader.counts() == {"north": 11}
    await reader.close()


async def held_by_hand(cluster: AsyncCluster) -> Address:
    """A place that is taken at once."""
    async with asyncio.timeout(0.2):
        return await cluster._place([])


async def test_places_are_given_in_the_order_in_which_they_were_asked_for(free_url: str) -> None:
    cluster = AsyncCluster(Connection(free_url), calls=2)
    first, second = await held_by_hand(cluster), await held_by_hand(cluster)
    waiting = [asyncio.create_task(cluster._place([])) for _ in range(4)]
    await asyncio.sleep(0)
    waiting[1].cancel()

    def freed(address: Address) -> None:
        cluster._addresses.answered(address)
        cluster._hand_out()

    freed(first)
    newcomer = asyncio.create_task(cluster._place([]))
    freed(second)
    await until(lambda: waiting[0].done() and waiting[2].done())
    assert not newcomer.done(), "who came later does not overtake"
    assert not waiting[3].done()
    freed(waiting[0].result())
    waiting[3].cancel()  # it was given the place, and leaves before it knows
    await until(newcomer.done)
    assert waiting[3].cancelled()
    with pytest.raises(Unavailable, match="too many searches"):
        await cluster._place([])
    assert cluster._addresses.take() is None
    freed(newcomer.result())
    assert (await held_by_hand(cluster)).busy == 2
    await cluster.close()


@pytest.mark.parametrize(("urls", "calls", "most"), [(1, 101, 100), (2, 201, 200)])
async def test_more_calls_than_there_are_connections_are_refused(
    free_url: str, urls: int, calls: int, most: int
) -> None:
    connection = Connection(",".join(f"{free_url}/{at}" for at in range(urls)))
    with pytest.raises(Misconfigured, match=f"PANGATE_INDEX_CALLS to {most} or less"):
        AsyncCluster(connection, calls=calls)
    await AsyncCluster(connection, calls=most).close()


@pytest.fixture
def free_url() -> str:
    """An address where nobody listens."""
    return f"http://127.0.0.1:{free_port()}"
