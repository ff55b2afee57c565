"""A machine whose clock is not that of the others: the doctor holds it against the clock of the real PostgreSQL that they share."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from parted_house import PartedHouse

from pangate.doctor import _clock

pytestmark = pytest.mark.postgresql


def test_the_doctor_tells_a_clock_that_is_ahead_or_behind_and_is_content_with_one_that_agrees(parted: Any) -> None:
    house: PartedHouse = parted("redis://127.0.0.1:1/0")
    for seconds, grade, words in (
        (0.0, "good", "agrees with PostgreSQL's"),
        (1.0, "good", "agrees with PostgreSQL's"),
        (30.0, "warning", r"[23]\d s ahead of PostgreSQL's"),  # what the question takes is left out of it
        (-30.0, "warning", r"[23]\d s behind PostgreSQL's"),
    ):
        with house.opened(later=timedelta(seconds=seconds)) as inside:
            (found,) = _clock(inside)
        assert (found.what, found.grade) == ("clock", grade), found
        assert re.search(words, found.message), found
        assert grade == "good" or "Have NTP set the clocks" in found.message
