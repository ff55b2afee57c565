"""The Elasticsearch index keeps the contract of every index on a real node, read from threads and from an event loop alike."""

from collections.abc import Callable, Iterator

import oracle
import pytest
from both_ways import BothWays, Loop
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

from catalogue.index.elastic import ElasticIndex
from catalogue.index.elastic_async import AsyncElasticIndex
from catalogue.index.elastic_client import Connection

pytestmark = [
    pytest.mark.elasticsearch,
    pytest.mark.timeout(600),
]  # a node starts, and each made example makes two indexes


@pytest.fixture
def fresh(fresh: Callable[[], ElasticIndex], elasticsearch: Elasticsearch) -> Iterator[Callable[[], BothWays]]:
    """Makes new indexes that are read both ways."""
    loop, connection = Loop(), Connection(elasticsearch.url)
    opened: list[BothWays] = []

    def make() -> BothWays:
        plain = fresh()
        awaited = AsyncElasticIndex(connection, plain._layout, techniques=oracle.Tree())
        opened.append(BothWays(plain, awaited, loop))
        return opened[-1]

    yield make
    for index in opened:
        index.close()
    loop.end()


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
