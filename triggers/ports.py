"""This file is the contract of a trigger adapter: how one analysis platform is asked, watched, opened and stopped.

No adapter sees GraphQL, storage or the web framework. Calls are short (a watch too): the launch line calls again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import msgspec

from schema.activities import Capabilities, Failure, LaunchRequest, LaunchState, OpenKind
from schema.errors import RetryLater
from schema.federation import Facility, Trigger


class Handle(msgspec.Struct, frozen=True):
    """What an adapter needs to find its native session again. No secrets; kept with the launch."""

    values: dict[str, str]


class Observation(msgspec.Struct, frozen=True):
    """What was seen at the site. `state` UNKNOWN means cannot tell, and is never guessed; `evidence` says what it rests on.
    An empty `message` of a session that is under way means nothing new to say: what the platform said last stays."""

    state: LaunchState
    message: str
    progress: int | None = None
    native: str = ""
    evidence: str = ""
    failure: Failure | None = None
    handle: Handle | None = None


class Refused(Exception):
    """The platform (or our own check) says no; `failure` tells the user why and what next. Never retried by itself."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Full(RetryLater):
    """The platform has no room at present; `not_before` is when it said to ask again."""


class OpenInstruction(msgspec.Struct, frozen=True):
    """How the user's browser gets in, made at click time, short-lived. `url` for REDIRECT; `body`, `media_type`, `name` for
    DOWNLOAD; `fields` for FORM; `body` for COMMAND."""

    kind: OpenKind
    url: str = ""
    body: str = ""
    media_type: str = ""
    name: str = ""
    fields: dict[str, str] = {}


class Native(msgspec.Struct, frozen=True):
    """Something at the site that carries our label: the launch id it names, and since when it exists."""

    launch: str
    handle: Handle
    since: datetime | None


class PlatformState(msgspec.Struct, frozen=True):
    """What a platform can do at present."""

    up: bool
    message: str = ""
    version: str = ""


class TriggerAdapter(Protocol):
    """One platform of one facility, opened. RetryLater may be raised by every call that asks the platform."""

    capabilities: Capabilities

    def look(self) -> PlatformState:
        """Whether it answers and whether our rights there suffice, changing nothing."""

    def preflight(self, request: LaunchRequest) -> None:
        """A dry check before anything starts. Raises Refused."""

    def intent(self, id: str, request: LaunchRequest) -> Handle | None:
        """The handle that `start` will give as far as it is known before the call (no call is made). It is kept before the
        platform is asked, so that what a crash leaves behind can still be watched and stopped."""

    def start(self, id: str, request: LaunchRequest) -> Observation:
        """Start the session named after the launch id; safe to repeat (an existing one of that name is adopted). Raises Refused."""

    def probe(self, handle: Handle, request: LaunchRequest) -> Observation:
        """How the session stands. READY only on evidence."""

    def watch(self, handle: Handle, request: LaunchRequest, seconds: float) -> Observation | None:
        """News within `seconds` from the platform's event stream if it has one (a hint, always followed by a probe)."""

    def open(self, handle: Handle, request: LaunchRequest) -> OpenInstruction:
        """How the user's browser opens it. Never holds a credential of the gateway."""

    def stop(self, handle: Handle, request: LaunchRequest | None) -> bool:
        """End and remove it; True when nothing is left (an unknown session is nothing left), False while it is still stopping.
        Without `request` it is a session that no launch is known of."""

    def owned(self) -> list[Native]:
        """Everything at the site that carries our label, for reconciliation."""

    def close(self) -> None:
        """Let go of connections."""


class Secrets(Protocol):
    """Where the values of named secrets come from; the roof hands it in."""

    def secret(self, name: str) -> str:
        """The value of a named secret. Raises Misconfigured naming the variable, never a value."""


class Clock(Protocol):
    """The time, so that tests own it."""

    def __call__(self) -> datetime:
        """Now, aware, UTC."""


class Opener(Protocol):
    """How the registry makes an adapter of a kind."""

    def __call__(self, facility: Facility, trigger: Trigger, secrets: Secrets, clock: Clock) -> TriggerAdapter:
        """The adapter of that trigger."""
