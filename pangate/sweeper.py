"""This file is what is owed now, derived from the tables alone: harvests whose time has come, launches with a step due."""

from __future__ import annotations

from datetime import datetime, timedelta

from catalogue.ports import SourceState
from pangate.house import House
from schema.activities import HarvestMode
from schema.federation import Source
from triggers import launch

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(hours=6)


def owed_harvests(house: House) -> list[tuple[str, HarvestMode]]:
    """Harvests asked for or interrupted, then those whose interval has passed, in the file's order."""
    now = house.clock()
    sources = house.federation.sources()
    owed = {source: mode for source, mode in house.harvests.owed(now) if source in sources}
    states = {state.source: state for state in house.harvests.states()}
    for name, (_, source) in sources.items():
        if name not in owed and (mode := due(source, states.get(name), now)) is not None:
            owed[name] = mode
    return list(owed.items())


def due(source: Source, state: SourceState | None, now: datetime) -> HarvestMode | None:
    """Whether, and how, a source is to be harvested by its intervals. A failing one is asked ever more rarely: the pause is as
    long as it has been failing, a minute at least and six hours at most."""
    if state is None or state.last_attempt is None:
        return HarvestMode.FULL
    if state.running is not None:
        return None
    if state.failing_since is not None:
        pause = min(LONGEST, max(SHORTEST, state.last_attempt - state.failing_since))
        if now < state.last_attempt + pause:
            return None
    if state.last_full is None or now >= state.last_full + source.full:
        return HarvestMode.FULL
    if state.last_done is None or now >= state.last_done + source.interval or state.failing_since is not None:
        return HarvestMode.INCREMENTAL
    return None


def owed_launches(house: House) -> list[str]:
    """Launches a step is owed to."""
    return launch.sweep(house.line)
