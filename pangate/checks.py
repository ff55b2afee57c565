"""This file is whether each thing that a process depends on is well: what /readyz tells. No facility is asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress

import anyio
from celery import Celery

from catalogue.index.elastic_client import Unsure
from catalogue.query import Search
from pangate.bridges import Pool
from pangate.engines import open_looking
from pangate.house import House
from pangate.readers import OpenReader
from pangate.tasks import depths
from pangate.wake import Waker
from schema.errors import PangateError

_LOOK_S = 1.0
_SLOW = "does not answer in time"


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


class Look:
    """A look at one thing, for so many seconds, in a thread of its own. Whoever asks while one is under way waits for that one, so that
    what hangs holds one thread, and not the end of the process."""

    def __init__(self, look: Callable[[], object], seconds: float = _LOOK_S) -> None:
        self.seconds = seconds
        self._look = look
        self._guard = threading.Lock()
        self._under_way: Future[str] | None = None

    def begun(self) -> Future[str]:
        """What will be told: "ok", or what is wrong."""
        with self._guard:
            if self._under_way is None or self._under_way.done():
                self._under_way = Future()
                threading.Thread(target=self._tell, args=(self._under_way,), name="look", daemon=True).start()
            return self._under_way

    def _tell(self, told: Future[str]) -> None:
        try:
            self._look()
            told.set_result("ok")
        except PangateError as error:
            told.set_result(error.message)
        except BaseException as error:  # noqa: BLE001 - raised where the look was asked for, or nobody would ever look again
            told.set_exception(error)


def seen(looks: Mapping[str, Look]) -> dict[str, str]:
    """How each thing is: all are looked at at the same time."""
    began = time.monotonic()
    told = dict.fromkeys(looks, _SLOW)
    for name, future, seconds in [(name, look.begun(), look.seconds) for name, look in looks.items()]:
        with suppress(TimeoutError):
            told[name] = future.result(max(0.0, began + seconds - time.monotonic()))
    return told


def needed(house: House, app: Celery, *, index: bool) -> dict[str, Look]:
    """What a worker or beat can do nothing without; with `index` a projector, for which a cluster is looked at twice, as in `Checks`."""
    looks = {"records": Look(house.truth.head), "broker": Look(lambda: depths(app))}
    if index:
        looks["index"] = Look(_searching(house), 2 * _LOOK_S)
    return looks


def _searching(house: House) -> Callable[[], object]:
    cluster = open_looking(house.settings, house.environment, house.vocabulary, _LOOK_S)
    if cluster is None:
        return lambda: house.index.search(Search(first=1))

    def search() -> None:
        with suppress(Unsure):
            cluster.search(Search(first=1))
            return
        cluster.search(Search(first=1))

    return search


async def _looked(look: Callable[[], Awaitable[str]], times: int) -> str:
    for _ in range(times):
        try:
            with anyio.fail_after(_LOOK_S):
                return await look()
        except TimeoutError:
            continue
        except PangateError as error:
            return error.message
    return _SLOW
