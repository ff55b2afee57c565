"""An analysis desk and a ledger of sources in memory, as the gateway's ports Launches and Sources promise."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import msgspec

from catalogue.ports import Harvest, SourceState
from gateway.ports import Choice, KeptReject, Opening, Option, Reason, TriggerCard, Wish
from schema.access import Viewer
from schema.activities import (
    FINAL,
    Bookmark,
    Capabilities,
    Figures,
    HarvestMode,
    HarvestState,
    Launch,
    LaunchEvent,
    LaunchRequest,
    LaunchState,
    OpenKind,
)
from schema.errors import BadInput, Conflict, NotFound
from schema.records import Reject, decode_document

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
HUB = TriggerCard(
    "north/hub", "north", "jupyterhub", "The hub", Capabilities(True, True, True, False, OpenKind.REDIRECT)
)


class FakeDesk:
    """Launches that move when the test says so (`tell`)."""

    def __init__(self) -> None:
        self.kept: dict[str, Launch] = {}
        self.told: dict[str, list[LaunchEvent]] = {}
        self.known: set[str] = set()
        self._news = asyncio.Event()
        self._last = 0

    def triggers(self, facility: str | None = None) -> list[TriggerCard]:
        return [HUB] if facility in (None, HUB.facility) else []

    async def options(self, dataset: bytes, viewer: Viewer) -> list[Option]:
        if decode_document(dataset).record.facility != HUB.facility:
            return []
        reasons = () if viewer.signed_in else (Reason("SIGN_IN", "Sign in first."),)
        choice = Choice("plain", "Plain notebook", None, True)
        return [Option(HUB, viewer.signed_in, reasons, (choice,), (), 12)]

    async def analyse(self, wish: Wish, viewer: Viewer) -> tuple[Launch, bool]:
        if wish.dataset not in self.known:
            raise NotFound("No dataset of that pid is here.")
        if wish.procedure not in (None, "plain"):
            raise BadInput("The platform has no such procedure.", field="procedure")
        for launch in self.kept.values():
            if wish.key and launch.key == wish.key:
                if launch.request.dataset != wish.dataset:
                    raise Conflict("The key was used for another request.")
                return launch, False
        name = f"l{len(self.kept) + 1}"
        request = LaunchRequest(
            viewer.principal, viewer.name, "north", HUB.key, wish.dataset, "T", None, "u", wish.procedure, None
        )
        self.kept[name] = Launch(
            name, request, wish.key, LaunchState.REQUESTED, "Asked for.", NOW, None, None, None, None, "run", None, 0, 1
        )
        self.tell(name, LaunchState.REQUESTED, "Asked for.")
        return self.kept[name], True

    def tell(self, name: str, state: LaunchState, message: str) -> LaunchEvent:
        """The next step in a launch's life."""
        self._last += 1
        event = LaunchEvent(self._last, NOW, state, message)
        self.told.setdefault(name, []).append(event)
        self.kept[name] = msgspec.structs.replace(self.kept[name], state=state, message=message)
        news, self._news = self._news, asyncio.Event()
        news.set()
        return event

    async def stop(self, launch: str, viewer: Viewer) -> Launch:
        found = await self.launch(launch, viewer)
        if found is None:
            raise NotFound("No launch of that id is yours.")
        self.tell(launch, LaunchState.STOPPING, "Being ended.")
        return self.kept[launch]

    async def extend(self, launch: str, minutes: int, viewer: Viewer) -> Launch:
        found = await self.launch(launch, viewer)
        if found is None:
            raise NotFound("No launch of that id is yours.")
        return found

    async def launch(self, id: str, viewer: Viewer) -> Launch | None:
        found = self.kept.get(id)
        return found if found is not None and found.request.principal == viewer.principal else None

    async def launches(self, viewer: Viewer, first: int, before: str | None) -> tuple[list[Launch], int]:
        own = [each for each in reversed(self.kept.values()) if each.request.principal == viewer.principal]
        start = next((at + 1 for at, each in enumerate(own) if each.id == before), 0)
        return own[start : start + first], len(own)

    async def events(self, launch: str, after: int = 0) -> list[LaunchEvent]:
        return [each for each in self.told.get(launch, []) if each.id > after]

    async def follow(self, launch: str, after: int) -> AsyncIterator[tuple[Launch, LaunchEvent]]:
        while True:
            news = self._news
            for event in await self.events(launch, after):
                after = event.id
                yield self.kept[launch], event
                if event.state in FINAL:
                    return
            if self.kept[launch].state in FINAL and not await self.events(launch, after):
                return
            await news.wait()

    async def ticket(self, launch: str, viewer: Viewer, session: str) -> str:
        return "ticket"

    async def open(self, ticket: str, viewer: Viewer, session: str) -> Opening:
        return Opening(OpenKind.REDIRECT, "https://hub.example.org/")


class FakeSources:
    """Two sources: one harvested, one never."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, HarvestMode, str]] = []
        self.fresh = NOW

    def _harvest(self, id: int) -> Harvest:
        figures = Figures(pages=1, seen=3, added=3)
        return Harvest(
            id, "north/scicat", HarvestMode.FULL, HarvestState.DONE, Bookmark(), figures, NOW, NOW, "All is well."
        )

    async def states(self) -> list[SourceState]:
        last = self._harvest(3)
        return [
            SourceState("north/scicat", 3, 1, self.fresh, self.fresh, self.fresh, None, None, last, "All is well.", 3)
        ]

    async def harvests(self, source: str | None, first: int, before: int | None) -> list[Harvest]:
        return [self._harvest(id) for id in (3, 2, 1) if before is None or id < before][:first]

    async def rejects(self, source: str | None, first: int, after: int | None) -> list[KeptReject]:
        reject = Reject("north/scicat", "dataset", "x", "no-title", "It has no title.", "{}")
        return [KeptReject(id, reject, NOW, NOW, 1) for id in (1, 2) if after is None or id > after][:first]

    async def harvest_now(self, source: str, mode: HarvestMode, by: Viewer) -> None:
        if source != "north/scicat":
            raise NotFound("No source of that name is in the federation.")
        self.asked.append((source, mode, by.principal))
