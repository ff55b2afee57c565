"""This file is how the platforms stand: a worker looks, a row is kept, and nobody has to ask a facility while a reader waits."""

from __future__ import annotations

from catalogue.ports import LaunchLedger, TriggerState
from schema.errors import RetryLater
from triggers.ports import Clock, PlatformState, Refused
from triggers.registry import Platform


def look(platform: Platform, ledger: LaunchLedger, clock: Clock) -> TriggerState:
    """Look at a platform and keep what was found. While it stays down, `at` stays the moment since when."""
    found = _found(platform)
    before = ledger.capability(platform.key)
    since = before.at if before is not None and not before.up and not found.up else clock()
    state = TriggerState(platform.key, since, found.up, found.message, found.version)
    ledger.note_capability(state)
    return state


def _found(platform: Platform) -> PlatformState:
    if platform.adapter is None:
        return PlatformState(up=False, message=platform.problem)
    try:
        return platform.adapter.look()
    except RetryLater as error:
        return PlatformState(up=False, message=error.message)
    except Refused as refused:
        return PlatformState(up=False, message=refused.failure.message)
