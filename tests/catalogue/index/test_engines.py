"""Both engines give the same answers: sets, counts, facets, suggestions, and on freshly built indexes scores and order."""

import math
from collections.abc import Callable, Iterator
from itertools import count, pairwise
from pathlib import Path

import msgspec
import oracle
import pytest
import strategies as made
from contracts.index import walk
from hypothesis import HealthCheck, given, settings
from servers.elasticsearch import Elasticsearch
from servers.wiping import made_name, wipe

from catalogue.index.elastic import ElasticIndex
from catalogue.index.elastic_client import Connection
from catalogue.index.elastic_generations import Layout
from catalogue.index.embedded import EmbeddedIndex
from catalogue.ports import Entry, Index
from catalogue.query import Found, Hit, Position, Search

pytestmark = [pytest.mark.elasticsearch, pytest.mark.timeout(900)]
CLOSE = 1e-4
Pair = tuple[EmbeddedIndex, ElasticIndex]
BEGINNINGS = [
    "so",
    "ma",
    "id",
    "d2",
    "gr",
    "ad",
    "be",
    "c",
    "c ",
    "po",
    "pxrd",
    "fi",
    "th",
    "neu",
    "0",
    "la1",
    "te",
    "en",
    "small",
]


@pytest.fixture
def pair(elasticsearch: Elasticsearch, tmp_path: Path) -> Iterator[Callable[[], Pair]]:
    """Makes new pairs of indexes."""
    stem, numbers = made_name(), count()

    def make() -> Pair:
        number = next(numbers)
        layout = Layout(f"{stem}.{number}", template=False)
        elastic = ElasticIndex(Connection(elasticsearch.url), layout, techniques=oracle.Tree())
        return EmbeddedIndex(tmp_path / str(number), techniques=oracle.Tree()), elastic

    yield make
    wipe(elasticsearch, stem)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(entries=made.entries(max_size=60), searches=made.st.lists(made.searches(), min_size=20, max_size=40))
def test_any_search_is_answered_alike(pair: Callable[[], Pair], entries: list[Entry], searches: list[Search]) -> None:
    embedded, elastic = pair()
    fresh = list({(entry.kind, entry.pid): entry for entry in entries}.values())
    for index in (embedded, elastic):
        rebuild = index.rebuild()
        rebuild.apply(fresh, len(entries))
        rebuild.swap()
    for search in searches:
        alike(list(walk(embedded, search)), list(walk(elastic, search)))
    for begun in BEGINNINGS:
        assert embedded.suggest(begun, 5) == elastic.suggest(begun, 5)
    assert embedded.counts() == elastic.counts()
    assert embedded.mark() == elastic.mark() == len(entries)
    pids = [entry.pid for entry in fresh]
    for groups in (frozenset[str](), frozenset(made.GROUPS[:2])):
        for kind in {entry.kind for entry in fresh}:
            assert embedded.get_many(kind, pids, groups) == elastic.get_many(kind, pids, groups)
    close(embedded, elastic)


def alike(one: list[Found], other: list[Found]) -> None:
    """Two walks through all pages of the same search."""
    for left, right in zip(one, other, strict=True):
        assert (left.total, left.more, left.facets, left.sources) == (
            right.total,
            right.more,
            right.facets,
            right.sources,
        )
    first, second = ([hit for page in pages for hit in page.hits] for pages in (one, other))
    if all(hit.score is None for hit in first):
        assert [_bare(hit) for hit in first] == [_bare(hit) for hit in second]
        return
    scores = {hit.raw: hit.score for hit in first}
    assert {hit.raw for hit in second} == scores.keys()
    for hit in second:
        assert hit.score == pytest.approx(scores[hit.raw], rel=CLOSE)
    for above, below in pairwise(second):  # the same order but for equal scores
        assert (scores[above.raw] or 0) >= (scores[below.raw] or 0) * (1 - CLOSE)
    equal = [math.isclose(above.score or 0, below.score or 0, rel_tol=CLOSE) for above, below in pairwise(first)]
    if not any(equal):
        assert [hit.raw for hit in first] == [hit.raw for hit in second]


def _bare(hit: Hit) -> tuple[bytes, Position]:
    return hit.raw, msgspec.structs.replace(hit.position, generation="")


def close(*indexes: Index) -> None:
    """Close both."""
    for index in indexes:
        index.close()
