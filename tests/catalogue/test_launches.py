"""The ledger of launches: idempotency, moves, owed work, events, tickets; and the store of sessions."""

import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import text
from truths import Clock

from catalogue.database import Database, open_database
from catalogue.launches import Launches
from catalogue.ports import Lease, Session, TriggerState, launch_lease
from catalogue.sessions import Sessions
from schema.access import Viewer
from schema.activities import Failure, FailureCode, Launch, LaunchEvent, LaunchRequest, LaunchState, may_move
from schema.errors import Conflict, LeaseLost, NotFound

ANNA = "https://issuer#anna"
S = LaunchState
REQUEST = LaunchRequest(
    principal=ANNA,
    viewer_name="Anna",
    facility="ill",
    trigger="ill/hub",
    dataset="10.5291/x",
    dataset_title="A title",
    path="/data/x",
    user="anna",
    procedure="reduce",
    environment="small",
    options={"cpus": "2"},
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path, clock: Clock) -> Database:
    return open_database(f"sqlite:///{tmp_path}/truth.db", clock=clock)


@pytest.fixture
def ledger(database: Database) -> Launches:
    return Launches(database)


def ask(ledger: Launches, key: str | None = None, another: bool = False, **change: Any) -> tuple[Launch, bool]:
    clock = ledger._database.clock
    return ledger.request(replace(REQUEST, **change), key, another, clock() + timedelta(hours=8))


def move(ledger: Launches, launch: Launch, *states: LaunchState, lease: Lease | None = None) -> Launch:
    for state in states:
        launch = ledger.record(lease, launch, LaunchEvent(0, launch.created, state, f"Now {state}."), due=None)
    return launch


def test_a_new_launch_is_requested_due_and_has_its_first_event(ledger: Launches, clock: Clock) -> None:
    launch, new = ask(ledger)
    assert new
    assert (launch.state, launch.due, launch.wanted, launch.version) == (S.REQUESTED, clock(), "run", 1)
    assert launch.request == REQUEST
    assert [event.state for event in ledger.events(launch.id)] == [S.REQUESTED]
    assert ledger.launch(launch.id) == launch
    assert [owed.id for owed in ledger.owed(clock(), 9)] == [launch.id]


def test_a_launchs_id_is_known_as_ours_by_the_gateway_that_gave_it_and_by_no_other(database: Database) -> None:
    here, there = Launches(database, b"one"), Launches(database, b"another")
    ids = {ask(ledger, key=None, another=True)[0].id for ledger in (here, there) for _ in range(20)}
    assert len(ids) == 40
    assert sum(here.ours(id) for id in ids) == sum(there.ours(id) for id in ids) == 20
    assert not any(here.ours(id) and there.ours(id) for id in ids)


def test_the_same_key_and_body_is_the_same_launch_even_when_it_has_ended(ledger: Launches) -> None:
    first, _ = ask(ledger, "k", dataset_title="Old title")
    move(ledger, first, S.FAILED)
    again, new = ask(ledger, "k", dataset_title="New title")
    assert (again.id, new, again.state) == (first.id, False, S.FAILED)
    other, new = ask(ledger, "k", principal="https://issuer#ben")
    assert new
    assert other.id != first.id


def test_the_same_key_for_something_else_is_a_conflict(ledger: Launches) -> None:
    ask(ledger, "k")
    with pytest.raises(Conflict):
        ask(ledger, "k", dataset="10.5291/other")
    assert ledger.launches(ANNA, 9, None)[1] == 1


def test_without_key_a_live_launch_of_the_same_body_is_given_unless_another_is_wanted(ledger: Launches) -> None:
    first, _ = ask(ledger)
    assert ask(ledger) == (first, False)
    assert ask(ledger, options={"cpus": "4"})[1]
    second, new = ask(ledger, another=True)
    assert new
    ledger.want(second.id, "stop")
    assert ask(ledger)[0].id == first.id
    move(ledger, first, S.FAILED)
    assert ask(ledger)[1]


def test_one_key_asked_from_many_threads_at_once_is_one_launch(ledger: Launches) -> None:
    found: list[tuple[Launch, bool]] = []
    threads = [threading.Thread(target=lambda: found.append(ask(ledger, "k"))) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({launch.id for launch, _ in found}) == 1
    assert sorted(new for _, new in found) == [False] * 11 + [True]


def test_an_event_moves_the_launch_and_raises_its_version(ledger: Launches, clock: Clock) -> None:
    launch, _ = ask(ledger)
    clock.forward(seconds=5)
    later = clock() + timedelta(seconds=30)
    event = LaunchEvent(0, launch.created, S.CHECKED, "Checked.", progress=10)
    moved = ledger.record(None, launch, event, due=later, handle={"server": "x"}, known=clock(), attempts=1)
    assert (moved.state, moved.message, moved.version) == (S.CHECKED, "Checked.", launch.version + 1)
    assert (moved.due, moved.handle, moved.known, moved.attempts) == (later, {"server": "x"}, clock(), 1)
    assert moved.expires == launch.expires
    _, told = ledger.events(launch.id)
    assert (told.at, told.progress) == (clock(), 10)
    quiet = ledger.record(None, moved, None, due=None)
    assert (quiet.state, quiet.due, quiet.handle, quiet.attempts) == (S.CHECKED, None, {"server": "x"}, 1)
    assert len(ledger.events(launch.id)) == 2


def test_a_failure_stays_with_its_launch(ledger: Launches) -> None:
    launch, _ = ask(ledger)
    failure = Failure(FailureCode.QUOTA, "You have three sessions.", "Stop one of them.", retry=True)
    event = LaunchEvent(0, launch.created, S.FAILED, "Refused.", failure=failure)
    assert ledger.record(None, launch, event, due=None).failure == failure
    assert ledger.events(launch.id)[-1].failure == failure


def test_who_knows_an_older_version_writes_nothing(ledger: Launches) -> None:
    launch, _ = ask(ledger)
    wanted = ledger.want(launch.id, "stop")
    with pytest.raises(Conflict):
        move(ledger, launch, S.CHECKED)
    assert ledger.launch(launch.id) == wanted
    assert len(ledger.events(launch.id)) == 1


def test_who_lost_the_lease_writes_nothing(ledger: Launches, clock: Clock) -> None:
    launch, _ = ask(ledger)
    lease = ledger.acquire(launch.id, "one", 10)
    assert lease is not None
    clock.forward(seconds=11)
    assert ledger.acquire(launch.id, "two", 10) is not None
    with pytest.raises(LeaseLost):
        move(ledger, launch, S.CHECKED, lease=lease)
    assert ledger.launch(launch.id) == launch


@given(before=st.sampled_from(list(S)), after=st.sampled_from(list(S)))
def test_only_legal_moves_are_recorded(before: LaunchState, after: LaunchState) -> None:
    ledger = Launches(None)  # type: ignore[arg-type]  # refused before the database is asked
    launch = Launch("a", REQUEST, None, before, "", Clock()(), None, None, None, None, "run", None, 0, 1)
    if not may_move(before, after):
        with pytest.raises(ValueError, match="cannot become"):
            move(ledger, launch, after)


def test_owed_work_is_what_is_due_and_free(ledger: Launches, clock: Clock) -> None:
    launch, _ = ask(ledger)
    other, _ = ask(ledger, dataset="10.5291/y")
    lease = ledger.acquire(launch_lease(launch.id), "one", 10)
    assert lease is not None
    assert [owed.id for owed in ledger.owed(clock(), 9)] == [other.id]
    ledger.record(None, other, None, due=clock() + timedelta(seconds=5))
    assert ledger.owed(clock(), 9) == []
    ledger.release(lease)
    assert [owed.id for owed in ledger.owed(clock(), 9)] == [launch.id]
    assert [owed.id for owed in ledger.owed(clock() + timedelta(seconds=11), 1)] == [launch.id]


def test_wanting_makes_due_at_once_and_leaves_what_has_ended(ledger: Launches, clock: Clock) -> None:
    launch, _ = ask(ledger)
    launch = ledger.record(None, launch, None, due=None)
    clock.forward(seconds=1)
    wanted = ledger.want(launch.id, "stop")
    assert (wanted.wanted, wanted.due) == ("stop", clock())
    ended = move(ledger, wanted, S.STOPPED)
    assert ledger.want(launch.id, "stop") == ended
    with pytest.raises(NotFound):
        ledger.want("aunknown", "stop")
    with pytest.raises(ValueError, match="want"):
        ledger.want(launch.id, "explode")


def test_extending_only_ever_makes_it_later(ledger: Launches) -> None:
    launch, _ = ask(ledger)
    assert launch.expires is not None
    later = launch.expires + timedelta(hours=1)
    assert ledger.extend(launch.id, later).expires == later
    assert ledger.extend(launch.id, launch.expires).expires == later


def test_lists_are_the_persons_own_newest_first(ledger: Launches, clock: Clock) -> None:
    ids = [ask(ledger, dataset=f"10.1/{n}")[0].id for n in range(5)]
    ask(ledger, principal="https://issuer#ben")
    page, total = ledger.launches(ANNA, 2, None)
    assert ([launch.id for launch in page], total) == ([ids[4], ids[3]], 5)
    page, _ = ledger.launches(ANNA, 9, ids[3])
    assert [launch.id for launch in page] == [ids[2], ids[1], ids[0]]
    assert ledger.started_since(ANNA, clock()) == 5
    assert ledger.started_since(ANNA, clock() + timedelta(seconds=1)) == 0


def test_alive_are_those_that_may_have_something_at_a_site(ledger: Launches) -> None:
    one, _ = ask(ledger)
    two, _ = ask(ledger, dataset="10.1/y", trigger="ill/other")
    three, _ = ask(ledger, dataset="10.1/z", principal="https://issuer#ben")
    move(ledger, two, S.FAILED)
    assert [launch.id for launch in ledger.alive()] == [one.id, three.id]
    assert [launch.id for launch in ledger.alive(principal=ANNA)] == [one.id]
    assert ledger.alive(trigger="ill/other") == []


def test_event_ids_rise_over_all_launches_and_a_reader_resumes_by_id(ledger: Launches) -> None:
    one, _ = ask(ledger)
    two, _ = ask(ledger, dataset="10.1/y")
    move(ledger, one, S.CHECKED)
    move(ledger, two, S.CHECKED)
    told = ledger.events_since(0, [two.id, one.id])
    assert [event.id for _, event in told] == [1, 2, 3, 4]
    assert [launch for launch, _ in told] == [one.id, two.id, one.id, two.id]
    assert [event.id for _, event in ledger.events_since(2, [two.id])] == [4]
    assert ledger.events_since(0, []) == []


def test_a_ticket_opens_once_for_its_person_in_their_session(
    ledger: Launches, clock: Clock, database: Database
) -> None:
    until = clock() + timedelta(seconds=30)
    ticket = ledger.ticket("alaunch", ANNA, "s1", until)
    assert len(ticket) >= 43
    with database.read() as connection:
        assert ticket not in str(connection.execute(text("SELECT * FROM tickets")).all())
    assert ledger.redeem(ticket, "https://issuer#ben", "s1", clock()) is None
    assert ledger.redeem(ticket, ANNA, "s2", clock()) is None
    assert ledger.redeem("forged", ANNA, "s1", clock()) is None
    assert ledger.redeem(ticket, ANNA, "s1", clock()) == "alaunch"
    assert ledger.redeem(ticket, ANNA, "s1", clock()) is None
    assert ledger.redeem(ledger.ticket("alaunch", ANNA, "s1", until), ANNA, "s1", until) is None


def test_of_many_who_redeem_one_ticket_exactly_one_succeeds(ledger: Launches, clock: Clock) -> None:
    ticket = ledger.ticket("alaunch", ANNA, "s1", clock() + timedelta(seconds=30))
    found: list[str | None] = []
    threads = [
        threading.Thread(target=lambda: found.append(ledger.redeem(ticket, ANNA, "s1", clock()))) for _ in range(32)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found, key=str) == [None] * 31 + ["alaunch"]


def test_what_a_platform_can_do_is_the_newest_finding(ledger: Launches, clock: Clock) -> None:
    assert ledger.capability("ill/hub") is None
    newer = TriggerState("ill/hub", clock() + timedelta(seconds=1), up=True, version="6.1")
    ledger.note_capability(newer)
    ledger.note_capability(TriggerState("ill/hub", clock(), up=False, message="It does not answer."))
    assert ledger.capability("ill/hub") == newer


def test_typical_seconds_are_the_median_until_first_ready(ledger: Launches, clock: Clock) -> None:
    assert ledger.typical_seconds("ill/hub") is None
    for seconds in (10, 20, 90):
        launch, _ = ask(ledger, another=True)
        clock.forward(seconds=seconds)
        launch = move(ledger, launch, S.CHECKED, S.STARTING, S.READY)
        clock.forward(seconds=500)
        move(ledger, launch, S.OPENED, S.READY)
    assert ledger.typical_seconds("ill/hub") == 20
    assert ledger.typical_seconds("ill/other") is None


def session(clock: Clock, hash: str = "h", **change: Any) -> Session:
    viewer = Viewer("https://issuer", "anna", "Anna", frozenset({"ill:x"}), frozenset(), {"name": "anna"})
    fresh = Session(hash, viewer, "csrf", b"encrypted", clock() + timedelta(hours=1), clock())
    return replace(fresh, **change)


def test_a_session_is_kept_until_it_expires_or_signs_out(database: Database, clock: Clock) -> None:
    store = Sessions(database)
    store.put(session(clock))
    assert store.get("h", clock()) == session(clock)
    store.put(session(clock, tokens=b"newer"))
    kept = store.get("h", clock())
    assert kept is not None
    assert kept.tokens == b"newer"
    assert store.get("h", clock() + timedelta(hours=1)) is None
    store.remove("h")
    assert store.get("h", clock()) is None


def test_one_at_a_time_refreshes_a_session(database: Database, clock: Clock) -> None:
    store = Sessions(database)
    store.put(session(clock))
    assert store.refresh_lock("h", "one", 10)
    assert not store.refresh_lock("h", "two", 10)
    store.put(session(clock, tokens=b"refreshed"))
    assert store.refresh_lock("h", "two", 10)
    clock.forward(seconds=11)
    assert store.refresh_lock("h", "three", 10)
    assert not store.refresh_lock("unknown", "one", 10)


def test_a_sign_in_state_is_taken_once_and_what_expired_is_purged(database: Database, clock: Clock) -> None:
    store, ledger = Sessions(database), Launches(database)
    until = clock() + timedelta(minutes=5)
    store.put_state("s", b"nonce", until)
    assert store.take_state("s", clock()) == b"nonce"
    assert store.take_state("s", clock()) is None
    store.put_state("t", b"nonce", until)
    assert store.take_state("t", until) is None
    ledger.ticket("alaunch", ANNA, "s1", until)
    store.put(session(clock))
    assert store.purge(until) == 2
    assert store.get("h", clock()) is not None
