"""Indexes on a real Elasticsearch node, for the tests of the contract and of both engines side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import oracle
import pytest
from servers.elasticsearch import Elasticsearch
from servers.wiping import made_name, wipe

from catalogue.index.elastic import ElasticIndex
from catalogue.index.elastic_client import Connection
from catalogue.index.elastic_generations import Layout

Fresh = Callable[[], ElasticIndex]
Make = Callable[..., ElasticIndex]


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


@pytest.fixture
def stem() -> str:
    """The beginning of the names of all that `make` makes."""
    return made_name()


@pytest.fixture
def make(elasticsearch: Elasticsearch, stem: str) -> Iterator[Make]:
    """Makes indexes that share one name: several processes, or one that is opened again. They ask again without a pause."""
    opened: list[ElasticIndex] = []

    def index(**options: Any) -> ElasticIndex:
        whole = {"techniques": oracle.Tree(), "pause": lambda _seconds: None} | options
        opened.append(ElasticIndex(Connection(elasticsearch.url), Layout(stem, template=False), **whole))
        return opened[-1]

    yield index
    for one in opened:
        one.close()
    wipe(elasticsearch, stem)
