"""This file is the analyse desk as the gateway sees it: triggers' plain functions behind gateway.ports.Launches, and one poller a
process that feeds every subscription."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import msgspec
import structlog

from gateway.ports import Choice, Opening, Option, Reader, Reason, TriggerCard, Wish
from pangate.bridges import ROWS, Pool
from pangate.house import House
from schema.access import Viewer
from schema.activities import FINAL, Launch, LaunchEvent, LaunchState
from schema.errors import NotFound, PangateError, Unauthenticated
from schema.pids import normal
from schema.records import Kind, decode_document
from triggers import desk, options

log = structlog.get_logger("pangate.analysis")

T = TypeVar("T")
_POLL_S = 0.5
_ENDED = FINAL | {LaunchState.HANDED_OFF}


class AnalysisDesk:
    """gateway.ports.Launches over the launch ledger."""

    def __init__(self, house: House, reader: Reader, wake: Callable[[str], None]) -> None:
        self._house = house
        self._reader = reader
        self._desk = house.desk
        self._wake = wake
        self._pool = Pool(ROWS)
        self._poller = Poller(house)

    def triggers(self, facility: str | None = None) -> list[TriggerCard]:
        """As the port says."""
        return [_card(card) for card in options.cards(self._house.federation, facility)]

    async def options(self, dataset: bytes, viewer: Viewer) -> list[Option]:
        """As the port says."""
        house, document = self._house, decode_document(dataset)
        found = await self._pool.run(
            lambda: options.options(document, viewer, house.launches, house.federation, house.clock())
        )
        return [_option(each) for each in found]

    async def analyse(self, wish: Wish, viewer: Viewer) -> tuple[Launch, bool]:
        """As the port says."""
        order = desk.Order(
            trigger=wish.trigger,
            procedure=wish.procedure,
            environment=wish.environment,
            key=wish.key,
            another=wish.another,
        )

        stored = await self._reader.get(Kind.DATASET, normal(wish.dataset), viewer)
        document = decode_document(stored) if stored else None
        launch, created = await self._pool.run(lambda: desk.analyse(self._desk, document, viewer, order))
        await self._pool.run(lambda: self._wake(launch.id))
        return launch, created

    async def stop(self, launch: str, viewer: Viewer) -> Launch:
        """As the port says."""
        found = await self._pool.run(lambda: desk.stop(self._desk, launch, viewer))
        await self._pool.run(lambda: self._wake(launch))
        return found

    async def extend(self, launch: str, minutes: int, viewer: Viewer) -> Launch:
        """As the port says."""
        return await self._pool.run(lambda: desk.extend(self._desk, launch, minutes, viewer))

    async def launch(self, id: str, viewer: Viewer) -> Launch | None:
        """As the port says."""
        try:
            return await self._pool.run(lambda: desk.mine(self._desk, id, viewer))
        except (NotFound, Unauthenticated):
            return None

    async def launches(self, viewer: Viewer, first: int, before: str | None) -> tuple[list[Launch], int]:
        """As the port says."""
        if not viewer.signed_in:
            return [], 0
        return await self._pool.run(lambda: self._house.launches.launches(viewer.principal, first, before))

    async def events(self, launch: str, after: int = 0) -> list[LaunchEvent]:
        """As the port says."""
        return await self._pool.run(lambda: self._house.launches.events(launch, after))

    async def follow(self, launch: str, after: int) -> AsyncIterator[tuple[Launch, LaunchEvent]]:
        """As the port says: what has happened since `after`, then what comes, each once and in order."""
        with self._poller.watch(launch) as news:
            while True:
                found = await self._pool.run(lambda: self._house.launches.launch(launch))
                if found is None:
                    return
                # read after the launch: of one that has ended, these are all that will ever come
                for event in await self.events(launch, after):
                    after = event.id
                    yield as_of(found, event), event
                if found.state in _ENDED:
                    return
                await news.wait()
                news.clear()

    async def ticket(self, launch: str, viewer: Viewer, session: str) -> str:
        """As the port says."""
        return await self._pool.run(lambda: desk.ticket(self._desk, launch, viewer, session))

    async def open(self, ticket: str, viewer: Viewer, session: str) -> Opening:
        """As the port says."""
        found = await self._pool.run(lambda: desk.open_launch(self._desk, ticket, viewer, session))
        return Opening(**msgspec.structs.asdict(found))


def as_of(launch: Launch, event: LaunchEvent) -> Launch:
    """The launch as it was when the event had just happened."""
    return msgspec.structs.replace(
        launch, state=event.state, message=event.message, failure=event.failure, known=event.at
    )


class _Watch:
    """One subscription's bell, in the poller's list while it lasts."""

    def __init__(self, poller: Poller, launch: str) -> None:
        self._poller, self._launch, self._bell = poller, launch, asyncio.Event()

    def __enter__(self) -> asyncio.Event:
        self._poller.add(self._launch, self._bell)
        return self._bell

    def __exit__(self, *_: object) -> None:
        self._poller.remove(self._launch, self._bell)


class Poller:
    """Reads new events of all watched launches twice a second and rings the bells of those who wait for them."""

    def __init__(self, house: House) -> None:
        self._ledger = house.launches
        self._pool = Pool(1)
        self._bells: dict[str, set[asyncio.Event]] = {}
        self._task: asyncio.Task[None] | None = None
        self._seen = 0

    def watch(self, launch: str) -> _Watch:
        """A bell that rings when the launch has news."""
        return _Watch(self, launch)

    def add(self, launch: str, bell: asyncio.Event) -> None:
        """Begin to ring a bell."""
        self._bells.setdefault(launch, set()).add(bell)
        if self._task is None or self._task.done():
            self._seen = 0
            self._task = asyncio.create_task(self._poll())

    def remove(self, launch: str, bell: asyncio.Event) -> None:
        """Cease."""
        bells = self._bells.get(launch, set())
        bells.discard(bell)
        if not bells:
            self._bells.pop(launch, None)

    async def _poll(self) -> None:
        while self._bells:
            watched = tuple(self._bells)
            # who came while the question was under way was not asked for, and looks for itself
            for launch in {*await self._news(watched), *(self._bells.keys() - set(watched))}:
                for bell in self._bells.get(launch, ()):
                    bell.set()
            await asyncio.sleep(_POLL_S)

    async def _news(self, watched: tuple[str, ...]) -> list[str]:
        """The launches that have new events."""
        after = self._seen
        try:
            news = await self._pool.run(lambda: self._ledger.events_since(after, watched))
        except PangateError as error:  # a poller that ends would leave everybody waiting for ever
            log.warning("poll_failed", reason=error.message)
            return []
        self._seen = max((event.id for _, event in news), default=after)
        return [launch for launch, _ in news]


def _card(card: options.Card) -> TriggerCard:
    return TriggerCard(card.key, card.facility, card.kind, card.name, card.capabilities)


def _option(found: options.Option) -> Option:
    return Option(
        trigger=_card(found.trigger),
        available=found.available,
        reasons=tuple(Reason(each.code, each.message, each.link) for each in found.reasons),
        procedures=tuple(Choice(each.id, each.name, each.description, each.default) for each in found.procedures),
        environments=tuple(Choice(each.id, each.name, each.description, each.default) for each in found.environments),
        typical_seconds=found.typical_seconds,
    )
