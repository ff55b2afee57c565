"""The Elasticsearch index keeps the contract of every index on a real node."""

from collections.abc import Callable, Iterator
from itertools import count
from uuid import uuid4

import httpx
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

from catalogue.index.elastic import ElasticIndex
from catalogue.index.elastic_client import Connection
from catalogue.index.elastic_generations import Layout

pytestmark = pytest.mark.elasticsearch
Fresh = Callable[[], ElasticIndex]


@pytest.fixture
def fresh(elasticsearch: Elasticsearch) -> Iterator[Fresh]:
    """Makes new indexes, closed and removed at the end."""
    opened: list[ElasticIndex] = []
    stem = f"t{uuid4().hex[:12]}"
    numbers = count()

    def make() -> ElasticIndex:
        layout = Layout(f"{stem}.{next(numbers)}")
        opened.append(ElasticIndex(Connection(elasticsearch.url), layout, techniques=oracle.Tree()))
        return opened[-1]

    yield make
    for index in opened:
        index.close()
    remove(elasticsearch, stem)


def remove(node: Elasticsearch, stem: str) -> None:
    """Delete the indexes and templates whose names begin so."""
    with httpx.Client(base_url=node.url, timeout=30) as server:
        names = list(server.get(f"/{stem}*?filter_path=*.settings.index.uuid").json())
        for start in range(0, len(names), 20):
            server.delete(f"/{','.join(names[start : start + 20])}?ignore_unavailable=true").raise_for_status()
        server.delete(f"/_index_template/{stem}*").raise_for_status()


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
