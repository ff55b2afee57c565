"""This file is what happens over time: harvests and launches, their states, and which move may follow which.

Launch states and failure codes: the public interface (`schema.graphql`) and reference design of analysis platforms.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Any

import msgspec


class HarvestMode(StrEnum):
    """Full: every record is asked for and what was not seen is swept. Incremental: what changed since the bookmark."""

    FULL = "full"
    INCREMENTAL = "incremental"


class HarvestState(StrEnum):
    """Running; done; done with rejects beyond the tolerated share; failed (goes on from its bookmark next time); held
    (a sweep waits for a person)."""

    RUNNING = "running"
    DONE = "done"
    DEGRADED = "degraded"
    FAILED = "failed"
    HELD = "held"


class Bookmark(msgspec.Struct, frozen=True):
    """An opaque place to resume from, as the adapter wrote it (JSON object). Never ahead of what has been committed."""

    state: dict[str, Any] = {}


class Figures(msgspec.Struct, frozen=True):
    """What a harvest did so far. `unchanged` are records that came again with the same content, `left_out` parameters that are kept
    to be read only, since their facility has brought too many names of them."""

    pages: int = 0
    seen: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    rejected: int = 0
    left_out: int = 0


class LaunchState(StrEnum):
    """The gateway's own view of an analysis session."""

    REQUESTED = "REQUESTED"
    CHECKED = "CHECKED"
    AWAITING_USER = "AWAITING_USER"
    PREPARING = "PREPARING"
    QUEUED = "QUEUED"
    STARTING = "STARTING"
    READY = "READY"
    OPENED = "OPENED"
    STOPPING = "STOPPING"
    STOPPED = "STOPPED"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"
    LOST = "LOST"
    UNKNOWN = "UNKNOWN"
    HANDED_OFF = "HANDED_OFF"


class FailureCode(StrEnum):
    """Why a launch failed, by what the user can do about it."""

    AUTH_REQUIRED = "AUTH_REQUIRED"
    FORBIDDEN = "FORBIDDEN"
    QUOTA = "QUOTA"
    CAPACITY = "CAPACITY"
    BAD_OPTION = "BAD_OPTION"
    BUILD_FAILED = "BUILD_FAILED"
    START_TIMEOUT = "START_TIMEOUT"
    DIED = "DIED"
    UPSTREAM_UNAVAILABLE = "UPSTREAM_UNAVAILABLE"
    CONFLICT = "CONFLICT"
    UNSUPPORTED = "UNSUPPORTED"
    INTERNAL = "INTERNAL"


class Failure(msgspec.Struct, frozen=True):
    """A failure as its user reads it: what happened, what to do next, and whether trying again is safe."""

    code: FailureCode
    message: str
    next_step: str
    retry: bool = False
    retry_after: datetime | None = None
    link: str | None = None


_S = LaunchState

FINAL = frozenset({_S.STOPPED, _S.FAILED, _S.EXPIRED, _S.LOST})
"""States a launch never leaves."""

ALIVE = frozenset(set(LaunchState) - FINAL - {_S.HANDED_OFF})
"""States in which something may exist at the site."""

_UNDER_WAY = {_S.PREPARING, _S.QUEUED, _S.STARTING, _S.READY, _S.FAILED, _S.UNKNOWN, _S.LOST, _S.EXPIRED, _S.STOPPING}

MOVES: Mapping[LaunchState, frozenset[LaunchState]] = {
    _S.REQUESTED: frozenset({_S.CHECKED, _S.AWAITING_USER, _S.FAILED, _S.STOPPING, _S.STOPPED, _S.EXPIRED}),
    _S.CHECKED: frozenset({_S.AWAITING_USER, _S.HANDED_OFF} | _UNDER_WAY),
    _S.AWAITING_USER: frozenset({_S.CHECKED, _S.HANDED_OFF, _S.STOPPED} | _UNDER_WAY),
    _S.PREPARING: frozenset({_S.HANDED_OFF} | _UNDER_WAY),
    _S.QUEUED: frozenset(_UNDER_WAY),
    _S.STARTING: frozenset(_UNDER_WAY),
    _S.READY: frozenset({_S.OPENED, _S.STOPPING, _S.LOST, _S.EXPIRED, _S.UNKNOWN, _S.FAILED}),
    _S.OPENED: frozenset({_S.READY, _S.STOPPING, _S.LOST, _S.EXPIRED, _S.UNKNOWN, _S.FAILED}),
    _S.UNKNOWN: frozenset({_S.OPENED} | _UNDER_WAY),
    _S.STOPPING: frozenset({_S.STOPPED, _S.LOST, _S.EXPIRED, _S.FAILED}),
    _S.HANDED_OFF: frozenset({_S.STOPPING, _S.STOPPED, _S.EXPIRED}),
    _S.STOPPED: frozenset(),
    _S.FAILED: frozenset(),
    _S.EXPIRED: frozenset(),
    _S.LOST: frozenset(),
}


def may_move(before: LaunchState, after: LaunchState) -> bool:
    """Whether a launch in `before` may enter `after`. Staying (news within a state) is always a legal event."""
    return before == after or after in MOVES[before]


LAUNCH_ID = re.compile(r"a[a-z2-7]{20}")
"""The form of a launch's id: it is also the name of its session at the site, and fits every platform's rule for names
(JupyterHub 6: 1 to 30 lower-case letters, digits and single hyphens, a letter first)."""


def launch_id(random: bytes, key: bytes) -> str:
    """The id made of at least 9 random bytes by the gateway of that key (at most 64 bytes): `a`, 13 lower-case base32 characters of
    chance (65 bits), and 7 that nobody makes of them without the key (35 bits)."""
    if len(random) < 9:
        raise ValueError("a launch id is made of at least 9 random bytes")
    chance = _base32(random)[:13]
    return f"a{chance}{_base32(blake2b(chance.encode(), key=key).digest())[:7]}"


def named_by(id: str, key: bytes) -> bool:
    """Whether the gateway of that key made this id: by that it knows its own sessions on a platform it shares with others."""
    mark = _base32(blake2b(id[1:14].encode(), key=key).digest())[:7]
    return LAUNCH_ID.fullmatch(id) is not None and id[14:] == mark


def _base32(data: bytes) -> str:
    return base64.b32encode(data).decode().lower()


class OpenKind(StrEnum):
    """How a user gets into what was started."""

    REDIRECT = "REDIRECT"
    DOWNLOAD = "DOWNLOAD"
    FORM = "FORM"
    COMMAND = "COMMAND"


class Capabilities(msgspec.Struct, frozen=True):
    """What a trigger can do."""

    start: bool
    watch: bool
    stop: bool
    link_only: bool
    opens_as: OpenKind


class LaunchRequest(msgspec.Struct, frozen=True):
    """What a person asked for, complete, as it is kept with the launch. `trigger` is "facility/trigger".

    `user` is the person's name at the platform (from the trigger's `user` claim); `options` are the allow-listed extras.
    """

    principal: str
    viewer_name: str
    facility: str
    trigger: str
    dataset: str
    dataset_title: str
    path: str | None
    user: str
    procedure: str | None
    environment: str | None
    options: dict[str, str] = {}


class LaunchEvent(msgspec.Struct, frozen=True):
    """One step in a launch's life, appended and never changed. `id` rises within the whole ledger."""

    id: int
    at: datetime
    state: LaunchState
    message: str
    progress: int | None = None
    failure: Failure | None = None


class Launch(msgspec.Struct, frozen=True):
    """One analysis session from request to end, as the ledger keeps it. `handle` is the adapter's own, without secrets."""

    id: str
    request: LaunchRequest
    key: str | None
    state: LaunchState
    message: str
    created: datetime
    known: datetime | None
    expires: datetime | None
    handle: dict[str, str] | None
    failure: Failure | None
    wanted: str
    due: datetime | None
    attempts: int
    version: int
