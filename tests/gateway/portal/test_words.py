"""How values are written for people."""

from datetime import UTC, datetime, timedelta

import pytest
from hostile import LINKS
from hypothesis import given
from hypothesis import strategies as st

from gateway.portal import words
from gateway.portal.phrases import STEPS
from schema.activities import LaunchState
from schema.text import MARK_END, MARK_START

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("size", "told"),
    [
        (None, ""),
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (5_240_000_000, "5.24 GB"),
        (999_900, "1 MB"),
    ],
)
def test_amounts(size: int | None, told: str) -> None:
    assert words.amount(size) == told


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (8.979, "8.979"),
        (-1.5, "−1.5"),
        (1.4386e-15, "1.4386 × 10⁻¹⁵"),
        (1e20, "1 × 10²⁰"),
        (300.0, "300"),
        (0.1 + 0.2, "0.3"),
    ],
)
def test_numbers(value: float, told: str) -> None:
    assert words.number(value) == told


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (5, "just now"),
        (60, "1 minute ago"),
        (7200, "2 hours ago"),
        (86_400 * 3, "3 days ago"),
        (86_400 * 400, "1 year ago"),
    ],
)
def test_how_long_ago(seconds: int, told: str) -> None:
    assert words.ago(NOW - timedelta(seconds=seconds), NOW) == told


@pytest.mark.parametrize(
    ("time", "told"),
    [
        (timedelta(), "0 seconds"),
        (timedelta(seconds=-5), "0 seconds"),
        (timedelta(seconds=59), "59 seconds"),
        (timedelta(minutes=1, seconds=1), "1 minute 1 second"),
        (timedelta(hours=4), "4 hours"),
        (timedelta(hours=3, minutes=59, seconds=58), "3 hours 59 minutes"),
        (timedelta(hours=2, seconds=30), "2 hours"),
        (timedelta(hours=36), "1 day 12 hours"),
        (timedelta(days=400), "1 year 1 month"),
    ],
)
def test_how_long_it_lasts(time: timedelta, told: str) -> None:
    assert words.lasting(time) == told


@given(st.text())
def test_plain_text_holds_no_control_characters_and_is_plain_already(text: str) -> None:
    shown = words.plain(text)
    assert all(sign == "\n" or sign.isprintable() or not ord(sign) < 32 for sign in shown)


def test_tags_go_and_paragraphs_stay() -> None:
    assert (
        words.plain("<p>One</p>\n<p>two &amp; <b>three</b><br>four</p><script>x()</script>")
        == "One\n\ntwo & three\n\nfour"
    )
    assert words.plain("a < b and c > d") == "a < b and c > d"


@given(st.text())
def test_marked_text_holds_no_markup_but_marks(text: str) -> None:
    shown = words.marked(f"{MARK_START}{text}{MARK_END}")
    bare = shown.replace("<mark>", "").replace("</mark>", "")
    assert "<" not in bare
    assert ">" not in bare


@given(LINKS)
def test_links_lead_to_http_or_nowhere(text: str) -> None:
    address = words.link(text)
    assert address is None or (address == text and text.startswith(("http://", "https://")) and '"' not in text)


def test_every_state_of_a_launch_has_its_words() -> None:
    assert set(STEPS) == set(LaunchState)


@pytest.mark.parametrize(("length", "shown"), [(1_023, 1_023), (1_024, 1_024), (1_025, 1_026)])
def test_a_heading_shows_so_much_of_a_title(length: int, shown: int) -> None:
    told = words.heading("t" * length)
    assert len(told) == shown
    assert told.endswith(" …") == (length > 1_024)
