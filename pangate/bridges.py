"""This file is how the async gateway reaches the plain rooms: each call in a bounded pool of threads of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

import anyio
from anyio import CapacityLimiter, to_thread

from catalogue.ports import Harvest, Session, SourceState
from catalogue.query import Found, Search, Suggestion
from gateway.ports import KeptReject
from pangate.house import House
from pangate.tasks import depths
from pangate.wake import Waker
from schema.access import Viewer
from schema.activities import HarvestMode
from schema.errors import NotFound, PangateError
from schema.records import Kind

T = TypeVar("T")
SEARCHES, ROWS = 8, 8
_LOOK_S = 1.0


class Pool:
    """At most so many calls at once."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._limiter: CapacityLimiter | None = None

    async def run(self, call: Callable[[], T], *, leave: bool = False) -> T:
        """The call's value, made in a thread. With `leave` a call that takes too long for the caller's deadline is left to itself."""
        if self._limiter is None:
            self._limiter = CapacityLimiter(self._size)
        return await to_thread.run_sync(call, limiter=self._limiter, abandon_on_cancel=leave)


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


class LedgerSources:
    """gateway.ports.Sources over the harvest ledger; the federation file says which sources there are."""

    def __init__(self, house: House, wake: Callable[[str, HarvestMode], None]) -> None:
        self._ledger, self._federation = house.harvests, house.federation
        self._wake = wake
        self._pool = Pool(ROWS)

    async def states(self) -> list[SourceState]:
        """As the port says."""
        known = {state.source: state for state in await self._pool.run(self._ledger.states)}
        return [known.get(name) or _never(name) for name in self._federation.sources()]

    async def harvests(self, source: str | None, first: int, before: int | None) -> list[Harvest]:
        """As the port says."""
        return await self._pool.run(lambda: self._ledger.harvests(source, first, before))

    async def rejects(self, source: str | None, first: int, after: int | None) -> list[KeptReject]:
        """As the port says."""
        rows = await self._pool.run(lambda: self._ledger.rejects(source, first, after))
        return [KeptReject(*row) for row in rows]

    async def harvest_now(self, source: str, mode: HarvestMode, by: Viewer) -> None:
        """As the port says."""
        if source not in self._federation.sources():
            raise NotFound(f"There is no source {source[:80]!r} in the federation.")
        await self._pool.run(lambda: self._ledger.request(source, mode, by.principal))
        await self._pool.run(lambda: self._wake(source, mode))


class RowSessions:
    """gateway.ports.Sessions over the session store."""

    def __init__(self, house: House) -> None:
        self._store, self._clock, self._owner = house.sessions, house.clock, house.owner
        self._pool = Pool(ROWS)

    async def put(self, session: Session) -> None:
        """As the port says."""
        await self._pool.run(lambda: self._store.put(session))

    async def get(self, hash: str) -> Session | None:
        """As the port says."""
        return await self._pool.run(lambda: self._store.get(hash, self._clock()))

    async def refresh_lock(self, hash: str) -> bool:
        """As the port says."""
        return await self._pool.run(lambda: self._store.refresh_lock(hash, self._owner, 30.0))

    async def remove(self, hash: str) -> None:
        """As the port says."""
        await self._pool.run(lambda: self._store.remove(hash))

    async def put_state(self, state: str, data: bytes, expires: datetime) -> None:
        """As the port says."""
        await self._pool.run(lambda: self._store.put_state(state, data, expires))

    async def take_state(self, state: str) -> bytes | None:
        """As the port says."""
        return await self._pool.run(lambda: self._store.take_state(state, self._clock()))


class Checks:
    """gateway.ports.Health: each dependency looked at, none of a facility's."""

    def __init__(self, house: House, waker: Waker) -> None:
        self._house, self._waker = house, waker
        self._pool = Pool(4)

    async def ready(self) -> dict[str, str]:
        """As the port says. Without a broker searches are answered, and launches wait for the sweeper."""
        looks = {"records": self._records, "index": self._index, "projection": self._projection}
        if self._house.settings.broker is not None:
            looks["broker"] = self._broker
        return {name: await self._look(look) for name, look in looks.items()}

    async def _look(self, look: Callable[[], str]) -> str:
        try:
            with anyio.fail_after(_LOOK_S):
                return await self._pool.run(look, leave=True)
        except TimeoutError:
            return "does not answer in time"
        except PangateError as error:
            return error.message

    def _records(self) -> str:
        self._house.truth.head()
        return "ok"

    def _index(self) -> str:
        self._house.index.search(Search(first=1))
        return "ok"

    def _projection(self) -> str:
        behind = self._house.index.mark() < self._house.truth.head()
        return "the index does not hold every change yet" if behind else "ok"

    def _broker(self) -> str:
        depths(self._waker.app)
        return "ok"


def _never(source: str) -> SourceState:
    return SourceState(source, 0, 0, None, None, None, None, None, None, "Not harvested yet.")
