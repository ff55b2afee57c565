"""This file is how the async gateway reaches the plain rooms: each call in a bounded pool of threads of its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from catalogue.ports import Harvest, Session, SourceState
from gateway.ports import KeptReject
from pangate.house import House
from schema.access import Viewer
from schema.activities import HarvestMode
from schema.errors import NotFound

T = TypeVar("T")
ROWS = 8


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


def _never(source: str) -> SourceState:
    return SourceState(source, 0, 0, None, None, None, None, None, None, "Not harvested yet.")
