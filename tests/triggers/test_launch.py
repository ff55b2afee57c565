"""The line of a launch: every way it can go, on the real ledger and a platform in memory."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import pytest
from fakes.desks import Office
from fakes.platform import AWAY, FakePlatform
from hypothesis import given, settings
from hypothesis import strategies as st

from catalogue.ports import launch_lease
from schema.activities import ALIVE, FINAL, Failure, FailureCode, LaunchState
from schema.errors import RetryLater
from schema.federation import Limits
from triggers.launch import Line, advance, sweep
from triggers.ports import Full, Observation, Refused

S = LaunchState
COMING = Observation(S.STARTING, "Pulling the image.", 40)
REFUSED = Refused(Failure(FailureCode.FORBIDDEN, "Not you.", "Ask."))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.database.close()


def test_a_launch_goes_from_request_to_ready_and_is_looked_at_again(office: Office) -> None:
    launch = office.ask()
    assert sweep(office.line) == [launch.id]
    office.go(launch)
    ready = office.go(launch, seconds=1)
    assert office.story(ready) == ["REQUESTED", "CHECKED", "STARTING", "READY"]
    assert ready.due == office.time() + timedelta(seconds=30)
    assert ready.expires == office.time() + timedelta(hours=8)
    assert ready.handle == {"session": launch.id, "begun": "yes"}
    assert sweep(office.line) == []
    office.time.on(seconds=30)
    assert sweep(office.line) == [launch.id]
    assert office.go(launch).version > ready.version


def test_looking_at_a_ready_session_adds_no_events(office: Office) -> None:
    launch = office.go(office.ask())
    office.go(launch, seconds=1)
    events = office.ledger.events(launch.id)
    for _ in range(3):
        office.go(launch, seconds=30)
    assert office.ledger.events(launch.id) == events


def test_the_intent_is_kept_before_the_platform_is_asked(office: Office) -> None:
    office.platform.trouble["start"] = KeyboardInterrupt()
    launch = office.ask()
    with pytest.raises(KeyboardInterrupt):
        office.go(launch)
    kept = office.ledger.launch(launch.id)
    assert kept is not None
    assert (kept.state, kept.handle) == (S.CHECKED, {"session": launch.id})


@pytest.mark.parametrize("call", ["preflight", "start", "answer", "probe", "watch"])
def test_a_worker_that_dies_in_a_call_starts_nothing_twice(office: Office, call: str) -> None:
    office.platform.trouble[call] = [KeyboardInterrupt()]
    launch = office.ask()
    died = 0
    for _ in range(3):
        with suppress(KeyboardInterrupt):
            office.go(launch, seconds=1)
            died -= 1
        died += 1
    assert died == 1
    for _ in range(3):
        found = office.go(launch, seconds=2)
    assert found.state is S.READY
    assert office.platform.starts == 1


def test_a_lost_answer_is_not_a_second_session(office: Office) -> None:
    office.platform.trouble["answer"] = [AWAY]
    launch = office.ask()
    office.go(launch)
    for _ in range(4):
        found = office.go(launch, seconds=2)
    assert found.state is S.READY
    assert office.platform.starts == 1


def test_the_platforms_own_words_are_shown_and_waiting_is_queued(office: Office) -> None:
    office.platform.seen = Observation(S.STARTING, "")
    office.platform.news = Observation(S.QUEUED, "Pending in queue...")
    launch = office.go(office.ask())
    launch = office.go(launch, seconds=1)
    assert (launch.state, launch.message) == (S.QUEUED, "Pending in queue...")
    office.platform.news = None
    assert office.go(launch, seconds=1).message == "Pending in queue..."
    office.platform.news = Observation(S.STARTING, "Job running.", 60)
    assert office.go(launch, seconds=1).state is S.STARTING
    assert office.ledger.events(launch.id)[-1].progress == 60


def test_a_refusal_tells_why_and_what_next(office: Office) -> None:
    office.platform.trouble["preflight"] = REFUSED
    launch = office.go(office.ask())
    assert launch.state is S.FAILED
    assert launch.failure == REFUSED.failure
    assert launch.due is None
    assert office.platform.asked == ["preflight"]


def test_a_start_that_takes_too_long_fails_and_what_was_begun_is_removed(office: Office) -> None:
    office.platform.seen = COMING
    launch = office.go(office.ask())
    office.go(launch, minutes=9)
    found = office.go(launch, seconds=90)
    assert found.state is S.FAILED
    assert found.failure is not None
    assert found.failure.code is FailureCode.START_TIMEOUT
    assert "Pulling the image." in found.failure.message
    assert office.platform.sessions == {}
    assert found.due is None


def test_a_failed_start_is_removed_also_when_the_platform_is_away_for_a_while(office: Office) -> None:
    office.platform.seen = Observation(S.FAILED, "No such image.")
    office.platform.trouble["stop"] = [AWAY, AWAY]
    launch = office.go(office.ask())
    for _ in range(5):
        launch = office.go(launch, seconds=5)
    assert (launch.state, launch.due, office.platform.sessions) == (S.FAILED, None, {})


def test_no_room_waits_as_long_as_it_was_told_to(office: Office) -> None:
    at = office.time() + timedelta(seconds=45)
    office.platform.trouble["start"] = [Full("North Hub has no room.", not_before=at)]
    launch = office.go(office.ask())
    assert (launch.state, launch.due) == (S.CHECKED, at)
    assert "no room" in launch.message
    office.go(launch, seconds=46)
    assert office.go(launch, seconds=3).state is S.READY


def test_no_room_beyond_the_time_to_start_is_capacity_with_a_time(office: Office) -> None:
    at = office.time() + timedelta(minutes=50)
    office.platform.trouble["start"] = Full("North Hub has no room.", not_before=at)
    launch = office.go(office.ask())
    assert launch.failure is not None
    assert (launch.failure.code, launch.failure.retry_after) == (FailureCode.CAPACITY, at)
    assert launch.failure.retry


def test_a_platform_away_before_the_start_is_waited_for_then_told(office: Office) -> None:
    office.platform.trouble["preflight"] = AWAY
    launch = office.go(office.ask())
    assert (launch.state, launch.attempts) == (S.REQUESTED, 1)
    assert "does not answer" in launch.message
    for _ in range(100):
        launch = office.go(launch, seconds=30)
    assert launch.failure is not None
    assert launch.failure.code is FailureCode.UPSTREAM_UNAVAILABLE
    assert office.platform.asked.count("preflight") < 15, "asked ever more seldom"


def test_a_platform_away_later_is_unknown_and_nothing_is_ended(office: Office) -> None:
    launch = office.go(office.ask())
    launch = office.go(launch, seconds=1)
    known = launch.known
    office.platform.trouble["probe"] = AWAY
    assert office.go(launch, seconds=30).state is S.READY, "one lost look is no news"
    for _ in range(50):
        launch = office.go(launch, minutes=1)
    assert (launch.state, launch.known) == (S.UNKNOWN, known)
    assert "stop" not in office.platform.asked
    office.platform.trouble.clear()
    assert office.go(launch, minutes=6).state is S.READY
    assert office.story(launch).count("UNKNOWN") == 1


def test_an_opened_session_comes_back_opened(office: Office) -> None:
    launch = office.go(office.ask())
    launch = office.go(launch, seconds=1)
    event = office.ledger.events(launch.id)[-1]
    opened = type(event)(0, office.time(), S.OPENED, "Opened.")
    office.ledger.record(None, launch, opened, due=launch.due)
    office.platform.trouble["probe"] = [AWAY, AWAY]
    for _ in range(3):
        launch = office.go(launch, seconds=31)
    assert launch.state is S.OPENED
    assert office.story(launch)[-2:] == ["UNKNOWN", "OPENED"]


def test_a_ready_session_whose_page_stops_answering_is_unknown_not_starting_again(office: Office) -> None:
    launch = office.go(office.ask())
    office.go(launch, seconds=1)
    office.platform.seen = COMING
    for _ in range(3):
        launch = office.go(launch, seconds=31)
    assert launch.state is S.UNKNOWN


def test_a_session_that_went_away_is_lost_when_it_was_ready_and_failed_before(office: Office) -> None:
    first = office.go(office.ask())
    first = office.go(first, seconds=1)
    office.platform.sessions.clear()
    assert office.go(first, seconds=31).state is S.LOST
    second = office.go(office.ask(another=True))
    office.platform.sessions.clear()
    second = office.go(second, seconds=2)
    assert second.failure is not None
    assert second.failure.code is FailureCode.DIED


@pytest.mark.parametrize("steps", range(4))
def test_a_stop_at_any_moment_leaves_nothing(office: Office, steps: int) -> None:
    office.platform.stops_in = 2
    launch = office.ask()
    for _ in range(steps):
        office.go(launch, seconds=1)
    office.ledger.want(launch.id, "stop")
    for _ in range(5):
        launch = office.go(launch, seconds=2)
    assert (launch.state, launch.due, office.platform.sessions) == (S.STOPPED, None, {})


def test_a_stop_goes_on_until_the_platform_answers(office: Office) -> None:
    launch = office.go(office.ask())
    office.platform.trouble["stop"] = AWAY
    office.ledger.want(launch.id, "stop")
    for _ in range(40):
        launch = office.go(launch, minutes=5)
    assert launch.state is S.STOPPING
    office.platform.trouble.clear()
    assert office.go(launch, minutes=5).state is S.STOPPED


def test_the_end_of_the_lease_ends_the_session(office: Office) -> None:
    launch = office.go(office.ask())
    launch = office.go(launch, seconds=1)
    launch = office.go(launch, hours=8)
    assert (launch.state, office.platform.sessions) == (S.EXPIRED, {})


def test_only_so_many_are_started_at_once(tmp_path: Path) -> None:
    office = Office(tmp_path, FakePlatform(seen=COMING), {"limits": Limits(concurrent=1)})
    first, second = office.go(office.ask()), office.go(office.ask(another=True))
    assert (first.state, second.state) == (S.STARTING, S.CHECKED)
    assert "next in turn" in second.message
    office.platform.seen = Observation(S.READY, "ready")
    assert office.go(first, seconds=1).state is S.READY
    assert office.go(second, seconds=3).state is S.STARTING


def test_a_platform_that_left_the_federation_is_told(office: Office) -> None:
    launch = office.ask()
    line = Line(office.ledger, {}, office.time, "worker")
    advance(launch.id, line)
    found = office.ledger.launch(launch.id)
    assert found is not None
    assert found.failure is not None
    assert found.failure.code is FailureCode.UNSUPPORTED


def test_who_does_not_hold_the_lease_does_nothing(office: Office) -> None:
    launch = office.ask()
    lease = office.ledger.acquire(launch_lease(launch.id), "somebody else", 60)
    assert lease is not None
    assert advance(launch.id, office.line) is None
    assert office.platform.asked == []
    assert sweep(office.line) == []
    office.ledger.release(lease)
    assert office.go(launch).state is S.STARTING


def test_many_workers_at_one_launch_start_one_session(office: Office) -> None:
    launch = office.ask()
    workers = [threading.Thread(target=advance, args=(launch.id, office.line)) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert office.platform.starts <= 1
    office.go(launch, seconds=1)
    assert office.go(launch, seconds=1).state is S.READY
    assert office.platform.starts == 1


_TROUBLE = st.dictionaries(
    st.sampled_from(["preflight", "start", "answer", "probe", "watch", "stop"]),
    st.lists(st.sampled_from([AWAY, RetryLater("x"), Full("full"), REFUSED]), max_size=3),
    max_size=4,
)
_SEEN = st.sampled_from([COMING, Observation(S.READY, "r"), Observation(S.UNKNOWN, "?"), Observation(S.FAILED, "no")])


@settings(max_examples=25)
@given(trouble=_TROUBLE, seen=st.lists(_SEEN, min_size=1, max_size=6), stop_at=st.integers(0, 8), vanish=st.booleans())
def test_whatever_happens_every_launch_ends_and_leaves_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    trouble: dict[str, list[Exception]],
    seen: list[Observation],
    stop_at: int,
    vanish: bool,
) -> None:
    office = Office(tmp_path_factory.mktemp("launch"), FakePlatform(trouble={k: list(v) for k, v in trouble.items()}))
    launch = office.ask()
    for turn in range(20):
        office.platform.seen = seen[min(turn, len(seen) - 1)]
        if turn == stop_at:
            office.ledger.want(launch.id, "stop")
        if vanish and turn == 3:
            office.platform.sessions.clear()
        launch = office.go(launch, minutes=6)
    office.database.close()
    assert launch.state in FINAL
    assert launch.state not in ALIVE
    assert launch.due is None
    refused_to_stop = launch.failure is not None and launch.failure.code is FailureCode.FORBIDDEN
    assert office.platform.sessions == {} or refused_to_stop or REFUSED in trouble.get("stop", [])
