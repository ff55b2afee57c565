"""This file is how the gateway reads the index: an embedded one in a bounded pool of threads, a cluster's by its async client."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, Protocol, TypeVar

import structlog

from catalogue.index.elastic_async import AsyncElasticIndex
from catalogue.query import Found, Search, Suggestion
from gateway.ports import Reader
from pangate.bridges import ROWS, Pool
from pangate.engines import open_reading
from pangate.house import House
from schema.access import Viewer
from schema.errors import Misconfigured, Unavailable
from schema.records import Kind

log = structlog.get_logger("pangate.readers")

T = TypeVar("T")
SEARCHES = 8
AWAY = "The search index cannot be reached at present. Ask again in a moment."


class OpenReader(Reader, Protocol):
    """gateway.ports.Reader, with what the roof asks beside it."""

    async def mark(self) -> int:
        """The index's high-water mark."""

    async def check(self) -> None:
        """Ask the index something small. Raises Unavailable and Misconfigured, with the cause."""

    async def close(self) -> None:
        """Let go of connections."""


def reader_of(house: House) -> OpenReader:
    """The reader of a house's index."""
    reading = open_reading(house.settings, house.environment, house.vocabulary)
    return IndexReader(house) if reading is None else ClusterReader(house, reading)


class IndexReader:
    """gateway.ports.Reader over an embedded index."""

    def __init__(self, house: House) -> None:
        self._index, self._truth = house.index, house.truth
        self._pool = Pool(SEARCHES)

    async def search(self, search: Search) -> Found:
        """As the port says."""
        return await self._pool.run(lambda: self._index.search(search))

    async def get(self, kind: Kind, pid: str, viewer: Viewer) -> bytes | None:
        """As the port says."""
        return await self._pool.run(lambda: self._index.get(kind, pid, viewer.groups))

    async def get_many(self, kind: Kind, pids: Sequence[str], viewer: Viewer) -> dict[str, bytes]:
        """As the port says."""
        return await self._pool.run(lambda: self._index.get_many(kind, pids, viewer.groups))

    async def suggest(self, text: str, first: int) -> list[Suggestion]:
        """As the port says."""
        return await self._pool.run(lambda: self._index.suggest(text, first))

    async def counts(self) -> dict[str, int]:
        """As the port says."""
        return await self._pool.run(self._index.counts)

    async def public_head(self) -> int:
        """As the port says."""
        return await self._pool.run(self._truth.public_head)

    async def mark(self) -> int:
        """As the protocol says."""
        return await self._pool.run(self._index.mark, leave=True)

    async def check(self) -> None:
        """As the protocol says."""
        await self._pool.run(lambda: self._index.search(Search(first=1)), leave=True)

    async def close(self) -> None:
        """Nothing is held here."""


class ClusterReader:
    """gateway.ports.Reader over an index in a cluster. Why it cannot be reached is for the log and the probes, not for readers."""

    def __init__(self, house: House, index: AsyncElasticIndex) -> None:
        self._index, self._truth = index, house.truth
        self._pool = Pool(ROWS)
        self._wrong = ""

    async def search(self, search: Search) -> Found:
        """As the port says."""
        return await self._asked(self._index.search(search))

    async def get(self, kind: Kind, pid: str, viewer: Viewer) -> bytes | None:
        """As the port says."""
        return await self._asked(self._index.get(kind, pid, viewer.groups))

    async def get_many(self, kind: Kind, pids: Sequence[str], viewer: Viewer) -> dict[str, bytes]:
        """As the port says."""
        return await self._asked(self._index.get_many(kind, pids, viewer.groups))

    async def suggest(self, text: str, first: int) -> list[Suggestion]:
        """As the port says."""
        return await self._asked(self._index.suggest(text, first))

    async def counts(self) -> dict[str, int]:
        """As the port says."""
        return await self._asked(self._index.counts())

    async def public_head(self) -> int:
        """As the port says."""
        return await self._pool.run(self._truth.public_head)

    async def mark(self) -> int:
        """As the protocol says."""
        return await self._index.mark()

    async def check(self) -> None:
        """As the protocol says."""
        await self._index.search(Search(first=1))

    async def close(self) -> None:
        """As the protocol says."""
        await self._index.close()

    async def _asked(self, call: Coroutine[Any, Any, T]) -> T:
        try:
            found = await call
        except (Unavailable, Misconfigured) as error:
            if error.message != self._wrong:
                log.warning("index_unavailable", reason=error.message)
                self._wrong = error.message
            raise Unavailable(AWAY) from error
        if self._wrong:
            log.warning("index_available")
            self._wrong = ""
        return found
