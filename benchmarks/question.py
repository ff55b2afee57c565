"""This file is the questions that are measured: a search with a text, two filters, three facets and twenty hits with what a page of
results shows; and what a reader has typed of a word."""

from __future__ import annotations

from typing import Any

from catalogue.query import AnyOf, Between, FacetWish, Field, Instant, Search, Sort
from gateway.graphql.scalars import period
from schema.text import parse

WORDS = ("spectroscopy", "diffraction", "energy", "temperature", "measurement", "x-ray", "sample", "structure")
BEGINNINGS = ("di", "diff", "x-r", "ener", "lith", "iva", "tem", "ma")
SUGGEST = "query Suggest($text: String!) { suggest(text: $text) { text kind value count } }"
QUERY = """query Search($q: String!, $filter: DatasetFilter, $first: Int) {
  datasets(query: $q, filter: $filter, first: $first, facets: [{field: TECHNIQUE}, {field: INSTRUMENT}, {field: YEAR}]) {
    totalCount
    pageInfo { hasNextPage endCursor }
    facets { field missing other buckets { value label count } }
    edges { cursor score node { ...Shown } }
  }
}
fragment Shown on Dataset {
  id pid doi title description access isPublic startDate endDate landingPage license keywords
  facility { key shortName } investigation { pid title } instruments { pid name } techniques { pid name }
  samples { name formula } people { name orcid role } files { count bytes formats }
  parameters { name value text unit siValue siUnit }
}"""


def variables(word: str) -> dict[str, Any]:
    """The variables of the search for a word."""
    return {"q": word, "filter": {"access": ["OPEN"], "started": {"from": "2017"}}, "first": 20}


def search(word: str) -> Search:
    """The same question as the index is asked."""
    return Search(
        asked=parse(word),
        clauses=(AnyOf(Field.ACCESS, ("OPEN",)), Between(Instant.STARTED, period("2017").start, None)),
        facets=tuple(FacetWish(each) for each in (Field.TECHNIQUE, Field.INSTRUMENT, Field.YEAR)),
        sort=Sort.RELEVANCE,
        first=20,
    )
