"""SciCat: after any history, an incremental harvest and its sweep leave what a full one brings into an empty house (issue 4)."""

import time
from collections import Counter

import pytest
from histories import COUNT, drawn, evidence, lived_all
from scicat_life import WEIGHTS, ScicatLife

PARTS = 6
BEGUN = time.monotonic()
COUNTS: Counter[str] = Counter()
pytestmark = pytest.mark.timeout(max(180, COUNT))


@pytest.mark.parametrize("part", range(PARTS))
def test_incremental_is_full_after_any_history(part: int) -> None:
    global COUNTS
    COUNTS += lived_all(ScicatLife, lambda number: drawn(number, WEIGHTS, 25, 12), range(part, COUNT, PARTS))


def test_everything_that_can_happen_happened() -> None:
    evidence("scicat", COUNTS, BEGUN)
    if COUNTS["histories"] == COUNT:
        rare = {name: COUNTS[name] for name in WEIGHTS if COUNTS[name] < COUNT / 30}
        assert not rare
        assert min(COUNTS[name] for name in ("killed", "dies", "restart", "cut", "skew", "full harvest")) > COUNT / 10
