"""Words and rules of a hub, and the pace of the line: pure functions with laws."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.activities import ALIVE, FINAL, Launch, LaunchState, launch_id, named_by
from triggers.hub_dialect import Dialect, dialect_of, hub_root, missing_scopes, server_name, start_body
from triggers.pace import Step, backoff, next_look, step_of
from triggers.progress import LENGTH, clean, explanation, queued, read_events
from triggers.session import retry_after

KUBERNETES = (
    "(403)\nReason: Forbidden\nHTTP response headers: HTTPHeaderDict({'Audit-Id': 'x', 'Set-Cookie': 'secret'})\n"
    'HTTP response body: {"kind":"Status","message":"pods is forbidden: User \\"hub\\" cannot create","code":403}'
)


def test_raw_headers_are_dropped_and_the_sentence_in_them_kept() -> None:
    assert clean(KUBERNETES) == 'pods is forbidden: User "hub" cannot create'


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("<b>No</b> <script>alert(1)</script>image", "No alert(1) image"), ("a &lt;b&gt; c", "a c"),
        ("a\x00\u202eb\n\n c", "a b c"), (None, ""), (3, ""), ("1 < 2 and 3 > 2", "1 2"), ("x" * 400, "x" * 299 + "…"),
    ],
)  # fmt: skip
def test_words_are_cleaned(said: object, shown: str) -> None:
    assert clean(said) == shown


@given(st.text(max_size=2_000))
def test_clean_words_are_short_single_lined_and_without_tags(text: str) -> None:
    shown = clean(text)
    assert len(shown) <= LENGTH
    assert "\n" not in shown
    assert not ("<script" in shown and ">" in shown.partition("<script")[2])


@given(st.binary(max_size=500))
def test_any_bytes_are_read_as_events_or_passed_over(stream: bytes) -> None:
    for event in read_events(b"data: " + stream):
        assert event.progress is None or 0 <= event.progress <= 100


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists, max_leaves=3))
def test_any_value_in_an_event_is_borne(value: object) -> None:
    body = {"progress": value, "message": value, "ready": value, "failed": value}
    read_events(b"data: " + msgspec.json.encode(body) + b"\n\n")


def test_an_event_cut_in_the_middle_is_passed_over() -> None:
    stream = b'\n\ndata: {"progress": 10, "message": "Pending in queue..."}\n\ndata: {"progress": 2'
    events = read_events(stream)
    assert [event.message for event in events] == ["Pending in queue..."]
    assert queued(events)


def test_a_failure_without_reason_is_told_by_what_came_before() -> None:
    events = read_events(b'data: {"message": "Pulling"}\ndata: {"failed": true, "message": "Spawn failed: "}')
    assert explanation(events) == "The last the platform said was: Pulling"
    assert explanation(events[1:]) == ""


def test_versions_have_dialects() -> None:
    versions = {"5.5.4": 5, "6.1.1": 6, "4.1.6": 5, "7.0.0.dev": 6, "": 6}
    assert {version: dialect_of(version).value for version in versions} == versions


def test_the_body_of_a_start_is_the_options_in_5_and_holds_them_in_6() -> None:
    assert start_body(Dialect.V5, {"a": "b"}, "t") == {"a": "b"}
    assert start_body(Dialect.V6, {"a": "b"}, "t") == {"user_options": {"a": "b"}, "display_name": "t"}


def test_scopes_with_filters_and_wider_ones_suffice() -> None:
    assert missing_scopes(Dialect.V6, ["start:servers!group=x", "read:servers", "delete:servers"]) == []
    assert missing_scopes(Dialect.V6, ["admin:servers"]) == []
    assert missing_scopes(Dialect.V6, ["read:servers", 3]) == ["delete:servers", "start:servers"]
    assert missing_scopes(Dialect.V5, ["start:servers", "read:servers"]) == ["servers"]


def test_a_hubs_address_may_be_written_in_any_way() -> None:
    for url in ("https://h/j", "https://h/j/", "https://h/j/hub", "https://h/j/hub/api", "https://h/j/hub/home"):
        assert hub_root(url) == "https://h/j"


@given(st.binary(min_size=9, max_size=20), st.binary(max_size=64))
def test_every_launch_id_is_a_servers_name_that_its_gateway_knows(random: bytes, key: bytes) -> None:
    id = launch_id(random, key)
    assert server_name(id) == id
    assert named_by(id, key)


@given(st.binary(min_size=9, max_size=9), st.integers(1, 20), st.sampled_from("abcxyz234567"))
def test_a_launch_id_with_another_letter_is_nobodys(random: bytes, at: int, letter: str) -> None:
    id = launch_id(random, b"key")
    other = id[:at] + letter + id[at + 1 :]
    assert named_by(other, b"key") is (other == id)
    assert not named_by(id + "a", b"key")
    assert not named_by("", b"key")


@pytest.mark.parametrize("name", ["", "A", "1a", "a-", "a--b", "a_b", "a" * 31, "a\n", "ä"])
def test_no_other_name_is(name: str) -> None:
    with pytest.raises(ValueError):
        server_name(name)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("41", 41), ("0", 1), ("99999", 3600), ("9" * 30, 3600), ("-3", None), ("soon", None), ("", None), ("٣", None),
     ("Sun, 22 Nov 2026 10:00:30 GMT", 30), ("Sun, 22 Nov 2020 10:00:30 GMT", 1)],
)  # fmt: skip
def test_retry_after_is_bounded(text: str, seconds: float | None) -> None:
    assert retry_after(text, datetime(2026, 11, 22, 10, tzinfo=UTC)) == seconds


@given(st.integers(0, 10_000), st.floats(0, 1))
def test_pauses_grow_and_are_bounded(attempts: int, chance: float) -> None:
    pause = backoff(attempts, chance)
    assert timedelta(seconds=0.5) <= pause <= timedelta(minutes=5)
    assert backoff(attempts + 1, chance) >= pause


@given(st.sampled_from(sorted(ALIVE)), st.integers(0, 10**6))
def test_looks_are_never_closer_than_a_second_nor_further_than_half_a_minute(state: LaunchState, age: int) -> None:
    assert timedelta(seconds=1) <= next_look(state, timedelta(seconds=age)) <= timedelta(seconds=30)


NOW = datetime(2026, 11, 22, tzinfo=UTC)


@given(
    st.sampled_from(sorted(LaunchState)), st.sampled_from(["run", "stop"]), st.integers(-5, 5), st.booleans(), st.booleans()
)  # fmt: skip
def test_what_is_wanted_and_the_end_of_the_lease_come_first(
    state: LaunchState, wanted: str, left: int, handle: bool, due: bool
) -> None:
    launch = Launch(
        "a", None, None, state, "m", NOW, None, NOW + timedelta(seconds=left), {} if handle else None, None,  # type: ignore[arg-type]
        wanted, NOW if due else None, 0, 1,
    )  # fmt: skip
    step = step_of(launch, NOW)
    if state in FINAL:
        assert step is (Step.CLEAN if handle and due else Step.REST)
    elif wanted == "stop" or left <= 0:
        assert step is Step.STOP
    else:
        assert (step is Step.STOP) == (state is LaunchState.STOPPING)
