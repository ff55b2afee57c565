"""What every trigger adapter must do, whatever the platform: a suite that an adapter's tests inherit and give a stage."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from schema.activities import LaunchRequest, LaunchState, OpenKind, launch_id
from schema.errors import RetryLater
from triggers.ports import Handle, Observation, TriggerAdapter

STATES_OF_A_START = {LaunchState.PREPARING, LaunchState.QUEUED, LaunchState.STARTING, LaunchState.READY}


@dataclass
class Stage:
    """An adapter on a platform that works, what may be asked of it, the platform's address for people, a secret of the gateway's
    there, and how to make the platform stop answering and its sessions vanish."""

    adapter: TriggerAdapter
    request: LaunchRequest
    origin: str
    secret: str
    cut_off: Callable[[], None]
    vanish: Callable[[], None]


class TriggerContract:
    """Inherit, and define a fixture `stage`."""

    ID = launch_id(b"0123456789abcdef", b"")

    def begin(self, stage: Stage) -> Handle:
        """A started session's handle."""
        intent = stage.adapter.intent(self.ID, stage.request)
        handle = stage.adapter.start(self.ID, stage.request).handle or intent
        assert handle is not None
        return handle

    def until(self, stage: Stage, handle: Handle, *states: LaunchState) -> Observation:
        """The first observation in one of those states, within a minute."""
        end = time.monotonic() + 60
        seen = stage.adapter.probe(handle, stage.request)
        while seen.state not in states and time.monotonic() < end:
            time.sleep(0.05)
            seen = stage.adapter.probe(handle, stage.request)
        assert seen.state in states, seen
        return seen

    def test_a_platform_that_works_is_up_and_takes_the_request(self, stage: Stage) -> None:
        assert stage.adapter.look().up
        stage.adapter.preflight(stage.request)

    def test_a_start_is_under_way_and_becomes_ready_on_evidence(self, stage: Stage) -> None:
        begun = stage.adapter.start(self.ID, stage.request)
        assert begun.state in STATES_OF_A_START
        seen = self.until(stage, self.begin(stage), LaunchState.READY)
        assert seen.evidence
        assert seen.message

    def test_starting_again_takes_over_and_starts_nothing(self, stage: Stage) -> None:
        for _ in range(3):
            assert stage.adapter.start(self.ID, stage.request).state in STATES_OF_A_START
        self.until(stage, self.begin(stage), LaunchState.READY)
        assert [native.launch for native in stage.adapter.owned()] == [self.ID]

    def test_what_the_intent_names_is_enough_to_see_and_stop_a_session(self, stage: Stage) -> None:
        intent = stage.adapter.intent(self.ID, stage.request)
        assert intent is not None
        stage.adapter.start(self.ID, stage.request)
        self.until(stage, intent, LaunchState.READY)
        self.end(stage, intent)
        assert stage.adapter.owned() == []

    def end(self, stage: Stage, handle: Handle) -> None:
        """Stop until nothing is left."""
        end = time.monotonic() + 60
        while not stage.adapter.stop(handle, stage.request):
            assert time.monotonic() < end
            time.sleep(0.05)

    def test_stopping_is_safe_to_repeat_and_needs_no_launch(self, stage: Stage) -> None:
        handle = self.begin(stage)
        self.end(stage, handle)
        assert stage.adapter.stop(handle, stage.request)
        assert stage.adapter.stop(handle, None)

    def test_a_way_in_leads_to_the_platform_and_holds_no_secret(self, stage: Stage) -> None:
        handle = self.begin(stage)
        self.until(stage, handle, LaunchState.READY)
        opening = stage.adapter.open(handle, stage.request)
        assert opening.kind is stage.adapter.capabilities.opens_as
        if opening.kind is OpenKind.REDIRECT:
            assert opening.url.startswith(stage.origin)
        assert stage.secret not in repr(opening)

    def test_handles_hold_no_secret(self, stage: Stage) -> None:
        assert stage.secret not in repr(self.begin(stage))

    def test_a_session_that_vanished_is_lost_and_never_ready(self, stage: Stage) -> None:
        handle = self.begin(stage)
        self.until(stage, handle, LaunchState.READY)
        stage.vanish()
        self.until(stage, stage.adapter.intent(self.ID, stage.request) or handle, LaunchState.LOST)

    def test_a_platform_that_does_not_answer_is_asked_later_and_nothing_is_claimed(self, stage: Stage) -> None:
        handle = self.begin(stage)
        stage.cut_off()
        for call in (
            lambda: stage.adapter.probe(handle, stage.request),
            lambda: stage.adapter.stop(handle, stage.request),
            lambda: stage.adapter.start(self.ID, stage.request),
            stage.adapter.owned,
        ):
            with pytest.raises(RetryLater):
                call()
