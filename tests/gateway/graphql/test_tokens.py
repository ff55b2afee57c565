"""This file is ids, cursors and dates: what goes out comes back, and nothing else does."""

from datetime import UTC, datetime, timedelta

import pytest
from graphql import GraphQLError
from hypothesis import given
from hypothesis import strategies as st

from catalogue.query import AnyOf, Field, Position, Scope, Search, Sort
from gateway.graphql import cursors, ids
from gateway.graphql.scalars import Date, DateTime, period
from schema.errors import BadInput, CursorInvalid
from schema.text import parse

KEY = b"k" * 32
POSITION = Position("g1", Sort.TITLE, "silver", "10.5442/nd1", 9)
URL_SAFE = set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@given(st.sampled_from(["Dataset", "Launch"]), st.text(min_size=1))
def test_an_id_comes_back_and_is_url_safe(type_, key):
    made = ids.encode(type_, key)
    assert set(made) <= URL_SAFE
    assert ids.decode(made) == (type_, key)


@given(st.text(max_size=40))
def test_any_text_is_an_id_of_ours_or_none(text):
    found = ids.decode(text)
    assert found is None or ids.encode(*found) == text


def test_an_id_of_another_type_is_refused_with_its_field():
    with pytest.raises(BadInput) as refused:
        ids.key(ids.encode("Dataset", "x"), "Trigger", "input.trigger")
    assert refused.value.field == "input.trigger"


def test_a_cursor_comes_back():
    search = Search(asked=parse("silver"))
    made = cursors.seal_position(KEY, search, POSITION)
    assert set(made) <= URL_SAFE
    assert cursors.unseal_position(KEY, search, made) == POSITION


@given(st.data())
def test_a_cursor_altered_anywhere_is_refused(data):
    search = Search()
    made = cursors.seal_position(KEY, search, POSITION)
    at = data.draw(st.integers(0, len(made) - 1))
    letter = data.draw(st.sampled_from(sorted(URL_SAFE - {made[at]})))
    with pytest.raises(CursorInvalid):
        cursors.unseal_position(KEY, search, made[:at] + letter + made[at + 1 :])


@given(st.text(max_size=60))
def test_any_text_is_no_cursor(text):
    with pytest.raises(CursorInvalid):
        cursors.unseal_position(KEY, Search(), text)


@pytest.mark.parametrize(
    "other",
    [
        Search(asked=parse("gold")),
        Search(clauses=(AnyOf(Field.FACILITY, ("north",)),)),
        Search(sort=Sort.TITLE),
        Search(scope=Scope.MINE),
        Search(scope=Scope.MINE, groups=frozenset({"north:a"})),
    ],
)
def test_a_cursor_of_another_question_or_key_is_refused(other):
    made = cursors.seal_position(KEY, Search(), POSITION)
    with pytest.raises(CursorInvalid):
        cursors.unseal_position(KEY, other, made)
    with pytest.raises(CursorInvalid):
        cursors.unseal_position(b"x" * 32, Search(), made)


def test_a_cursor_of_mine_belongs_to_its_groups():
    mine = Search(scope=Scope.MINE, groups=frozenset({"north:a", "north:b"}))
    made = cursors.seal_position(KEY, mine, POSITION)
    again = Search(scope=Scope.MINE, groups=frozenset({"north:b", "north:a"}))
    assert cursors.unseal_position(KEY, again, made) == POSITION
    with pytest.raises(CursorInvalid):
        cursors.unseal_position(KEY, Search(scope=Scope.MINE, groups=frozenset({"north:a"})), made)


def test_page_size_and_facets_do_not_bind_a_cursor():
    made = cursors.seal_position(KEY, Search(first=10), POSITION)
    assert cursors.unseal_position(KEY, Search(first=50), made) == POSITION


@given(st.dates())
def test_a_day_is_its_24_hours(day):
    found = period(day.isoformat())
    assert found.start == datetime(day.year, day.month, day.day, tzinfo=UTC)
    assert found.end is None or found.end - found.start == timedelta(days=1)


@given(st.integers(1, 9998), st.integers(1, 12))
def test_a_year_is_its_months_and_a_month_its_days(year, month):
    text = f"{year:04}-{month:02}"
    found = period(text)
    assert found.start == period(f"{text}-01").start
    assert found.end == period(f"{year:04}-{month + 1:02}" if month < 12 else f"{year + 1:04}").start
    assert period(f"{year:04}") == (period(f"{year:04}-01").start, period(f"{year:04}-12").end)


@pytest.mark.parametrize(
    "text", ["", "24", "2024-1", "2024-13", "2024-02-30", "0000", "2024-06-01T00:00:00Z", "２０２４", "2024\n"]
)
def test_what_is_no_date_is_refused_with_a_sentence(text):
    with pytest.raises(GraphQLError):
        Date.parse_value(text)


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_is_written_with_a_z_and_read_back(moment):
    text = DateTime.serialize(moment)
    assert text.endswith("Z")
    assert DateTime.parse_value(text) == moment
