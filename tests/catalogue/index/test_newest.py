"""The newest Elasticsearch that we speak to keeps the contract of every index, and answers as the embedded one does.

With PANGATE_SOAK=1 the whole contract, and as many questions as the other version is asked; else what makes very many indexes is left out.
"""

from collections.abc import Iterator
from typing import ClassVar

import pytest
from contracts.engines import Alike
from contracts.index import BruteForce, Facets, Filters, Pages, Rebuilds, Scopes, Suggestions, Words, Writes
from servers.elasticsearch import NEWEST, Elasticsearch, a_node
from soak import SOAK

pytestmark = [pytest.mark.elasticsearch, pytest.mark.timeout(3_600)]


@pytest.fixture(scope="module")
def elasticsearch() -> Iterator[Elasticsearch]:
    """A node of that version; it needs a Java that the test lock brings."""
    with a_node(NEWEST) as node:
        yield node


class TestScopes(Scopes):
    """Two worlds."""


class TestWords(Words):
    """Text."""


class TestFilters(Filters):
    """Fields, times, parameters."""


class TestFacets(Facets):
    """Counts."""


class TestPages(Pages):
    """Orders."""


class TestSuggestions(Suggestions):
    """Completions."""


class TestWrites(Writes):
    """Versions."""

    if not SOAK:  # its many made indexes are asked of the other version
        test_repeats_and_reorderings_do_no_harm = None


class TestRebuilds(Rebuilds):
    """Swaps."""


class TestBruteForce(BruteForce):
    """Anything."""

    if not SOAK:
        test_any_search_answers_as_brute_force_does = None


class TestAlike(Alike):
    """The comparison, with fewer questions in the short form."""

    if not SOAK:
        ASKED: ClassVar[dict[int, int]] = {2: 20, 15: 80, 70: 150, 250: 100}
        LATER: ClassVar[int] = 20
