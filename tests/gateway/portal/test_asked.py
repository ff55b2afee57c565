"""The address of a search: read and written back, whatever stands in it."""

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.portal.asked import LISTS, Asked, Quantity, read
from schema.errors import BadInput

VALUES = st.text(st.characters(codec="utf-8"), max_size=12)
PAIRS = st.lists(
    st.tuples(
        st.sampled_from([*LISTS, "q", "from", "to", "p", "pname", "pmin", "punit", "sort", "scope", "analysable", "x"]),
        VALUES,
    ),
    max_size=12,
)


@given(PAIRS)
def test_what_is_read_and_written_is_read_the_same_again(pairs: list[tuple[str, str]]) -> None:
    asked = read(pairs)
    again = read(parse_qsl(urlsplit(asked.address()).query))
    assert again == asked


@given(PAIRS, st.sampled_from(LISTS), VALUES.filter(str.strip))
def test_toggling_twice_changes_nothing_but_the_page(pairs: list[tuple[str, str]], key: str, value: str) -> None:
    asked = read(pairs).changed()
    if not asked.has(key, value):
        assert asked.toggled(key, value).has(key, value)
    assert set(asked.toggled(key, value).toggled(key, value).pairs()) == set(asked.pairs())


def test_a_change_begins_at_the_first_page_again() -> None:
    asked = read([("q", "iron"), ("after", "abc")])
    assert asked.after == "abc"
    assert asked.toggled("facility", "north").after is None


def test_a_filter_has_the_api_s_keys() -> None:
    asked = read([("format", "h5"), ("from", "2024"), ("p", "energy|7|9|keV"), ("analysable", "1"), ("access", "open")])
    made = asked.filter()
    assert made["file_format"] == ["h5"]
    assert made["access"] == ["OPEN"]
    assert made["parameters"] == [{"name": "energy", "unit": "keV", "min": 7.0, "max": 9.0}]
    assert made["analysable"] is True
    assert made["started"]["from_"].start.year == 2024


@pytest.mark.parametrize(("text", "value"), [("7,5", 7.5), ("1e-3", 0.001), ("−4", -4.0), (" 12 000 ", 12000.0)])
def test_numbers_are_read_as_people_write_them(text: str, value: float) -> None:
    assert Asked(quantities=(Quantity("t", text),)).filter()["parameters"][0]["min"] == value


@pytest.mark.parametrize("text", ["x", "1e9999", "nan", "inf", "0x1", "1_0", "٣"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        Asked(quantities=(Quantity("t", text),)).filter()
