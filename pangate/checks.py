"""This file is whether each thing that a process depends on is well: what /readyz tells. No facility is asked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio
from celery import Celery

from pangate.bridges import Pool
from pangate.house import House
from pangate.readers import OpenReader
from pangate.tasks import depths
from pangate.wake import Waker
from schema.errors import PangateError

_LOOK_S = 1.0


class Checks:
    """gateway.ports.Health: every dependency is looked at, all at the same time, for a second; the index once more, as the first look
    may have been the trial of an address of a cluster that hangs."""

    def __init__(self, house: House, waker: Waker, reader: OpenReader) -> None:
        self._house, self._waker, self._reader = house, waker, reader
        self._pool = Pool(4)

    async def ready(self) -> dict[str, str]:
        """As the port says. Without a broker searches are answered, and launches wait for the sweeper."""
        looks = {"records": self._records, "index": self._index, "projection": self._projection}
        if self._house.settings.broker is not None:
            looks["broker"] = self._broker
        told = dict.fromkeys(looks, "")

        async def look(name: str) -> None:
            told[name] = await _looked(looks[name], 2 if name == "index" else 1)

        async with anyio.create_task_group() as group:
            for name in looks:
                group.start_soon(look, name)
        return told

    async def _records(self) -> str:
        await self._pool.run(self._house.truth.head, leave=True)
        return "ok"

    async def _index(self) -> str:
        await self._reader.check()
        return "ok"

    async def _projection(self) -> str:
        head = await self._pool.run(self._house.truth.head, leave=True)
        return "ok" if await self._reader.mark() >= head else "the index does not hold every change yet"

    async def _broker(self) -> str:
        await self._pool.run(lambda: depths(self._waker.app), leave=True)
        return "ok"


def parts(house: House, app: Celery) -> dict[str, str]:
    """What a worker or beat can do nothing without, and how each is. Blocks for some seconds when a server hangs."""
    looks: dict[str, Callable[[], object]] = {"records": house.truth.head, "broker": lambda: depths(app)}
    return {name: _state(look) for name, look in looks.items()}


def _state(look: Callable[[], object]) -> str:
    try:
        look()
    except PangateError as error:
        return error.message
    return "ok"


async def _looked(look: Callable[[], Awaitable[str]], times: int) -> str:
    for _ in range(times):
        try:
            with anyio.fail_after(_LOOK_S):
                return await look()
        except TimeoutError:
            continue
        except PangateError as error:
            return error.message
    return "does not answer in time"
