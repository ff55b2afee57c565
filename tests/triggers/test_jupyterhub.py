"""The JupyterHub adapter against the double, in both dialects."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import waiting
from doubles.jupyterhub import V5_SCOPES, V6_SCOPES, Hub
from fakes.north import ID, TOKEN, Vault, facility, hub_trigger, now, request

from schema.activities import FailureCode, LaunchState, OpenKind
from schema.errors import Misconfigured, RetryLater
from schema.federation import Delegation
from triggers.jupyterhub import JupyterHub, open_jupyterhub
from triggers.ports import Full, Handle, Observation, Refused

LONG_S = 3_600.0  # what takes so long is over when we say so
MakeHub = Callable[..., Hub]
MakeAdapter = Callable[..., JupyterHub]


def until(adapter: JupyterHub, handle: Handle, *states: LaunchState, seconds: float = 60) -> Observation:
    end = time.monotonic() + seconds
    while True:
        seen = adapter.probe(handle, request())
        if seen.state in states or time.monotonic() > end:
            assert seen.state in states, seen
            return seen
        time.sleep(0.02)


def begin(adapter: JupyterHub) -> Handle:
    handle = adapter.start(ID, request()).handle
    assert handle is not None
    return handle


def test_a_session_is_started_with_its_options_seen_ready_opened_and_removed(
    make_hub: MakeHub, make_adapter: MakeAdapter
) -> None:
    hub = make_hub()
    adapter = make_adapter(hub)
    adapter.preflight(request())
    begun = adapter.start(ID, request())
    assert begun.state is LaunchState.STARTING, "201 is no proof"
    assert begun.handle is not None
    assert hub.users["mia"][ID].options == {
        "dataset": "10.5555/abc", "path": "/data/abc", "procedure": "plot", "environment": "py-3.12", "launch": ID
    }  # fmt: skip
    assert until(adapter, begun.handle, LaunchState.READY).evidence == "model, page leads to the hub's sign-in"
    opening = adapter.open(begun.handle, request())
    assert (opening.kind, opening.url) == (OpenKind.REDIRECT, f"{hub.url}/user/mia/{ID}/")
    assert TOKEN not in opening.url
    assert adapter.stop(begun.handle, request())
    assert hub.users["mia"] == {}
    assert adapter.stop(begun.handle, request()), "an unknown session is nothing left"


def test_the_public_address_is_looked_at_without_token_and_without_cookies(
    make_hub: MakeHub, make_adapter: MakeAdapter
) -> None:
    hub = make_hub()
    adapter = make_adapter(hub)
    handle = begin(adapter)
    for _ in range(2):
        adapter.probe(handle, request())
    assert hub.visits
    for _, headers in hub.visits:
        assert not {"authorization", "cookie"} & {name.lower() for name in headers}


def test_created_while_still_pending_is_not_ready(make_hub: MakeHub, make_adapter: MakeAdapter) -> None:
    hub = make_hub(created_at_once=True, spawn_takes=LONG_S)
    adapter = make_adapter(hub)
    handle = begin(adapter)
    assert adapter.probe(handle, request()).state is LaunchState.STARTING
    hub.let_start()
    until(adapter, handle, LaunchState.READY)


def test_ready_waits_for_the_route_to_the_session(make_hub: MakeHub, make_adapter: MakeAdapter) -> None:
    hub = make_hub(route_late=LONG_S)
    adapter = make_adapter(hub)
    handle = begin(adapter)
    seen = adapter.probe(handle, request())
    assert (seen.state, seen.native) == (LaunchState.STARTING, "ready")
    hub.faults.route_late = 0.0
    until(adapter, handle, LaunchState.READY)


@pytest.mark.parametrize(
    "location",
    ["/\xf6", "http://[", "http://169.254.169.254/", "/hub/login", "https://elsewhere.example/", "", "//", "?"],
)
def test_a_redirect_to_anywhere_else_is_no_evidence(
    make_hub: MakeHub, make_adapter: MakeAdapter, location: str
) -> None:
    adapter = make_adapter(make_hub(location=location))
    assert adapter.probe(begin(adapter), request()).state is LaunchState.STARTING


def test_a_hub_below_a_path_is_spoken_to_there(make_hub: MakeHub, make_adapter: MakeAdapter) -> None:
    hub = make_hub(base="/jupyter")
    adapter = make_adapter(hub, apiUrl=f"{hub.url}/hub/api")
    handle = begin(adapter)
    until(adapter, handle, LaunchState.READY)
    assert adapter.open(handle, request()).url == f"{hub.url}/user/mia/{ID}/"


def test_starting_again_takes_over_what_is_there(make_hub: MakeHub, make_adapter: MakeAdapter) -> None:
    hub = make_hub(spawn_takes=LONG_S)
    adapter = make_adapter(hub)
    begin(adapter)
    assert adapter.start(ID, request()).state is LaunchState.STARTING
    hub.let_start()
    until(adapter, begin(adapter), LaunchState.READY)
    assert adapter.start(ID, request()).state is LaunchState.READY
    assert hub.starts() == 1


def test_a_start_whose_answer_was_lost_is_not_sent_twice(make_hub: MakeHub, make_adapter: MakeAdapter) -> None:
    hub = make_hub(lost_answer=True)
    adapter = make_adapter(hub)
    with pytest.raises(RetryLater):
        adapter.start(ID, request())
    assert adapter.start(ID, request()).state is LaunchState.READY
    assert hub.starts() == 1


def test_a_failed_start_tells_its_reason_and_is_not_tried_again(make_hub: MakeHub, make_adapter: MakeAdapter) -> None:
    hub = make_hub(
        fail="No such <b>image</b>: x.\nHTTP response headers: HTTPHeaderDict({'A': 'secret'})", spawn_takes=0.1
    )
    adapter = make_adapter(hub)
    seen = until(adapter, begin(adapter), LaunchState.FAILED)
    assert seen.failure is not None
    assert seen.failure.code is FailureCode.BAD_OPTION
    assert "No such image : x." in seen.failure.message
    assert "HTTPHeaderDict" not in seen.failure.message
    assert adapter.start(ID, request()).state is LaunchState.FAILED
    assert hub.starts() == 1


def test_an_empty_reason_is_filled_from_what_was_said_before(make_hub: MakeHub, make_adapter: MakeAdapter) -> None:
    hub = make_hub(fail="", spawn_takes=LONG_S, words=("Pending in queue...",))
    adapter = make_adapter(hub)
    handle = begin(adapter)
    news = waiting.until(lambda: adapter.watch(handle, request(), 0.2))
    assert (news.state, news.message) == (LaunchState.QUEUED, "Pending in queue...")
    assert news.handle is not None
    hub.let_start()
    seen = until(adapter, news.handle, LaunchState.FAILED)
    assert seen.failure is not None
    assert "Pending in queue..." in seen.failure.message


def test_progress_that_a_proxy_holds_back_is_only_a_missing_hint(make_hub: MakeHub, make_adapter: MakeAdapter) -> None:
    hub = make_hub(buffered=True, spawn_takes=LONG_S)
    adapter = make_adapter(hub)
    handle = begin(adapter)
    began = time.monotonic()
    assert adapter.watch(handle, request(), 0.2) is None
    assert time.monotonic() - began < 20
    hub.let_start()
    until(adapter, handle, LaunchState.READY)


def test_not_starting_right_after_the_start_is_asked_again(make_hub: MakeHub, make_adapter: MakeAdapter) -> None:
    hub = make_hub(fail="no such profile", early_400=LONG_S)
    adapter = make_adapter(hub)
    handle = begin(adapter)
    assert adapter.probe(handle, request()).state is LaunchState.STARTING
    hub.faults.early_400 = 0.0
    until(adapter, handle, LaunchState.FAILED)


def test_no_room_says_when_to_ask_again(make_hub: MakeHub, make_adapter: MakeAdapter) -> None:
    with pytest.raises(Full) as raised:
        make_adapter(make_hub(too_many="41")).start(ID, request())
    assert raised.value.not_before is not None
    assert timedelta(seconds=10) < raised.value.not_before - datetime.now(UTC) < timedelta(seconds=42)


@pytest.mark.parametrize("said", ["-5", "soon", "99999999999999999999", "Mon, 01 Jan 1900 00:00:00 GMT", ""])
def test_no_room_with_a_senseless_time_is_bounded(make_hub: MakeHub, make_adapter: MakeAdapter, said: str) -> None:
    with pytest.raises(Full) as raised:
        make_adapter(make_hub(too_many=said)).start(ID, request())
    assert raised.value.not_before is None or raised.value.not_before - datetime.now(UTC) <= timedelta(hours=1)


def test_too_many_named_servers_is_a_quota(make_hub: MakeHub, make_adapter: MakeAdapter) -> None:
    with pytest.raises(Refused) as raised:
        make_adapter(make_hub(limit=0)).start(ID, request())
    assert raised.value.failure.code is FailureCode.QUOTA
    assert raised.value.failure.retry


def test_options_the_hub_refuses_are_told_in_its_words(make_hub: MakeHub, make_adapter: MakeAdapter) -> None:
    with pytest.raises(Refused) as raised:
        make_adapter(make_hub(refuse_options="the option 'path' is <i>not</i> taken")).start(ID, request())
    assert raised.value.failure.code is FailureCode.BAD_OPTION
    assert "the option 'path' is not taken" in raised.value.failure.message


def test_options_the_hub_ignores_in_silence_are_noticed(make_hub: MakeHub, make_adapter: MakeAdapter) -> None:
    adapter = make_adapter(make_hub(ignore_options=True))
    seen = adapter.probe(begin(adapter), request())
    assert seen.failure is not None
    assert seen.failure.code is FailureCode.BAD_OPTION
    assert "dataset" in seen.message


def test_a_bare_server_error_is_asked_again_after_a_look(make_hub: MakeHub, make_adapter: MakeAdapter) -> None:
    hub = make_hub(broken=1)
    adapter = make_adapter(hub)
    with pytest.raises(RetryLater):
        adapter.start(ID, request())
    assert adapter.start(ID, request()).state is LaunchState.STARTING


@pytest.mark.parametrize("fault", ["no_model", "html"])
def test_a_hub_that_is_away_is_never_taken_for_a_lost_session(
    make_hub: MakeHub, make_adapter: MakeAdapter, fault: str
) -> None:
    hub = make_hub()
    adapter = make_adapter(hub)
    handle = begin(adapter)
    setattr(hub.faults, fault, True)
    with pytest.raises(RetryLater):
        adapter.probe(handle, request())
    with pytest.raises(RetryLater):
        adapter.look()


def test_a_session_that_died_is_lost_and_cannot_be_opened(make_hub: MakeHub, make_adapter: MakeAdapter) -> None:
    hub = make_hub()
    adapter = make_adapter(hub)
    adapter.start(ID, request())
    handle = Handle({"user": "mia", "server": ID, "started": (now() - timedelta(minutes=1)).isoformat()})
    until(adapter, handle, LaunchState.READY)
    hub.kill()
    assert adapter.probe(handle, request()).state is LaunchState.LOST
    with pytest.raises(Refused) as raised:
        adapter.open(handle, request())
    assert raised.value.failure.code is FailureCode.DIED
    assert raised.value.failure.next_step


def test_a_session_still_ending_is_asked_about_again(make_hub: MakeHub, make_adapter: MakeAdapter) -> None:
    hub = make_hub(stop_takes=LONG_S)
    adapter = make_adapter(hub)
    handle = begin(adapter)
    assert adapter.stop(handle, request()) is False
    hub.let_stop()
    waiting.until(lambda: adapter.stop(handle, request()))


def test_somebody_the_hub_never_met_is_introduced(make_hub: MakeHub, make_adapter: MakeAdapter) -> None:
    hub = make_hub(users={})
    adapter = make_adapter(hub)
    handle = adapter.start(ID, request(user="Mia")).handle
    assert handle is not None
    assert handle.values["user"] == "mia", "the name as the hub writes it"
    assert until(adapter, handle, LaunchState.READY)


def test_without_the_right_to_introduce_the_person_is_told_to_sign_in_there_once(
    make_hub: MakeHub, make_adapter: MakeAdapter, version: str
) -> None:
    scopes = V5_SCOPES if version.startswith("5") else V6_SCOPES
    adapter = make_adapter(make_hub(users={}, scopes=scopes[1:]))
    for call in (lambda: adapter.preflight(request()), lambda: adapter.start(ID, request())):
        with pytest.raises(Refused) as raised:
            call()
        assert raised.value.failure.code is FailureCode.AUTH_REQUIRED
        assert raised.value.failure.link


def test_missing_rights_are_named_before_anything_starts(make_hub: MakeHub, make_adapter: MakeAdapter) -> None:
    adapter = make_adapter(make_hub(scopes=("read:servers", "read:users")))
    state = adapter.look()
    assert not state.up
    assert "servers" in state.message
    with pytest.raises(Refused) as raised:
        adapter.preflight(request())
    assert raised.value.failure.code is FailureCode.INTERNAL
    with pytest.raises(Refused) as raised:
        adapter.start(ID, request())
    assert "requires any of" in raised.value.failure.message


def test_a_refused_token_is_our_fault_and_not_the_persons(make_hub: MakeHub, make_adapter: MakeAdapter) -> None:
    hub = make_hub()
    hub.token = "another" * 6
    with pytest.raises(Refused):
        make_adapter(hub).preflight(request())


def test_ours_are_found_page_by_page_and_nobody_elses(make_hub: MakeHub, make_adapter: MakeAdapter) -> None:
    hub = make_hub(users={name: {} for name in ("mia", "ben", "eva", "tom", "ann")})
    adapter = make_adapter(hub)
    ids = {name: f"a{name}22222222222222222"[:21] for name in hub.users}
    for name, id in ids.items():
        adapter.start(id, request(user=name))
    theirs = hub.users["mia"][ids["mia"]]
    hub.users["mia"]["work"] = type(theirs)({"launch": "other"}, "", theirs.since, theirs.due, None, ())
    found = adapter.owned()
    assert {native.launch: native.handle.values["user"] for native in found} == {id: name for name, id in ids.items()}
    assert all(native.since is not None for native in found)


def test_a_procedure_that_is_a_page_is_what_opens(make_hub: MakeHub, make_adapter: MakeAdapter) -> None:
    hub = make_hub()
    adapter = make_adapter(hub)
    adapter.start(ID, request(procedure="reduce"))
    handle = Handle({"user": "mia", "server": ID})
    assert adapter.open(handle, request(procedure="reduce")).url == f"{hub.url}/user/mia/{ID}/lab/tree/reduce.ipynb"


def test_only_allowed_options_with_fitting_values_reach_the_hub(make_hub: MakeHub, make_adapter: MakeAdapter) -> None:
    hub = make_hub()
    adapter = make_adapter(hub, options={"cpus": "[1-8]", "title": ".{1,40}"})
    for options in ({"prologue": "rm -rf"}, {"cpus": "99"}, {"cpus": "1\n2"}, {"launch": "x"}):
        with pytest.raises(Refused) as raised:
            adapter.start(ID, request(options=options))
        assert raised.value.failure.code is FailureCode.BAD_OPTION
    adapter.start(ID, request(options={"cpus": "4"}))
    told = hub.users["mia"][ID].options
    assert (told["cpus"], told["title"]) == ("4", "Films")


@pytest.mark.parametrize("user", ["", "a/b", "..", "a b", "a\nb", "x" * 256])
def test_a_name_that_cannot_be_one_there_is_refused(make_hub: MakeHub, make_adapter: MakeAdapter, user: str) -> None:
    hub = make_hub()
    with pytest.raises(Refused):
        make_adapter(hub).start(ID, request(user=user))
    assert hub.starts() == 0


def test_strange_names_are_escaped(make_hub: MakeHub, make_adapter: MakeAdapter) -> None:
    name = "mia#?%2f+ö@north.example"
    hub = make_hub(users={name: {}})
    adapter = make_adapter(hub)
    handle = adapter.start(ID, request(user=name)).handle
    assert handle is not None
    until(adapter, handle, LaunchState.READY)
    assert list(hub.users[name]) == [ID]
    assert adapter.open(handle, request(user=name)).url == f"{hub.url}/user/mia%23%3F%252f%2B%C3%B6@north.example/{ID}/"


def test_a_hub_upgraded_under_us_is_spoken_to_in_its_new_dialect(make_hub: MakeHub, make_adapter: MakeAdapter) -> None:
    hub = make_hub()
    adapter = make_adapter(hub)
    adapter.look()
    hub.version = "6.1.1" if hub.old else "5.5.4"
    hub.scopes = V5_SCOPES + V6_SCOPES
    adapter.preflight(request())
    until(adapter, begin(adapter), LaunchState.READY)


@pytest.mark.parametrize("changed", [{"login": None}, {"delegation": Delegation.EXCHANGE}])
def test_a_trigger_without_what_it_needs_is_misconfigured(changed: dict[str, object]) -> None:
    trigger = hub_trigger("http://127.0.0.1:1", **changed)
    with pytest.raises(Misconfigured, match="north/hub"):
        open_jupyterhub(facility(trigger), trigger, Vault(), now)
