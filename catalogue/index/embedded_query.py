"""This file is a search as a tantivy query, built from our own tree: nothing a reader typed passes through a parser."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import tantivy
from tantivy import FieldType, Occur, Query

from catalogue.index.embedded_schema import NONE, PART, digits
from catalogue.index.quantities import folded, key, path
from catalogue.index.terms import micros
from catalogue.index.wording import TIE_BREAKER, WEIGHTS
from catalogue.query import AnyOf, Between, Clause, Field, Instant, ParameterIs, Scope, Search
from schema.text import Asked

_FEW = 16  # values that are looked up one by one
_FLOOR, _CEILING = key(-math.inf), key(math.inf)
# Fields whose documents are also found by names that no facet shows.
_NAMED = frozenset((Field.PID, Field.INSTRUMENT, Field.SAMPLE, Field.PERSON, Field.INVESTIGATION, Field.PARAMETER_NAME))


class Questions:
    """Makes queries for one tantivy index (which it needs for its parser and schema)."""

    def __init__(self, index: tantivy.Index) -> None:
        self._index = index
        self._schema = index.schema

    def of(self, search: Search, clauses: Sequence[Clause], searcher: tantivy.Searcher) -> Query:
        """The query of a search with these of its clauses. Only words and phrases give a score."""
        parts = [(Occur.Must, self._anywhere(terms)) for terms in wanted(search.asked)]
        parts += [(Occur.Must, filtering(self._clause(clause, searcher))) for clause in clauses]
        if search.scope is Scope.MINE:
            parts.append((Occur.Must, filtering(self.open_to(search.groups))))
        if not parts:
            parts.append((Occur.Must, filtering(Query.all_query())))
        for excluded in search.asked.excluded:
            parts += [(Occur.MustNot, query) for query in self._fields(as_terms(excluded))]
        return Query.boolean_query(parts)

    def open_to(self, groups: Iterable[str]) -> Query:
        """Documents that one of the groups may see."""
        return self.one_of("groups", sorted(groups))

    def pids(self, pids: Iterable[str]) -> Query:
        """The documents of these pids."""
        return Query.term_set_query(self._schema, "pid", [digits(pid) for pid in pids])

    def whole(self, column: str, low: int | None, high: int | None) -> Query:
        """Whole numbers of a column between low and high, both included."""
        return Query.range_query(self._schema, column, FieldType.Integer, lower_bound=low, upper_bound=high)

    def term(self, column: str, value: str) -> Query:
        """Exactly that value."""
        return Query.term_query(self._schema, column, value, index_option="basic")

    def one_of(self, column: str, values: Sequence[str]) -> Query:
        """One of these values. A few are asked for one by one, so that what other clauses rule out is skipped; a set is gathered whole."""
        if not values:
            return Query.empty_query()
        if len(values) > _FEW:
            return Query.term_set_query(self._schema, column, list(values))
        return any_of([self.term(column, value) for value in values])

    def between(self, column: str, low: str | None, high: str | None) -> Query:
        """Values of a column of digits strictly between two of them (None: open)."""
        assert all(end is None or end.isalnum() for end in (low, high))
        return self._index.parse_query(f"{column}:{{{low or '*'} TO {high or '*'}}}")

    def nothing_but(self, column: str, query: Query, values: Sequence[str]) -> Query:
        """Documents of the query that hold some of these values of the column and no other: none in the gaps between them."""
        held = sorted(digits(value) for value in values)
        gaps = [self.between(column, low, high) for low, high in pairwise([None, *held, None])]
        parts = [(Occur.Must, query), (Occur.Must, Query.term_set_query(self._schema, column, held))]
        return Query.boolean_query(parts + [(Occur.MustNot, gap) for gap in gaps])

    def having(self, column: str) -> Query:
        """Documents with a number of that parameter column."""
        return Query.exists_query(f"p.{column}")

    def keys(self, column: str, low: int, high: int) -> Query:
        """Documents with a number of that parameter column whose key lies between two keys, both included."""
        assert column.isalnum()
        return self._index.parse_query(f"q.{column}:[{low} TO {high}]")

    def _anywhere(self, terms: tuple[str, ...]) -> Query:
        fields = [
            Query.boost_query(query, weight)
            for query, weight in zip(self._fields(terms), WEIGHTS.values(), strict=True)
        ]
        return Query.disjunction_max_query(fields, TIE_BREAKER)

    def _fields(self, terms: tuple[str, ...]) -> list[Query]:
        if len(terms) == 1:
            return [Query.term_query(self._schema, field, terms[0]) for field in WEIGHTS]
        return [Query.phrase_query(self._schema, field, list(terms)) for field in WEIGHTS]

    def _clause(self, clause: Clause, searcher: tantivy.Searcher) -> Query:
        match clause:
            case AnyOf():
                return self._any_of(clause.field, clause.values)
            case Between():
                start = NONE + 1 if clause.start is None else micros(clause.start)
                before = None if clause.before is None else micros(clause.before) - 1
                column = "started" if clause.field is Instant.STARTED else "released"
                return self.whole(column, start, before)
            case ParameterIs():
                return self._parameter(clause, searcher)

    def _any_of(self, field: Field, values: Sequence[str]) -> Query:
        spelt = dict.fromkeys(spelling for value in values for spelling in (value, folded(value)) if spelling)
        if not spelt:
            return Query.empty_query()
        exact = self.one_of(f"f_{field.value}", [digits(value) for value in spelt])
        if field not in _NAMED:
            return exact
        named = [f"{field.value}{PART}{folded(value)}" for value in spelt]
        return any_of([exact, self.one_of("also", list(dict.fromkeys(named)))])

    def _parameter(self, clause: ParameterIs, searcher: tantivy.Searcher) -> Query:
        name = folded(clause.name)
        texts = list(dict.fromkeys(map(folded, clause.text)))
        if clause.min is None and clause.max is None:
            if not texts:
                return self._any_of(Field.PARAMETER_NAME, (name,))
            column = path(name, None)
            return self.one_of("parameter_text", [f"{column}={text}" for text in texts])
        columns = [path(name, clause.dimension, text) for text in (texts or (None,))]
        low = _FLOOR if clause.min is None else key(clause.min)
        high = _CEILING if clause.max is None else key(clause.max)
        if low > high:
            return Query.empty_query()
        return any_of([query for column in columns for query in self._overlaps(column, low, high, searcher)])

    def _overlaps(self, column: str, low: int, high: int, searcher: tantivy.Searcher) -> list[Query]:
        """A point within, or a range of which one end lies before the other end of the question."""
        found = [self.keys(column, low, high)]
        place = 0
        while searcher.doc_freq("slots", f"{column}x{place}"):
            slot = f"{column}x{place}"
            found.append(
                Query.boolean_query(
                    [
                        (Occur.Must, self.keys(f"{slot}l", _FLOOR, high)),
                        (Occur.Must, self.keys(f"{slot}h", low, _CEILING)),
                    ]
                )
            )
            place += 1
        return found


def wanted(asked: Asked) -> list[tuple[str, ...]]:
    """The terms that must stand together, one entry each."""
    return [(word,) for word in asked.words] + [tuple(phrase) for phrase in asked.phrases]


def as_terms(excluded: str | tuple[str, ...]) -> tuple[str, ...]:
    """An excluded word or phrase as terms."""
    return (excluded,) if isinstance(excluded, str) else tuple(excluded)


def filtering(query: Query) -> Query:
    """The same documents, without a word in the score."""
    return Query.const_score_query(query, 0.0)


def any_of(queries: Sequence[Query]) -> Query:
    """Documents of any of the queries."""
    return queries[0] if len(queries) == 1 else Query.boolean_query([(Occur.Should, query) for query in queries])


def all_of(queries: Sequence[Query]) -> Query:
    """Documents of all of the queries."""
    return Query.boolean_query([(Occur.Must, query) for query in queries])


Ask = Callable[[Sequence[Clause]], Query]
