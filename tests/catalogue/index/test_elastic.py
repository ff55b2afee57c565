"""The Elasticsearch index keeps the contract of every index on a real node."""

from collections.abc import Callable, Iterator
from itertools import count

import oracle
import pytest
from contracts.index import (
    BruteForce,
    Facets,
    Filters,
    Pages,
    Rebuilds,
    Scopes,
    Suggestions,
    Words,
    Writes,
)
from servers.elasticsearch import Elasticsearch
from servers.wiping import made_name, wipe

from catalogue.index.elastic import ElasticIndex
from catalogue.index.elastic_client import Connection
from catalogue.index.elastic_generations import Layout

pytestmark = [
    pytest.mark.elasticsearch,
    pytest.mark.timeout(600),
]  # a node starts, and each made example makes two indexes
Fresh = Callable[[], ElasticIndex]


@pytest.fixture
def fresh(elasticsearch: Elasticsearch) -> Iterator[Fresh]:
    """Makes new indexes, closed and removed at the end."""
    opened: list[ElasticIndex] = []
    stem = made_name()
    numbers = count()

    def make() -> ElasticIndex:
        layout = Layout(f"{stem}.{next(numbers)}", template=False)
        opened.append(ElasticIndex(Connection(elasticsearch.url), layout, techniques=oracle.Tree()))
        return opened[-1]

    yield make
    for index in opened:
        index.close()
    wipe(elasticsearch, stem)


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


class TestRebuilds(Rebuilds):
    """Swaps."""


class TestBruteForce(BruteForce):
    """Anything."""
