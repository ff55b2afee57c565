"""This file is which kinds of platform there are and how each is opened: one literal line a kind."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from schema.activities import Capabilities, OpenKind
from schema.errors import Misconfigured
from schema.federation import Facility, Federation, Trigger
from triggers import jupyterhub
from triggers.ports import Clock, Opener, Secrets, TriggerAdapter


class Kind(msgspec.Struct, frozen=True):
    """A kind of platform: how it is opened, and what it can do before anything is opened."""

    opener: Opener
    capabilities: Capabilities


KINDS: Mapping[str, Kind] = {
    # next to come, a line each: binderhub, visa, guacamole, vnc, nomachine, fastx, xrdp, ssh
    "jupyterhub": Kind(jupyterhub.open_jupyterhub, jupyterhub.CAPABILITIES),
}

NOTHING = Capabilities(start=False, watch=False, stop=False, link_only=False, opens_as=OpenKind.REDIRECT)


class Platform(msgspec.Struct, frozen=True):
    """A trigger of the federation, opened; `adapter` is None when it cannot be, and `problem` says why. `key` is "facility/trigger"."""

    key: str
    facility: Facility
    trigger: Trigger
    adapter: TriggerAdapter | None
    problem: str = ""

    @property
    def name(self) -> str:
        """What it is called in sentences."""
        return platform_name(self.facility, self.trigger)


def platform_name(facility: Facility, trigger: Trigger) -> str:
    """A trigger's name for people."""
    return trigger.name or f"{facility.shortName or facility.name} {trigger.kind}"


def capabilities_of(trigger: Trigger) -> Capabilities:
    """What a trigger of that kind can do; nothing, when the kind is not known here."""
    kind = KINDS.get(trigger.kind)
    return NOTHING if kind is None else kind.capabilities


def open_platforms(federation: Federation, secrets: Secrets, clock: Clock) -> dict[str, Platform]:
    """Every enabled trigger by its "facility/trigger" name. One that cannot be opened is there too and says why: the rest goes on."""
    return {
        key: open_platform(facility, trigger, secrets, clock)
        for key, (facility, trigger) in federation.triggers().items()
    }


def open_platform(facility: Facility, trigger: Trigger, secrets: Secrets, clock: Clock) -> Platform:
    """One trigger, opened if that is possible. Nothing is asked yet."""
    key = f"{facility.id}/{trigger.id}"
    kind = KINDS.get(trigger.kind)
    if kind is None:
        return Platform(
            key, facility, trigger, None, f"There is no adapter for platforms of the kind {trigger.kind} yet."
        )
    try:
        return Platform(key, facility, trigger, kind.opener(facility, trigger, secrets, clock))
    except Misconfigured as error:
        return Platform(key, facility, trigger, None, error.message)


def close_platforms(platforms: Mapping[str, Platform]) -> None:
    """Let go of every platform's connections."""
    for platform in platforms.values():
        if platform.adapter is not None:
            platform.adapter.close()
