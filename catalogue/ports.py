"""This file is what the catalogue promises the floors above: the ports of truth, ledger, launches, sessions and index.

The adapters hold connections and are safe to use from several threads. Writing ports are plain; the gateway reaches the reading ones
through a bounded pool of threads (or an async engine) behind its own port.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

import msgspec

from catalogue.query import Found, Search, Suggestion
from schema.access import Viewer
from schema.activities import (
    Bookmark,
    Figures,
    HarvestMode,
    HarvestState,
    Launch,
    LaunchEvent,
    LaunchRequest,
)
from schema.records import AnyRecord, Document, Kind, Reject


class Lease(msgspec.Struct, frozen=True):
    """The right to work on `name` (a source, a launch, the projector) until it expires. `fence` rises with every new holder:
    every write under a lease checks it and raises LeaseLost when it is not the newest."""

    name: str
    owner: str
    fence: int
    expires: datetime


def launch_lease(id: str) -> str:
    """The name of the lease under which a launch is worked on; `LaunchLedger.owed` leaves out launches whose lease is held."""
    return f"launch:{id}"


class Harvest(msgspec.Struct, frozen=True):
    """One run over one source, as the ledger keeps it."""

    id: int
    source: str
    mode: HarvestMode
    state: HarvestState
    bookmark: Bookmark
    figures: Figures
    started: datetime
    ended: datetime | None
    message: str


class Page(msgspec.Struct, frozen=True):
    """What one step of a harvest brings, to be committed as one transaction (at most 500 records).

    `records` are upserted, `gone` are (kind, id at the source) that the source says no longer exist, `bookmark` is where the run goes
    on after this page. `seen` are (kind, id, revision) that exist at the source, unsent (an id sweep; revision None: none is told):
    those the truth lacks or has otherwise are owed from then on. `settled` are owed names that are so no more: fetched, or not found.
    """

    records: tuple[AnyRecord, ...] = ()
    rejects: tuple[Reject, ...] = ()
    gone: tuple[tuple[Kind, str], ...] = ()
    seen: tuple[tuple[Kind, str, str | None], ...] = ()
    bookmark: Bookmark | None = None
    settled: tuple[tuple[Kind, str], ...] = ()


class Unseen(msgspec.Struct, frozen=True):
    """What a sweep would remove: `unseen` of `present` records of the source. `released`: a person has allowed this source's next
    sweep, however large."""

    unseen: int
    present: int
    released: bool = False


class SourceState(msgspec.Struct, frozen=True):
    """How a source stands: its last good harvest, the last attempt, whether one runs, its counts (`public`: of the records, those that
    everybody may see; the others count for operators alone)."""

    source: str
    records: int
    rejects: int
    last_done: datetime | None
    last_full: datetime | None
    last_attempt: datetime | None
    failing_since: datetime | None
    running: Harvest | None
    last: Harvest | None
    message: str
    public: int = 0


class HarvestLedger(Protocol):
    """Harvests, their pages, bookmarks, rejects; and the truth they are committed to."""

    def acquire(self, name: str, owner: str, seconds: float) -> Lease | None:
        """The lease of `name`, or None while somebody else's has not expired."""

    def renew(self, lease: Lease, seconds: float) -> Lease:
        """The same lease for longer. Raises LeaseLost."""

    def release(self, lease: Lease) -> None:
        """Give the lease back (no error when it is lost already)."""

    def begin(self, lease: Lease, source: str, mode: HarvestMode) -> Harvest:
        """The source's interrupted harvest of that mode if there is one (to go on at its bookmark), else a new one. An incremental one is
        not gone on with when a later harvest has left a bookmark since."""

    def bookmark(self, source: str) -> Bookmark:
        """The bookmark that the last finished harvest of the source left for incremental ones (empty if none)."""

    def commit(self, lease: Lease, harvest: Harvest, page: Page) -> Harvest:
        """One transaction: records, their change numbers, rejects, removals, bookmark, figures. Raises LeaseLost."""

    def unseen(self, harvest: Harvest, kinds: Sequence[Kind]) -> Unseen:
        """What this (full) harvest has not seen among the source's records of those kinds."""

    def owing(self, source: str, limit: int) -> list[tuple[Kind, str]]:
        """Up to `limit` names that id sweeps of the source told of and that have not been fetched since."""

    def sweep(self, lease: Lease, harvest: Harvest, kinds: Sequence[Kind], limit: int = 500) -> int:
        """Remove up to `limit` of the unseen; how many were removed (0: none are left)."""

    def close(
        self, lease: Lease, harvest: Harvest, state: HarvestState, message: str, next_bookmark: Bookmark | None
    ) -> Harvest:
        """End the harvest. `next_bookmark` becomes the source's, unless a later harvest has left one (None: it stays as it was)."""

    def release_sweep(self, source: str, by: str) -> bool:
        """A person allows the held sweep of the source; whether one was held."""

    def request(self, source: str, mode: HarvestMode, by: str) -> None:
        """Somebody wants this source harvested now; the sweeper finds it in the table."""

    def owed(self, now: datetime) -> list[tuple[str, HarvestMode]]:
        """Requested harvests not begun yet, in the order of asking, and interrupted ones whose lease has expired."""

    def states(self) -> list[SourceState]:
        """How every source stands that was ever harvested or asked for."""

    def harvests(self, source: str | None, first: int, before: int | None) -> list[Harvest]:
        """Past and present harvests, newest first, with ids below `before`."""

    def rejects(
        self, source: str | None, first: int, after: int | None
    ) -> list[tuple[int, Reject, datetime, datetime, int]]:
        """Kept rejects with id, first seen, last seen, count; by id, above `after`."""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A change of (kind, pid) as an index is told it: `version` is its number, `make` puts the document together as it was when the change
    was read, None: it is gone. `public` says in which physical index it lives; it is removed from the other one.

    Each call makes the document anew: hold what it gives, and not for long. Hundreds that wait to be used do not fit the processor's
    caches, and cost a quarter more.
    """

    kind: Kind
    pid: str
    version: int
    make: Callable[[], Document] | None
    public: bool


class Truth(Protocol):
    """The records as harvested, by (source, kind, id); read by the projector, exports and tests."""

    def record(self, source: str, kind: Kind, id: str) -> AnyRecord | None:
        """The live record kept under that name."""

    def head(self) -> int:
        """The newest change number (0: none yet)."""

    def news(self, after: int, limit: int) -> list[Entry]:
        """What changed above `after`, in order: a pid that changed again appears at its newest number only."""

    def documents(self, kind: Kind, pids: Sequence[str]) -> dict[str, Document]:
        """The joined, canonical documents of the pids that live; a missing key means: gone."""

    def walk(self, kind: Kind | None = None) -> Iterator[Document]:
        """Every live document, by pid, in a steady order, without holding them all."""

    def entries(self) -> Iterator[Entry]:
        """The same, as an index is told of them."""

    def public_head(self) -> int:
        """The newest number of the public sequence."""

    def count(self) -> int:
        """How many live canonical records there are."""

    def ripen(self, limit: int = 500) -> int:
        """Do one transaction of owed work: records whose embargo has ended become public, and records that show something of a changed
        one get new change numbers. How many were done (0: nothing is owed now). The projector calls it before it reads `head`."""


class LaunchLedger(Protocol):
    """Launches with append-only events, owed work, and one-time tickets."""

    def acquire(self, name: str, owner: str, seconds: float) -> Lease | None:
        """As in HarvestLedger."""

    def renew(self, lease: Lease, seconds: float) -> Lease:
        """As in HarvestLedger."""

    def release(self, lease: Lease) -> None:
        """As in HarvestLedger."""

    def request(self, request: LaunchRequest, key: str | None, another: bool, expires: datetime) -> tuple[Launch, bool]:
        """The launch of this request and whether it is new. Idempotent on (principal, key): the same body gives the same launch,
        another body raises Conflict; without key a live launch of the same body is given unless `another`."""

    def launch(self, id: str) -> Launch | None:
        """The launch of that id."""

    def ours(self, id: str) -> bool:
        """Whether this gateway gave that id, also when the launch is not known any more."""

    def launches(self, principal: str, first: int, before: str | None) -> tuple[list[Launch], int]:
        """The person's launches, newest first, older than launch `before`, and how many there are in all."""

    def alive(self, *, trigger: str | None = None, principal: str | None = None) -> list[Launch]:
        """Launches that may have something at a site."""

    def started_since(self, principal: str, since: datetime) -> int:
        """How many launches the person asked for since then."""

    def owed(self, now: datetime, limit: int) -> list[Launch]:
        """Launches with work due (`due` has come) that nobody holds a lease of."""

    def record(
        self,
        lease: Lease | None,
        launch: Launch,
        event: LaunchEvent | None,
        *,
        due: datetime | None,
        handle: dict[str, str] | None = None,
        expires: datetime | None = None,
        known: datetime | None = None,
        attempts: int | None = None,
    ) -> Launch:
        """Append an event (its id and time are given by the ledger) and move the launch, in one transaction, if its `version` is
        still that of `launch` and the lease (when given) still holds; raises Conflict or LeaseLost. Illegal moves raise ValueError."""

    def want(self, id: str, wanted: str) -> Launch:
        """Note what the person wants ("run" or "stop") and make the launch due at once."""

    def extend(self, id: str, expires: datetime) -> Launch:
        """A later end of the lease on the session."""

    def events(self, launch: str, after: int = 0) -> list[LaunchEvent]:
        """Events of a launch above that event id, in order."""

    def events_since(self, after: int, launches: Iterable[str]) -> list[tuple[str, LaunchEvent]]:
        """Events of any of the launches above that id, in order (one poller a process serves all subscriptions)."""

    def ticket(self, launch: str, principal: str, session: str, expires: datetime) -> str:
        """A new one-time ticket (≥ 256 random bits; only its hash is kept) for opening a launch."""

    def redeem(self, ticket: str, principal: str, session: str, now: datetime) -> str | None:
        """The launch a ticket opens, consuming it in one conditional update; None when it is unknown, used, expired or another's."""

    def capability(self, trigger: str) -> TriggerState | None:
        """What a platform could do when last looked at."""

    def note_capability(self, state: TriggerState) -> None:
        """Keep what a worker found out about a platform."""

    def typical_seconds(self, trigger: str) -> int | None:
        """The median time from request to READY of the platform's recent launches."""


class TriggerState(msgspec.Struct, frozen=True):
    """What a platform could do at `at`: whether it answered, and a sentence if it did not."""

    trigger: str
    at: datetime
    up: bool
    message: str = ""
    version: str = ""


class Session(msgspec.Struct, frozen=True):
    """A sign-in session: the viewer and, encrypted, the tokens. `csrf` is this session's form token."""

    hash: str
    viewer: Viewer
    csrf: str
    tokens: bytes
    expires: datetime
    created: datetime


class SessionStore(Protocol):
    """Sign-in sessions, by the hash of the id that the cookie carries."""

    def put(self, session: Session) -> None:
        """Keep a session (a new one or with refreshed tokens)."""

    def get(self, hash: str, now: datetime) -> Session | None:
        """The live session of that hash."""

    def refresh_lock(self, hash: str, owner: str, seconds: float) -> bool:
        """Whether the caller may refresh this session's tokens now (one at a time; refresh tokens rotate)."""

    def remove(self, hash: str) -> None:
        """Sign out."""

    def purge(self, now: datetime) -> int:
        """Forget expired sessions, sign-in states and tickets; how many."""

    def put_state(self, state: str, data: bytes, expires: datetime) -> None:
        """Keep what a started sign-in needs at its callback (nonce, verifier, where to go on)."""

    def take_state(self, state: str, now: datetime) -> bytes | None:
        """That data, once."""


class Index(Protocol):
    """A search engine behind which nothing of the engine shows. Every adapter passes tests/contracts/index."""

    @property
    def at_once(self) -> int:
        """How many batches with different documents it is good to write at a time."""

    def search(self, search: Search) -> Found:
        """The answer. Raises CursorExpired, CursorInvalid, Unavailable."""

    def get(self, kind: Kind, pid: str, groups: frozenset[str]) -> bytes | None:
        """The stored document (JSON) of that pid if it is public or open to one of the groups."""

    def get_many(self, kind: Kind, pids: Sequence[str], groups: frozenset[str]) -> dict[str, bytes]:
        """The same for many."""

    def suggest(self, text: str, first: int) -> list[Suggestion]:
        """Completions from public records."""

    def counts(self) -> dict[str, int]:
        """Public datasets of each facility."""

    def mark(self) -> int:
        """The high-water mark: every change up to it is in the index."""

    def apply(self, entries: Sequence[Entry], mark: int) -> None:
        """Write entries (a version at or below the one already there is skipped) and move the mark; searches see it soon after."""

    def rebuild(self) -> Rebuild:
        """A new, empty index built aside."""

    def drop_old(self) -> int:
        """Delete what a swap has replaced and kept for lists that are being read; how many there were. What is being built stays."""

    def close(self) -> None:
        """Let go of files, locks and connections."""


class Held(msgspec.Struct, frozen=True):
    """What an index being built aside holds: `live` documents, tombstones not among them, as its engine counts them; and how many are
    `refused`, that is: the engine cannot take them as they are now, and each was reported."""

    live: int
    refused: int = 0


class Rebuild(Protocol):
    """An index being built aside, invisible until `swap`."""

    def apply(self, entries: Sequence[Entry], mark: int) -> None:
        """As Index.apply, into the new one."""

    def held(self) -> Held:
        """What it holds of all that was applied. Asked of the engine, never reckoned from what it was given. Raises Unavailable."""

    def swap(self) -> None:
        """From now on searches use the new index; the old one is kept until open searchers are done."""

    def abandon(self) -> None:
        """Throw the new one away."""
