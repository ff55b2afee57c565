"""This file is the contract of a harvester: what an adapter of a catalogue kind gives and gets.

An adapter only fetches and converts. It runs in a child process bounded in memory and time, writes nothing, and streams `Step`s;
the parent commits each as one transaction before the next bookmark counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

import msgspec

from schema.activities import Bookmark, HarvestMode
from schema.federation import Facility, Source
from schema.records import AnyRecord, Kind, Reject
from schema.techniques import Vocabulary


class Order(msgspec.Struct, frozen=True):
    """What to harvest. `since` is the bookmark the last finished harvest left (incremental only); `resume` is where an interrupted
    run of the same harvest goes on (empty: from the beginning). With `ids`, only those records are fetched (the line asks for what
    an id sweep named and the catalogue does not have as new)."""

    mode: HarvestMode
    since: Bookmark = Bookmark()
    resume: Bookmark = Bookmark()
    ids: tuple[tuple[Kind, str], ...] = ()


class Step(msgspec.Struct, frozen=True, tag=True):
    """One piece of progress, at most 500 records. `bookmark` resumes after it. `total` is an estimate for progress bars.

    `seen`: ids that exist, with the revision (`Record.revision`) the source tells for each (None: it tells none); the line has
    those fetched that the catalogue knows not or of another revision. `gone`: ids the source says are gone.
    """

    records: tuple[AnyRecord, ...] = ()
    rejects: tuple[Reject, ...] = ()
    seen: tuple[tuple[Kind, str, str | None], ...] = ()
    gone: tuple[tuple[Kind, str], ...] = ()
    bookmark: Bookmark = Bookmark()
    message: str = ""
    total: int | None = None


class End(msgspec.Struct, frozen=True, tag=True):
    """The last thing a walk yields. `complete`: everything there was has been named, so what was not may be swept among `kinds`;
    `next`: the bookmark for the next incremental harvest; `warnings`: sentences for the operator."""

    complete: bool
    kinds: tuple[Kind, ...]
    next: Bookmark
    warnings: tuple[str, ...] = ()


class Harvester(Protocol):
    """One source of one kind, opened."""

    def walk(self, order: Order) -> Iterator[Step | End]:
        """Steps, then one End. Raises RetryLater (the run fails and goes on from its bookmark later) and StopHarvest (a person
        must act)."""

    def probe(self) -> Probe:
        """A quick look that changes nothing: does it answer, who are we there, how much is there."""

    def close(self) -> None:
        """Log out and let go of the connection."""


class Probe(msgspec.Struct, frozen=True):
    """What a quick look at a source found."""

    ok: bool
    message: str
    version: str = ""
    identity: str = ""
    counts: dict[str, int] = {}
    sample: tuple[AnyRecord, ...] = ()
    rejects: tuple[Reject, ...] = ()


class Secrets(Protocol):
    """Where the values of named secrets come from; the roof hands it in."""

    def secret(self, name: str) -> str:
        """The value of a named secret. Raises Misconfigured naming the variable, never a value."""


class Opener(Protocol):
    """How the registry makes a harvester of a kind."""

    def __call__(
        self, facility: Facility, source: Source, secrets: Secrets, clock: Clock, vocabulary: Vocabulary | None = None
    ) -> Harvester:
        """The harvester of that source; its techniques are named by the vocabulary, the packaged one without."""


class Clock(Protocol):
    """The time, so that tests own it."""

    def __call__(self) -> datetime:
        """Now, aware, UTC."""
