"""This file is the index in an Elasticsearch cluster as an event loop reads it: the same steps as in threads, awaited.

A call that waits holds up nobody: it is cancelled with whoever asked, which closes its connection, whereupon the server ends the
search too. Calls under way are bounded, shared out among the addresses (elastic_addresses).
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from elastic_transport import ConnectionError as NotReached
from elastic_transport import ConnectionTimeout, TlsError
from elasticsearch import AsyncElasticsearch

from catalogue.index.elastic_addresses import Address, Addresses
from catalogue.index.elastic_client import (
    FAILURES,
    UNUSABLE,
    Absent,
    Connection,
    Pause,
    Refused,
    Request,
    Steps,
    T,
    addresses,
    headers,
    options,
    refusal,
    told,
    unusable,
)
from catalogue.index.elastic_generations import Layout
from catalogue.index.elastic_reading import Reading
from catalogue.index.vocabulary import NoTechniques, Techniques
from catalogue.query import Found, Search, Suggestion
from schema.errors import Misconfigured, Unavailable
from schema.records import Kind

CALLS = 48  # under way at once; fewer than the requests that a gateway serves at once, so that others find a place
MOST = 100  # at one address: aiohttp opens no more connections in one session
WAIT_S = 0.5  # for a place
ANSWER_S = 4.0  # for everything that one question takes


class AsyncCluster:
    """Open connections to every address of a cluster, for one event loop. `calls` may be under way at once."""

    def __init__(self, connection: Connection, calls: int = CALLS, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        urls = addresses(connection)
        places = _places(calls, len(urls))
        made = options(connection) | {"connections_per_node": places}
        try:
            self._clients = {url: AsyncElasticsearch(hosts=[url], **made) for url in urls}
        except UNUSABLE as error:
            raise unusable(error) from None
        self._addresses = Addresses(urls, places, clock)
        self._waiting: deque[tuple[asyncio.Future[Address], list[str]]] = deque()

    async def send(self, request: Request) -> Any:
        """The decoded answer. Raises Absent, Refused, Busy, Unsure, Unavailable, Misconfigured.

        Reading does no harm twice: who meets nobody at one address asks at the next, or once more at the only one.
        """
        tried: list[str] = []
        while True:
            address = await self._place(tried)
            tried.append(address.url)
            try:
                return await self._at(address, request)
            except FAILURES as error:
                unmet = isinstance(error, NotReached) and not isinstance(error, TlsError)
                if not unmet or len(tried) >= max(2, len(self._clients)):
                    raise told(error, address.url) from None
            finally:
                self._hand_out()

    async def close(self) -> None:
        """Let go of the connections."""
        for client in self._clients.values():
            await client.close()

    async def _place(self, tried: list[str]) -> Address:
        """A place, for those who wait in the order in which they came. Raises Unavailable when none gets free soon."""
        address = None if self._waiting else self._addresses.take(tried)
        if address is not None:
            return address
        given: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
        self._waiting.append((given, tried))
        self._hand_out()
        try:
            async with asyncio.timeout(WAIT_S):
                return await given
        except BaseException as error:  # also who is cancelled leaves no hole
            if given.done() and not given.cancelled():
                self._addresses.left(given.result())
            given.cancel()
            self._hand_out()
            if isinstance(error, TimeoutError):
                raise Unavailable("Elasticsearch has too many searches to answer just now.") from None
            raise

    def _hand_out(self) -> None:
        """Give each of those who wait a place, the first one first; one may avoid the address that has one."""
        for waiter in list(self._waiting):
            given, tried = waiter
            address = None if given.done() else self._addresses.take(tried)
            if address is not None:
                given.set_result(address)
            if given.done():
                self._waiting.remove(waiter)

    async def _at(self, address: Address, request: Request) -> Any:
        began, client = self._clock(), self._clients[address.url]
        try:
            answer = await client.perform_request(
                request.method,
                request.path,
                params=request.params or None,
                headers=headers(request),
                body=request.body,
            )
        except (NotReached, ConnectionTimeout):
            self._addresses.failed(address)
            raise
        except FAILURES:
            self._addresses.answered(address)
            raise
        except BaseException:  # cancelled: nobody waits for it any longer
            self._addresses.left(address, self._clock() - began)
            raise
        self._addresses.answered(address)
        return answer.body


def _places(calls: int, count: int) -> int:
    """Places at each of so many addresses. Raises Misconfigured when they would be more than there are connections."""
    if calls > MOST * max(1, count):
        raise Misconfigured(
            f"{calls} calls to Elasticsearch under way at once are more than {MOST} for each of its addresses ({count}). "
            f"Set PANGATE_INDEX_CALLS to {MOST * max(1, count)} or less, or name more nodes."
        )
    return max(1, calls // max(1, count))


async def arun(cluster: AsyncCluster, steps: Steps[T]) -> T:
    """As elastic_client.run, awaited."""
    try:
        step = next(steps)
        while True:
            try:
                answer = await (asyncio.sleep(step.seconds) if isinstance(step, Pause) else cluster.send(step))
            except (Absent, Refused, Unavailable, Misconfigured) as error:
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as end:
        value: T = end.value
        return value
    finally:
        steps.close()


class AsyncElasticIndex:
    """What a gateway reads of an index that others write: their writes are seen within two seconds.

    `calls` may be under way at once, a question may take `patience` seconds. All methods raise Unavailable and Misconfigured.
    """

    def __init__(
        self,
        connection: Connection,
        layout: Layout,
        *,
        techniques: Techniques | None = None,
        calls: int = CALLS,
        patience: float = ANSWER_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cluster = AsyncCluster(msgspec.structs.replace(connection, timeout=patience), calls, clock)
        self._reading = Reading(layout, techniques or NoTechniques(), clock)
        self._patience = patience
        self._tidying: asyncio.Task[None] | None = None  # nobody's answer waits for that

    async def search(self, search: Search) -> Found:
        """The answer. Raises CursorExpired, CursorInvalid."""
        return await self._read(self._reading.search(search))

    async def get(self, kind: Kind, pid: str, groups: frozenset[str]) -> bytes | None:
        """The stored document (JSON) of that pid if it is public or open to one of the groups."""
        return (await self.get_many(kind, (pid,), groups)).get(pid)

    async def get_many(self, kind: Kind, pids: Sequence[str], groups: frozenset[str]) -> dict[str, bytes]:
        """The same for many."""
        return await self._read(self._reading.documents(kind, pids, groups))

    async def suggest(self, text: str, first: int) -> list[Suggestion]:
        """Completions from public datasets."""
        return await self._read(self._reading.suggestions(text, first))

    async def counts(self) -> dict[str, int]:
        """Public datasets of each facility."""
        return await self._read(self._reading.counts())

    async def mark(self) -> int:
        """The high-water mark: every change up to it is in the index; 0 when it must be built."""
        return await self._read(self._reading.mark())

    def forget(self) -> None:
        """What is asked next is asked of the present state."""
        self._reading.forget()

    async def close(self) -> None:
        """Let go of the connections."""
        if self._tidying is not None:
            self._tidying.cancel()
            await asyncio.gather(self._tidying, return_exceptions=True)
        await self._cluster.close()

    async def _read(self, asked: Steps[T]) -> T:
        try:
            async with asyncio.timeout(self._patience):
                return await arun(self._cluster, asked)
        except TimeoutError:
            raise Unavailable(f"Elasticsearch has not answered in {self._patience:g} s.") from None
        except Refused as error:
            raise refusal(error) from error
        finally:
            if self._reading.untidy and (self._tidying is None or self._tidying.done()):
                self._tidying = asyncio.create_task(arun(self._cluster, self._reading.tidy()))
