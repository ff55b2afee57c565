"""This file is facets and counts, made by tantivy's aggregations exactly."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from tantivy import Query

from catalogue.index.embedded_query import Ask, all_of
from catalogue.index.embedded_schema import PART, digits, undigits
from catalogue.index.embedded_shelf import View
from catalogue.index.facets import (
    EXACT,
    Counted,
    clauses_for,
    column,
    edges,
    listed,
    of_bins,
    of_values,
    size_of,
)
from catalogue.index.quantities import key
from catalogue.index.vocabulary import Techniques
from catalogue.query import Clause, Facet, FacetWish, Field, Search

_TECHNIQUES = (Field.TECHNIQUE, Field.TECHNIQUE_EXACT)
_PLAIN = (Field.FACILITY, Field.SOURCE, Field.ACCESS, Field.YEAR)


class Counting:
    """Counts of one search in one view."""

    def __init__(self, view: View, search: Search, ask: Ask, techniques: Techniques) -> None:
        self._view = view
        self._search = search
        self._ask = ask
        self._techniques = techniques

    def totals_and_facets(self) -> tuple[int, dict[str, int], tuple[Facet, ...]]:
        """All matches, those of each source, and the facets wished for. What has the same clauses is counted in one pass."""
        base = self._search.clauses
        passes: dict[tuple[Clause, ...], dict[str, Any]] = {
            base: {"source": _values(Field.SOURCE, EXACT), "total": {"value_count": {"field": "key"}}}
        }
        kept = [clauses_for(wish, base) for wish in self._search.facets]
        for place, (wish, clauses) in enumerate(zip(self._search.facets, kept, strict=True)):
            passes.setdefault(clauses, {}).update(_aggregations(place, wish))
        queries = {clauses: self._ask(clauses) for clauses in passes}
        answers = {
            clauses: self._view.searcher.aggregate(queries[clauses], wishes) for clauses, wishes in passes.items()
        }
        facets = tuple(
            self._facet(wish, queries[clauses], _part(answers[clauses], place))
            for place, (wish, clauses) in enumerate(zip(self._search.facets, kept, strict=True))
        )
        return int(answers[base]["total"]["value"]), dict(_buckets(answers[base]["source"])), facets

    def _facet(self, wish: FacetWish, query: Query, answer: dict[str, Any]) -> Facet:
        if wish.field is None:
            return self._histogram(wish, query, answer["stats"])
        values = _buckets(answer["values"])
        known = len(values) < _reach(wish)
        if _undecided(values, size_of(wish), _reach(wish)):
            least = values[size_of(wish) - 1][1]
            again = self._view.searcher.aggregate(query, {"values": _values(wish.field, EXACT, least)})
            values = _buckets(again["values"])
        spread = {int(bucket["key"]): int(bucket["doc_count"]) for bucket in answer["spread"]["buckets"]}
        shown = listed(wish, values)
        unlisted = sorted(dict(values).keys() - dict(shown).keys()) if known else None
        other = self._other(wish.field, query, (shown, unlisted), spread)
        return of_values(wish, Counted(shown, spread.get(0, 0), other), self._label)

    def _other(
        self,
        field: Field,
        query: Query,
        counted: tuple[Sequence[tuple[str, int]], Sequence[str] | None],
        spread: dict[int, int],
    ) -> int:
        """Documents with a value that is not listed: by arithmetic where each has one, else by the other values when all are known, else
        by the gaps between listed ones. `counted`: the listed values, and the rest if that is known."""
        shown, unlisted = counted
        listings = sum(count for _, count in shown)
        if listings == sum(times * count for times, count in spread.items()):
            return 0
        if max(spread, default=0) <= 1:
            return sum(spread.values()) - spread.get(0, 0) - listings
        questions, column = self._view.questions, f"f_{field.value}"
        if unlisted is not None:
            return self._view.count(all_of([query, questions.one_of(column, list(map(digits, unlisted)))]))
        only = self._view.count(questions.nothing_but(column, query, [value for value, _ in shown]))
        return sum(spread.values()) - spread.get(0, 0) - only

    def _histogram(self, wish: FacetWish, query: Query, stats: dict[str, Any]) -> Facet:
        total = self._view.count(query)
        if not stats["count"]:
            return of_bins(wish, (), (), total)
        bounds = edges(float(stats["min"]), float(stats["max"]), wish.bins)
        known = self._view.count(all_of([query, self._view.questions.having(column(wish))]))
        # Tantivy's own range aggregation is wrong where a segment's numbers happen to be whole: it clamps edges to whole numbers there.
        ends = [*map(key, bounds[:-1]), key(bounds[-1]) + 1] if len(bounds) > 1 else []
        bins = [self._view.questions.keys(column(wish), low, end - 1) for low, end in pairwise(ends)]
        return of_bins(wish, bounds, [self._view.count(all_of([query, one])) for one in bins], total - known)

    def _label(self, field: Field, value: str) -> str:
        """What to show for a value: the vocabulary's label, or its most frequent spelling (the first of equals)."""
        if field in _PLAIN:
            return value
        if field in _TECHNIQUES and (label := self._techniques.label(value)):
            return label
        if not self._view.public:
            return self._spelt(field, value, self._view.questions.open_to(self._search.groups))
        known = self._view.labels.get((field, value))
        if known is None:  # without a query, terms of what was removed since are counted too
            known = self._view.labels[field, value] = self._spelt(field, value, Query.all_query())
        return known

    def _spelt(self, field: Field, value: str, visible: Query) -> str:
        begun = PART.join((field.value, digits(value), ""))
        found = self._view.searcher.terms_with_prefix("label", begun, filter_query=visible)
        return min(((-count, term[len(begun) :]) for term, count in found), default=(0, value))[1]


def _aggregations(place: int, wish: FacetWish) -> dict[str, Any]:
    if wish.field is None:
        return {f"stats{place}": {"stats": {"field": f"p.{column(wish)}"}}}
    return {
        f"values{place}": _values(wish.field, _reach(wish)),
        f"spread{place}": {"terms": {"field": f"n_{wish.field.value}", "size": EXACT, "segment_size": EXACT}},
    }


def _part(answer: dict[str, Any], place: int) -> dict[str, Any]:
    return {name: answer.get(f"{name}{place}") for name in ("stats", "values", "spread")}


def _values(field: Field, size: int, least: int = 1) -> dict[str, Any]:
    return {"terms": {"field": f"f_{field.value}", "size": size, "segment_size": EXACT, "min_doc_count": least}}


def _reach(wish: FacetWish) -> int:
    """How many values to ask for: mostly all there are, always so many more than are listed that equal counts at the end are seen;
    of years all."""
    return EXACT if wish.field is Field.YEAR else 2 * size_of(wish) + 300


def _undecided(values: Sequence[tuple[str, int]], size: int, reach: int) -> bool:
    """Whether values that were not sent may be as frequent as the last one listed."""
    return reach < EXACT and len(values) >= reach and values[-1][1] >= values[size - 1][1]


def _buckets(answer: dict[str, Any]) -> list[tuple[str, int]]:
    return [(undigits(bucket["key"]), int(bucket["doc_count"])) for bucket in answer["buckets"]]


def tally(view: View, field: Field) -> dict[str, int]:
    """How many documents hold each value of a field."""
    return dict(_buckets(view.searcher.aggregate(Query.all_query(), {"values": _values(field, EXACT)})["values"]))
