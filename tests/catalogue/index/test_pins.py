"""States that cursors name are held for five minutes after they were last named, or the last few of them, and no longer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.index.pins import SECONDS, Pins
from schema.errors import CursorExpired


@given(
    moves=st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(0, 150)), max_size=40),
    most=st.integers(1, 5),
)
def test_what_is_held_was_named_within_five_minutes_and_is_among_the_last(
    moves: list[tuple[str, float]], most: int
) -> None:
    now, gone, named = [0.0], list[str](), dict[str, float]()
    pins: Pins[str] = Pins(lambda: now[0], most=most, dropped=gone.append)
    for name, wait in moves:
        now[0] += wait
        pins.keep(name, name.upper())
        named.pop(name, None)
        named[name] = now[0]
        held = {each for each in list(named)[-most:] if named[each] + SECONDS >= now[0]}
        for each in "abcdef":
            if each in held:
                assert pins.find(each) == each.upper()
            else:
                with pytest.raises(CursorExpired):
                    pins.find(each)
        for each in set(named) - held:
            assert each in gone, "whoever wants to know is told"
            del named[each]
