"""This file is the last cleanup net: what carries our label at a site, held against the ledger.

The first net is the platform's own limits (docs), the second the lease that the launch line ends. Rules: trigger-targets
reference, 10.4. Whatever cannot be told is left alone.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from catalogue.ports import LaunchLedger
from schema.activities import ALIVE, FINAL, Launch, LaunchState
from schema.errors import Conflict, RetryLater
from triggers.launch import Line
from triggers.ports import Native, Refused, TriggerAdapter
from triggers.registry import Platform

GRACE = timedelta(minutes=10)
"""How old something unknown must be before it is ended: a start may be a moment older than what we know of it."""


class Report(msgspec.Struct, frozen=True):
    """What was found: ids ended at the site, ids of launches to be looked at because the site has nothing of them, and why nothing
    could be told, if so."""

    ended: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    problem: str = ""


def reconcile(platform: Platform, line: Line, grace: timedelta = GRACE) -> Report:
    """Hold one platform against the ledger: named by this gateway and unknown, or long over, and older than the grace time: ended.
    In the ledger but not there: made due, so that the line looks by name and says LOST on its own evidence."""
    adapter = platform.adapter
    if adapter is None or not adapter.capabilities.stop:
        return Report()
    expected = [launch for launch in line.ledger.alive(trigger=platform.key) if _should_be_there(launch)]
    try:
        there = adapter.owned()
    except RetryLater as error:
        return Report(problem=error.message)
    except Refused as refused:
        return Report(problem=refused.failure.message)
    orphans = [native for native in there if _is_orphan(native, line.ledger, line.clock(), grace)]
    ended = [native.launch for native in orphans if _end(adapter, native)]
    found = {native.launch for native in there}
    missing = [launch.id for launch in expected if launch.id not in found and _make_due(line, launch)]
    return Report(tuple(ended), tuple(missing))


def _should_be_there(launch: Launch) -> bool:
    return launch.state in (LaunchState.READY, LaunchState.OPENED) and launch.handle is not None


def _is_orphan(native: Native, ledger: LaunchLedger, now: datetime, grace: timedelta) -> bool:
    if native.since is None or now - native.since < grace:  # without an age nothing is old
        return False
    launch = ledger.launch(native.launch)
    if launch is None:
        return ledger.ours(native.launch)  # else it is another gateway's on the same platform
    if launch.state in ALIVE or launch.state not in FINAL:
        return False
    return launch.due is None and (launch.known is None or now - launch.known >= grace)


def _end(adapter: TriggerAdapter, native: Native) -> bool:
    try:
        return adapter.stop(native.handle, None)
    except (RetryLater, Refused):
        return False


def _make_due(line: Line, launch: Launch) -> bool:
    try:
        line.ledger.record(None, launch, None, due=line.clock())
    except Conflict:  # it moved meanwhile
        return False
    return True
