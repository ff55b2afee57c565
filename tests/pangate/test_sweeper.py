"""When a source is owed a harvest, from its rows alone."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.ports import SourceState
from pangate.sweeper import LONGEST, SHORTEST, due
from schema.activities import HarvestMode
from schema.federation import Source

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SOURCE = Source(id="s", kind="scicat", url="https://catalogue.example.org", interval="6 h", full="7 d")
NEVER = SourceState("f/s", 0, 0, None, None, None, None, None, None, "")


def state(**values: object) -> SourceState:
    return msgspec.structs.replace(NEVER, **values)


def ago(**values: float) -> datetime:
    return NOW - timedelta(**values)


def test_a_source_that_was_never_asked_is_owed_a_full_harvest():
    assert due(SOURCE, None, NOW) is HarvestMode.FULL
    assert due(SOURCE, NEVER, NOW) is HarvestMode.FULL


def test_within_its_interval_nothing_is_owed():
    assert due(SOURCE, state(last_done=ago(hours=5), last_full=ago(days=1), last_attempt=ago(hours=5)), NOW) is None


def test_after_its_interval_what_changed_is_owed():
    known = state(last_done=ago(hours=6), last_full=ago(days=1), last_attempt=ago(hours=6))
    assert due(SOURCE, known, NOW) is HarvestMode.INCREMENTAL


def test_after_the_long_interval_everything_is_owed():
    known = state(last_done=ago(hours=1), last_full=ago(days=7), last_attempt=ago(hours=1))
    assert due(SOURCE, known, NOW) is HarvestMode.FULL


@pytest.mark.parametrize(
    ("failing", "attempt", "owed"),
    [(0, 30, False), (0, 61, True), (3600, 1800, False), (7200, 3601, False), (7200, 7201, True)],
)
def test_a_failing_source_is_asked_ever_more_rarely(failing, attempt, owed):
    known = state(
        last_done=ago(days=1),
        last_full=ago(days=1),
        last_attempt=ago(seconds=attempt),
        failing_since=ago(seconds=attempt + failing),
    )
    assert (due(SOURCE, known, NOW) is not None) is owed


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_the_pause_of_a_failing_source_lies_between_its_bounds(failing, waited):
    since = ago(seconds=waited + failing)
    known = state(last_done=since, last_full=ago(hours=1), last_attempt=ago(seconds=waited), failing_since=since)
    owed = due(SOURCE, known, NOW) is not None
    assert owed or waited <= LONGEST.total_seconds()
    assert not owed or waited >= SHORTEST.total_seconds()
