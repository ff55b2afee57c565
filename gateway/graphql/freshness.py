"""This file is how well we know a source and a facility: from the ledger's states and the intervals in federation.yaml."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from catalogue.ports import SourceState
from gateway.graphql.context import Context
from schema.federation import Source

_WORST = ("FAILING", "STALE", "NEVER", "FRESH")


async def states(context: Context) -> dict[str, SourceState]:
    """How every source stands, asked once a request."""

    async def ask() -> dict[str, SourceState]:
        return {state.source: state for state in await context.sources.states()}

    return await context.memo.get("states", ask)


def of_source(state: SourceState | None, interval: timedelta, now: datetime) -> str:
    """FRESH, STALE, FAILING or NEVER."""
    if state is None or state.last_done is None:
        return "NEVER"
    if state.failing_since is not None:
        return "FAILING"
    return "FRESH" if now - state.last_done <= 2 * interval else "STALE"


def of_facility(
    sources: Sequence[tuple[str, Source]], known: dict[str, SourceState], now: datetime
) -> tuple[str, datetime | None]:
    """The state of the source we know worst, and the time up to which all are known that ever were."""
    states = [of_source(known.get(name), source.interval, now) for name, source in sources]
    times = [state.last_done for name, _ in sources if (state := known.get(name)) and state.last_done]
    if not times:
        return "NEVER", None
    worst = next(state for state in _WORST if state in states)
    return ("STALE" if worst == "NEVER" else worst), min(times)
