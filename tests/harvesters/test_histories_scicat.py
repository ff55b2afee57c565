"""SciCat: after any history, an incremental harvest and its sweep leave what a full one brings into an empty house (issue 4)."""

import pytest
from history_suite import COUNT, PARTS, Suite
from scicat_life import WEIGHTS, ScicatLife

SUITE = Suite("scicat", ScicatLife, WEIGHTS, requests=25, most=12)
pytestmark = pytest.mark.timeout(max(600, COUNT))


@pytest.mark.parametrize("part", range(PARTS))
def test_incremental_is_full_after_any_history(part: int) -> None:
    SUITE.part(part)


def test_everything_that_can_happen_happened() -> None:
    SUITE.everything_happened()
