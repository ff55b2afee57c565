"""This file is what comes next in a launch's life and how soon: the rules of the line without its calls. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum

from schema.activities import FINAL, Launch, LaunchEvent, LaunchState
from triggers.ports import Observation

UP = frozenset({LaunchState.READY, LaunchState.OPENED})
COMING = frozenset({LaunchState.PREPARING, LaunchState.QUEUED, LaunchState.STARTING})

READY_EVERY = timedelta(seconds=30)
DOUBTS = 2
"""Failed looks in a row after which a launch shows UNKNOWN: one lost packet is no news."""
CLEANINGS = 20
"""How often the line tries to remove what a failed launch left; the reconciler goes on after that."""


class Step(Enum):
    """What the line does next with a launch."""

    CHECK = "check"
    START = "start"
    OBSERVE = "observe"
    STOP = "stop"
    CLEAN = "clean"
    REST = "rest"


def step_of(launch: Launch, now: datetime) -> Step:
    """The next step. What the person wants, and then the end of the lease, come before everything else."""
    if launch.state in FINAL:
        return Step.CLEAN if launch.handle is not None and launch.due is not None else Step.REST
    if launch.state is LaunchState.STOPPING or launch.wanted == "stop" or is_over(launch, now):
        return Step.STOP
    if launch.state is LaunchState.REQUESTED:
        return Step.CHECK
    if launch.state is LaunchState.CHECKED:
        return Step.START
    if launch.state in (LaunchState.AWAITING_USER, LaunchState.HANDED_OFF):
        return Step.REST
    return Step.OBSERVE


def is_over(launch: Launch, now: datetime) -> bool:
    """Whether the lease on the session has ended."""
    return launch.expires is not None and launch.expires <= now


def next_look(state: LaunchState, age: timedelta) -> timedelta:
    """How long until a launch of that age is looked at again: quickly at first, since a person waits."""
    if state in UP:
        return READY_EVERY
    seconds = age.total_seconds()
    return timedelta(seconds=1 if seconds < 30 else 3 if seconds < 120 else 10)


def backoff(attempts: int, chance: float) -> timedelta:
    """How long until a call that failed `attempts` times is repeated: doubling from 1 s up to 5 min, half of it by chance (0 to 1)."""
    longest = min(300.0, 2.0 ** max(0, min(attempts, 20) - 1))
    return timedelta(seconds=longest * (0.5 + 0.5 * chance))


def known_state(launch: Launch, events: Sequence[LaunchEvent]) -> LaunchState:
    """The state a launch was in when we last could tell."""
    if launch.state is not LaunchState.UNKNOWN:
        return launch.state
    told = [event.state for event in events if event.state is not LaunchState.UNKNOWN]
    return told[-1] if told else LaunchState.CHECKED


def joined(launch: Launch, news: Observation | None, seen: Observation) -> Observation:
    """A probe's answer, and where that has no words of its own (it is under way, no more), those of the event stream: the newest, else
    those that stand already. The probe says the state; the stream only whether it waits its turn."""
    if seen.message or seen.state not in COMING:
        return seen
    told, state = "The session is being started.", seen.state
    progress = None
    handle = seen.handle
    if news is not None and news.state in COMING:
        told, state, progress, handle = news.message, news.state, news.progress, seen.handle or news.handle
    elif launch.state in COMING:
        told, state = launch.message, launch.state
    return Observation(state, told, progress, seen.native, seen.evidence, handle=handle)
