"""This file is what the gateway needs of the rooms beside it; the roof hands it in, so that nobody imports a neighbour.

All methods are async: the roof wraps the plain catalogue and triggers in a bounded pool of threads, or gives an async engine.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from catalogue.ports import Harvest, Session, SourceState
from catalogue.query import Found, Search, Suggestion
from schema.access import Viewer
from schema.activities import Capabilities, HarvestMode, Launch, LaunchEvent, OpenKind
from schema.records import Kind, Reject


class Reader(Protocol):
    """The search index, read."""

    async def search(self, search: Search) -> Found:
        """As catalogue.ports.Index.search."""

    async def get(self, kind: Kind, pid: str, viewer: Viewer) -> bytes | None:
        """The stored document of that pid (normal form), if this viewer may see it."""

    async def get_many(self, kind: Kind, pids: Sequence[str], viewer: Viewer) -> dict[str, bytes]:
        """The same for many."""

    async def suggest(self, text: str, first: int) -> list[Suggestion]:
        """Completions from public records."""

    async def counts(self) -> dict[str, int]:
        """Public datasets of each facility."""

    async def public_head(self) -> int:
        """The newest public number: what ETags and feeds are made of."""


class KeptReject(msgspec.Struct, frozen=True):
    """A reject as the ledger keeps it."""

    id: int
    reject: Reject
    first_seen: datetime
    last_seen: datetime
    count: int


class Sources(Protocol):
    """How the sources stand."""

    async def states(self) -> list[SourceState]:
        """Every source of the federation (also the never harvested)."""

    async def harvests(self, source: str | None, first: int, before: int | None) -> list[Harvest]:
        """Newest first."""

    async def rejects(self, source: str | None, first: int, after: int | None) -> list[KeptReject]:
        """By id."""

    async def harvest_now(self, source: str, mode: HarvestMode, by: Viewer) -> None:
        """Ask for a harvest. Raises NotFound for an unknown source."""


class Reason(msgspec.Struct, frozen=True):
    """Why something is not on offer, or what will be asked for."""

    code: str
    message: str
    link: str | None = None


class Choice(msgspec.Struct, frozen=True):
    """A procedure or environment on offer."""

    id: str
    name: str
    description: str | None
    default: bool


class TriggerCard(msgspec.Struct, frozen=True):
    """A trigger as it is shown. `key` is "facility/trigger"."""

    key: str
    facility: str
    kind: str
    name: str
    capabilities: Capabilities


class Option(msgspec.Struct, frozen=True):
    """What one trigger offers for a dataset."""

    trigger: TriggerCard
    available: bool
    reasons: tuple[Reason, ...]
    procedures: tuple[Choice, ...]
    environments: tuple[Choice, ...]
    typical_seconds: int | None


class Wish(msgspec.Struct, frozen=True):
    """An analyse mutation's input, ids decoded."""

    dataset: str
    trigger: str | None = None
    procedure: str | None = None
    environment: str | None = None
    key: str | None = None
    another: bool = False


class Opening(msgspec.Struct, frozen=True):
    """What the browser is told after a ticket was redeemed."""

    kind: OpenKind
    url: str = ""
    body: str = ""
    media_type: str = ""
    name: str = ""
    fields: dict[str, str] = {}


class Launches(Protocol):
    """The analyse desk. Refusals are schema.errors (NotFound for unknown and invisible datasets alike)."""

    def triggers(self, facility: str | None = None) -> list[TriggerCard]:
        """The enabled triggers, in the file's order."""

    async def options(self, dataset: bytes, viewer: Viewer) -> list[Option]:
        """What is on offer for a stored dataset document, from what is known: no call to a facility."""

    async def analyse(self, wish: Wish, viewer: Viewer) -> tuple[Launch, bool]:
        """The launch and whether it is new."""

    async def stop(self, launch: str, viewer: Viewer) -> Launch:
        """Ask for its end."""

    async def extend(self, launch: str, minutes: int, viewer: Viewer) -> Launch:
        """A later end, within the trigger's limits."""

    async def launch(self, id: str, viewer: Viewer) -> Launch | None:
        """The viewer's own launch."""

    async def launches(self, viewer: Viewer, first: int, before: str | None) -> tuple[list[Launch], int]:
        """The viewer's own, newest first, and how many in all."""

    async def events(self, launch: str, after: int = 0) -> list[LaunchEvent]:
        """Events of a launch the caller has already checked."""

    def follow(self, launch: str, after: int) -> AsyncIterator[tuple[Launch, LaunchEvent]]:
        """Each event after that id as it comes, none left out; ends when the launch has ended."""

    async def ticket(self, launch: str, viewer: Viewer, session: str) -> str:
        """A one-time ticket (30 s) for opening. Raises Conflict with what to do when it cannot be opened now."""

    async def open(self, ticket: str, viewer: Viewer, session: str) -> Opening:
        """Redeem a ticket. Raises Forbidden for a bad one."""


class Sessions(Protocol):
    """Sign-in sessions."""

    async def put(self, session: Session) -> None:
        """Keep."""

    async def get(self, hash: str) -> Session | None:
        """The live session."""

    async def refresh_lock(self, hash: str) -> bool:
        """Whether the caller may refresh the tokens now."""

    async def remove(self, hash: str) -> None:
        """Sign out."""

    async def put_state(self, state: str, data: bytes, expires: datetime) -> None:
        """Keep a started sign-in."""

    async def take_state(self, state: str) -> bytes | None:
        """It, once."""


class Health(Protocol):
    """What the probes ask."""

    async def ready(self) -> dict[str, str]:
        """Each dependency and "ok" or a plain sentence; ready when none but launches is unwell."""
