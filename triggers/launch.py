"""This file is the line of a launch: one short step at a time, under a lease, everything kept before and after each call.

State machine, deadlines and cleanup: trigger-targets reference, section 10. Nothing but the ledger is needed to go on after a crash:
the intent (with the handle) is kept before the platform is asked, and every adapter takes over what is there already.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypedDict, Unpack

from catalogue.ports import LaunchLedger, Lease, launch_lease
from schema.activities import FINAL, Failure, FailureCode, Launch, LaunchEvent, LaunchState
from schema.errors import Conflict, LeaseLost, RetryLater
from triggers.pace import (
    CLEANINGS,
    COMING,
    DOUBTS,
    UP,
    Step,
    backoff,
    joined,
    known_state,
    next_look,
    step_of,
)
from triggers.ports import Clock, Full, Handle, Observation, Refused, TriggerAdapter
from triggers.registry import Platform

LEASE_S = 120.0
"""Longer than the calls of a step may take together."""
STEPS = 4
LISTEN_S = 1.0
FULL_AGAIN = timedelta(seconds=15)


@dataclass(frozen=True)
class Line:
    """What a step needs. `owner` names this process; `chance` is the jitter of pauses."""

    ledger: LaunchLedger
    platforms: Mapping[str, Platform]
    clock: Clock
    owner: str
    chance: Callable[[], float] = random.random


@dataclass(frozen=True)
class _Turn:
    """One launch in hand."""

    line: Line
    lease: Lease
    launch: Launch
    platform: Platform
    adapter: TriggerAdapter

    @property
    def now(self) -> datetime:
        return self.line.clock()

    @property
    def handle(self) -> Handle:
        return Handle(self.launch.handle or {})


class _Kept(TypedDict, total=False):
    """What is kept with an event."""

    handle: dict[str, str] | None
    known: datetime | None
    expires: datetime | None
    attempts: int | None


def sweep(line: Line, limit: int = 100) -> list[str]:
    """The ids of launches that a step is owed to now."""
    return [launch.id for launch in line.ledger.owed(line.clock(), limit)]


def advance(id: str, line: Line) -> Launch | None:
    """The launch after its next steps; None when somebody else is at it, or took it over meanwhile. Safe to call at any time, and
    again after a crash at any point."""
    owner = f"{line.owner}/{threading.get_ident()}"  # two threads of one process are two workers
    lease = line.ledger.acquire(launch_lease(id), owner, LEASE_S)
    if lease is None:
        return None
    try:
        launch = line.ledger.launch(id)
        for _ in range(STEPS):
            if launch is None or launch.due is None or launch.due > line.clock():
                break
            launch = _step(line, lease, launch)
        return launch
    except (LeaseLost, Conflict):  # what moved it has made it due again
        return None
    finally:
        line.ledger.release(lease)


def _step(line: Line, lease: Lease, launch: Launch) -> Launch:
    step = step_of(launch, line.clock())
    platform = line.platforms.get(launch.request.trigger)
    if step is Step.REST:
        return line.ledger.record(lease, launch, None, due=None if launch.state in FINAL else launch.expires)
    if platform is None or platform.adapter is None:
        return _orphaned(line, lease, launch, platform)
    turn = _Turn(line, lease, launch, platform, platform.adapter)
    return _STEPS[step](turn)


def _orphaned(line: Line, lease: Lease, launch: Launch, platform: Platform | None) -> Launch:
    """The platform is not in the federation any more, or cannot be opened: nothing more can be done or said."""
    if launch.state in FINAL:
        return line.ledger.record(lease, launch, None, due=None)
    failure = Failure(
        code=FailureCode.UNSUPPORTED,
        message="This analysis platform is not on offer any more." if platform is None else platform.problem,
        next_step="Choose another platform; what may still run there ends by the site's own limits.",
    )
    event = LaunchEvent(0, line.clock(), LaunchState.FAILED, failure.message, failure=failure)
    if launch.state is LaunchState.HANDED_OFF:
        event = LaunchEvent(0, line.clock(), LaunchState.STOPPED, failure.message)
    return line.ledger.record(lease, launch, event, due=None)


def _check(turn: _Turn) -> Launch:
    try:
        turn.adapter.preflight(turn.launch.request)
    except Refused as refused:
        return _fail(turn, refused.failure)
    except RetryLater as error:
        return _again(turn, error)
    message = f"{turn.platform.name} can take it."
    return _note(turn, LaunchState.CHECKED, message, due=turn.now, attempts=0, known=turn.now)


def _start(turn: _Turn) -> Launch:
    try:
        if turn.launch.handle is None:
            if _in_flight(turn) >= turn.platform.trigger.limits.concurrent:
                return _wait(
                    turn, "Many sessions are being started there; yours is next in turn.", timedelta(seconds=3)
                )
            return _intend(turn)
        seen = turn.adapter.start(turn.launch.id, turn.launch.request)
    except Refused as refused:
        return _fail(turn, refused.failure)
    except RetryLater as error:
        return _again(turn, error)
    return _follow(turn, joined(turn.launch, None, seen))


def _intend(turn: _Turn) -> Launch:
    """Keep what is about to be asked, with the name by which it is found again, before the platform is asked."""
    intent = turn.adapter.intent(turn.launch.id, turn.launch.request)
    values = {} if intent is None else intent.values
    return _note(turn, LaunchState.CHECKED, f"{turn.platform.name} is being asked.", due=turn.now, handle=values)


def _in_flight(turn: _Turn) -> int:
    alive = turn.line.ledger.alive(trigger=turn.launch.request.trigger)
    return sum(
        each.id != turn.launch.id
        and (
            each.state in (LaunchState.PREPARING, LaunchState.STARTING)
            or (each.state is LaunchState.CHECKED and each.handle is not None)
        )
        for each in alive
    )


def _observe(turn: _Turn) -> Launch:
    news = None
    handle = turn.handle
    try:
        if turn.adapter.capabilities.watch and turn.launch.state in COMING:
            news = turn.adapter.watch(handle, turn.launch.request, LISTEN_S)
            handle = handle if news is None or news.handle is None else news.handle
        seen = turn.adapter.probe(handle, turn.launch.request)
    except Refused as refused:
        return _again(turn, RetryLater(refused.failure.message))  # a right lost for a while says nothing of the session
    except RetryLater as error:
        return _again(turn, error)
    return _follow(turn, joined(turn.launch, news, seen))


def _follow(turn: _Turn, seen: Observation) -> Launch:
    """Keep what was seen."""
    before = known_state(turn.launch, turn.line.ledger.events(turn.launch.id))
    if seen.state is LaunchState.UNKNOWN or (before in UP and seen.state in COMING):
        return _again(turn, RetryLater(seen.message))
    if seen.state is LaunchState.FAILED:
        return _fail(turn, seen.failure or _died(seen.message), seen.handle)
    if seen.state is LaunchState.LOST:
        if before not in UP:
            return _fail(turn, _died("The session went away while it was starting."), seen.handle)
        return _note(turn, LaunchState.LOST, seen.message, due=turn.now, attempts=0, known=turn.now)
    if seen.state in COMING:
        return _coming(turn, seen)
    if seen.state is LaunchState.READY:
        return _ready(turn, seen, before)
    due = turn.launch.expires if seen.state is LaunchState.HANDED_OFF else turn.now + timedelta(seconds=3)
    return _note(turn, seen.state, seen.message, due=due, seen=seen, attempts=0, known=turn.now)


def _coming(turn: _Turn, seen: Observation) -> Launch:
    age = turn.now - turn.launch.created
    if age > turn.platform.trigger.limits.start:
        return _fail(turn, _too_slow(turn, seen), seen.handle)
    due = turn.now + next_look(seen.state, age)
    return _note(turn, seen.state, seen.message, due=due, seen=seen, attempts=0, known=turn.now)


def _ready(turn: _Turn, seen: Observation, before: LaunchState) -> Launch:
    state = before if before in UP else LaunchState.READY
    expires = None if before in UP else turn.now + turn.platform.trigger.limits.lifetime
    message = turn.launch.message if turn.launch.state is state else seen.message
    due = turn.now + next_look(state, timedelta())
    return _note(turn, state, message, due=due, seen=seen, attempts=0, known=turn.now, expires=expires)


def _again(turn: _Turn, error: RetryLater) -> Launch:
    """The platform could not be asked. That never ends a session; a launch that has not begun waits until its time to start is over."""
    launch, attempts = turn.launch, turn.launch.attempts + 1
    due = turn.now + backoff(attempts, turn.line.chance())
    if isinstance(error, Full):
        due = max(error.not_before or turn.now + FULL_AGAIN, turn.now + timedelta(seconds=1))
    elif error.not_before is not None:
        due = max(due, error.not_before)
    if launch.state in (LaunchState.REQUESTED, LaunchState.CHECKED):
        if due > launch.created + turn.platform.trigger.limits.start:
            return _fail(turn, _no_answer(turn, error, due))
        return _wait(turn, error.message, due - turn.now, attempts)
    if attempts < DOUBTS or launch.state is LaunchState.UNKNOWN:
        return _silent(turn, due, attempts)
    message = f"{error.message} How the session stands cannot be told at present; it is not touched."
    return _note(turn, LaunchState.UNKNOWN, message, due=due, attempts=attempts)


def _wait(turn: _Turn, message: str, pause: timedelta, attempts: int = 0) -> Launch:
    text = f"{message} It is asked again by itself."
    due = turn.now + pause
    if text == turn.launch.message:
        return _silent(turn, due, attempts)
    return _note(turn, turn.launch.state, text, due=due, attempts=attempts)


def _stop(turn: _Turn) -> Launch:
    if turn.launch.state is not LaunchState.STOPPING:
        return _note(turn, LaunchState.STOPPING, "The session is being ended.", due=turn.now, attempts=0)
    try:
        done = turn.launch.handle is None or not turn.adapter.capabilities.stop
        done = done or turn.adapter.stop(turn.handle, turn.launch.request)
    except Refused as refused:
        return _note(turn, LaunchState.FAILED, refused.failure.message, due=None, failure=refused.failure)
    except RetryLater:
        attempts = turn.launch.attempts + 1
        return _silent(turn, turn.now + backoff(attempts, turn.line.chance()), attempts)
    if not done:
        return _silent(turn, turn.now + timedelta(seconds=1), 0)
    if turn.launch.wanted == "stop":
        return _note(turn, LaunchState.STOPPED, "The session has ended.", due=None, known=turn.now)
    return _note(turn, LaunchState.EXPIRED, "The session's time was over; it has been ended.", due=None, known=turn.now)


def _clean(turn: _Turn) -> Launch:
    """Remove what a launch that failed or was lost has left at the site."""
    attempts = turn.launch.attempts + 1
    due: datetime | None = turn.now + backoff(attempts, turn.line.chance())
    try:
        if not turn.adapter.capabilities.stop or turn.adapter.stop(turn.handle, turn.launch.request):
            due = None
    except Refused:
        due = None
    except RetryLater:
        due = due if attempts < CLEANINGS else None
    return _silent(turn, due, attempts)


def _fail(turn: _Turn, failure: Failure, handle: Handle | None = None) -> Launch:
    """FAILED, and due once more if something may have to be removed."""
    left = handle is not None or turn.launch.handle is not None
    seen = None if handle is None else Observation(LaunchState.FAILED, failure.message, handle=handle)
    due = turn.now if left else None
    return _note(turn, LaunchState.FAILED, failure.message, due=due, failure=failure, seen=seen, attempts=0)


def _note(
    turn: _Turn,
    state: LaunchState,
    message: str,
    *,
    due: datetime | None,
    seen: Observation | None = None,
    failure: Failure | None = None,
    **kept: Unpack[_Kept],
) -> Launch:
    """Append an event, unless it would say what the launch says already."""
    progress = None if seen is None else seen.progress
    if seen is not None and seen.handle is not None and seen.handle.values != turn.launch.handle:
        kept["handle"] = seen.handle.values
    event: LaunchEvent | None = LaunchEvent(0, turn.now, state, message, progress, failure)
    if (state, message) == (turn.launch.state, turn.launch.message) and failure is None:
        event = None
    return turn.line.ledger.record(turn.lease, turn.launch, event, due=due, **kept)


def _silent(turn: _Turn, due: datetime | None, attempts: int) -> Launch:
    return turn.line.ledger.record(turn.lease, turn.launch, None, due=due, attempts=attempts)


def _died(message: str) -> Failure:
    return Failure(
        code=FailureCode.DIED,
        message=message,
        next_step="Start the analysis again. If it ends again, tell the facility.",
        retry=True,
    )


def _too_slow(turn: _Turn, seen: Observation) -> Failure:
    minutes = turn.platform.trigger.limits.start.total_seconds() / 60
    return Failure(
        code=FailureCode.START_TIMEOUT,
        message=f"The session was not ready within {minutes:g} minutes. The last the platform said: {seen.message}",
        next_step="Try again later; what was begun is being removed.",
        retry=True,
    )


def _no_answer(turn: _Turn, error: RetryLater, due: datetime) -> Failure:
    return Failure(
        code=FailureCode.CAPACITY if isinstance(error, Full) else FailureCode.UPSTREAM_UNAVAILABLE,
        message=error.message,
        next_step="Try again later.",
        retry=True,
        retry_after=due,
        link=turn.platform.trigger.url,
    )


_STEPS: Mapping[Step, Callable[[_Turn], Launch]] = {
    Step.CHECK: _check,
    Step.START: _start,
    Step.OBSERVE: _observe,
    Step.STOP: _stop,
    Step.CLEAN: _clean,
}
