"""This file is pages read from tantivy: by a field with a total order, by relevance, or by our own scores."""

from __future__ import annotations

from typing import Any

import tantivy
from tantivy import Order, Query

from catalogue.index.embedded_query import all_of
from catalogue.index.embedded_schema import NONE, digits, title_digits, undigits
from catalogue.index.embedded_shelf import View
from catalogue.index.order import Ordering, Row, Value, page, settled, written
from catalogue.index.relevance import Statistics, score
from catalogue.index.wording import WEIGHTS
from catalogue.query import Hit, Position, Sort
from schema.text import Asked


class Listing:
    """One query in one order, as order.page reads it."""

    def __init__(self, view: View, query: Query, ordering: Ordering) -> None:
        self._view = view
        self._query = query
        self._ordering = ordering
        self._column = "title_key" if ordering.textual else ordering.column

    def beyond(self, value: Value | None, limit: int) -> list[Row]:
        """Rows that have a value, beyond the given one."""
        order = Order.Desc if self._ordering.descending else Order.Asc
        found = self._rows(self._past(value), self._column, order, limit)
        if self._ordering.textual:
            return [self._row(undigits(key[1:]), address) for key, address in found]
        return [self._row(int(key), address) for key, address in found]

    def among(self, value: Value | None, pid: str | None, limit: int) -> list[Row]:
        """Rows of exactly that value, by pid."""
        questions = self._view.questions
        if self._ordering.textual:
            exact = questions.term(self._column, title_digits(str(value))) if value is not None else Query.empty_query()
        else:
            number = NONE if value is None else int(value)
            exact = questions.whole(self._column, number, number)
        parts = [exact] if pid is None else [exact, questions.between("pid", digits(pid), None)]
        return [self._row(value, address) for _, address in self._rows(all_of(parts), "pid", Order.Asc, limit)]

    def _past(self, value: Value | None) -> Query:
        questions = self._view.questions
        if self._ordering.textual:
            return (
                Query.all_query() if value is None else questions.between(self._column, title_digits(str(value)), None)
            )
        low = NONE if value is None or self._ordering.descending else int(value)
        high = int(value) - 1 if value is not None and self._ordering.descending else None
        return questions.whole(self._column, low + 1, high)

    def _rows(self, narrowed: Query, column: str, order: Order, limit: int) -> list[tuple[Any, tantivy.DocAddress]]:
        if limit <= 0:
            return []
        query = all_of([self._query, narrowed])
        return self._view.searcher.search(query, limit=limit, count=False, order_by_field=column, order=order).hits

    def _row(self, value: Value | None, address: tantivy.DocAddress) -> Row:
        pid, raw = self._view.read(address)
        return Row(value, pid, raw)


def by_field(
    view: View, query: Query, ordering: tuple[Sort, Ordering], after: Position | None, limit: int
) -> list[Hit]:
    """The next hits in the order of a field."""
    sort, rule = ordering
    offset = after.offset if after else 0
    rows = page(Listing(view, query, rule), after, rule.textual, limit)
    return [
        Hit(row.raw, None, Position("", sort, written(row.value), row.pid, offset + place))
        for place, row in enumerate(rows, start=1)
    ]


def by_score(view: View, query: Query, offset: int, limit: int) -> list[Hit]:
    """Hits from `offset` on by tantivy's scores, equal ones by pid."""

    def fetch(reach: int) -> list[tuple[float, tantivy.DocAddress]]:
        return view.searcher.search(query, limit=reach, count=False).hits

    return _hits(view, settled(fetch, lambda address: view.read(address)[0], offset, limit), offset)


def by_public_score(
    view: View, query: Query, asked: Asked, public: View | None, span: tuple[int, int, int]
) -> list[Hit]:
    """Hits by scores reckoned from public statistics (see relevance), equal ones by pid. `span`: offset, limit, matches."""
    offset, limit, matches = span
    statistics = statistics_of(public)
    scored: list[tuple[float, tantivy.DocAddress]] = []
    for _, address in view.searcher.search(query, limit=max(1, matches), count=False).hits:
        scored.append((score(asked, view.words(address), statistics), address))
    scored.sort(key=lambda hit: -hit[0])
    return _hits(
        view, settled(lambda reach: scored[:reach], lambda address: view.read(address)[0], offset, limit), offset
    )


def statistics_of(public: View | None) -> Statistics:
    """What scores are reckoned from."""
    if public is None:
        return Statistics(0, {}, lambda _field, _term: 0)
    wishes = {field: {"avg": {"field": f"{field}_length"}} for field in WEIGHTS}
    means = public.searcher.aggregate(Query.all_query(), wishes)
    return Statistics(
        public.searcher.num_docs,
        {field: float(means[field]["value"] or 0.0) for field in WEIGHTS},
        public.searcher.doc_freq,
    )


def _hits(view: View, ranked: list[tuple[float, tantivy.DocAddress]], offset: int) -> list[Hit]:
    hits = []
    for place, (points, address) in enumerate(ranked, start=offset + 1):
        pid, raw = view.read(address)
        hits.append(Hit(raw, points, Position(view.name, Sort.RELEVANCE, repr(points), pid, place)))
    return hits
