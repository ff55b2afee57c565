"""ICAT: after any history, an incremental harvest and its sweep leave what a full one brings into an empty house (issue 4)."""

import pytest
from history_suite import COUNT, PARTS, Suite
from icat_life import WEIGHTS, IcatLife

SUITE = Suite("icat", IcatLife, WEIGHTS, requests=110, most=7)
pytestmark = pytest.mark.timeout(max(600, COUNT))


@pytest.mark.parametrize("part", range(PARTS))
def test_incremental_is_full_after_any_history(part: int) -> None:
    SUITE.part(part)


def test_everything_that_can_happen_happened() -> None:
    SUITE.everything_happened()
