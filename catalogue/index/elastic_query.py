"""This file is a search as an Elasticsearch query, built from our own tree: nothing a reader typed passes through a
parser. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from catalogue.index.elastic_mapping import PART, finite, text_field
from catalogue.index.quantities import folded
from catalogue.index.terms import micros
from catalogue.index.wording import TIE_BREAKER, WEIGHTS
from catalogue.query import AnyOf, Between, Clause, Field, Instant, ParameterIs, Scope, Search
from schema.records import Kind

Query = dict[str, Any]
# Fields whose documents are also found by names that no facet shows.
_NAMED = frozenset((Field.PID, Field.INSTRUMENT, Field.SAMPLE, Field.PERSON, Field.INVESTIGATION, Field.PARAMETER_NAME))
LONGEST_TERM = 32_766
NOTHING: Query = {"match_none": {}}


def query(search: Search, clauses: Iterable[Clause]) -> Query:
    """The query of a search with these of its clauses. Only words and phrases give a score."""
    wanted = [(word,) for word in search.asked.words] + [tuple(phrase) for phrase in search.asked.phrases]
    excluded = [(terms,) if isinstance(terms, str) else tuple(terms) for terms in search.asked.excluded]
    parts: dict[str, list[Query]] = {
        "must": [_anywhere(search.kind, terms) for terms in wanted],
        "filter": [*visible(search), *map(clause, clauses)],
        "must_not": [found for terms in excluded for found in _fields(search.kind, terms)],
    }
    return {"bool": {name: queries for name, queries in parts.items() if queries}}


def visible(search: Search) -> list[Query]:
    """What every search is narrowed to: its kind, and in MINE what is open to the viewer's groups."""
    narrowed: list[Query] = [{"term": {"kind": search.kind.value}}]
    if search.scope is Scope.MINE:
        narrowed.append(_terms("groups", sorted(search.groups)))
    return narrowed


def every(queries: Sequence[Query]) -> Query:
    """Documents of all of the queries, without a score."""
    return {"bool": {"filter": list(queries)}}


def either(queries: Sequence[Query]) -> Query:
    """Documents of any of the queries."""
    return queries[0] if len(queries) == 1 else {"bool": {"should": list(queries), "minimum_should_match": 1}}


def clause(one: Clause) -> Query:
    """A clause as a filter."""
    match one:
        case AnyOf():
            return any_of(one.field, one.values)
        case Between():
            bounds = {
                name: micros(moment) for name, moment in (("gte", one.start), ("lt", one.before)) if moment is not None
            }
            column = "started" if one.field is Instant.STARTED else "released"
            return {"range": {column: bounds}} if bounds else {"exists": {"field": column}}
        case ParameterIs():
            return _parameter(one)


def any_of(field: Field, values: Iterable[str]) -> Query:
    """Documents with one of the values, or one of these other names."""
    spelt = [spelling for value in values for spelling in (value, folded(value)) if spelling]
    exact = _terms(field.value, spelt)
    if field not in _NAMED or exact is NOTHING:
        return exact
    return either([exact, _terms("also", [f"{field.value}{PART}{folded(value)}" for value in spelt])])


def parameter_column(name: str, dimension: str | None) -> Query:
    """The nested rows that hold numbers of that parameter in that dimension."""
    return every([_terms("parameters.name", [folded(name)]), _terms("parameters.dimension", [dimension or ""])])


def _parameter(one: ParameterIs) -> Query:
    parts = [_terms("parameters.name", [folded(one.name)])]
    if one.text:
        parts.append(_terms("parameters.text", [folded(text) for text in one.text]))
    if one.min is not None or one.max is not None:
        if one.min is not None and one.max is not None and not one.min <= one.max:
            return NOTHING
        parts.append(_terms("parameters.dimension", [one.dimension or ""]))
    if one.max is not None:
        parts.append({"range": {"parameters.low": {"lte": finite(one.max)}}})
    if one.min is not None:
        parts.append({"range": {"parameters.high": {"gte": finite(one.min)}}})
    return {"nested": {"path": "parameters", "query": every(parts), "score_mode": "none"}}


def _terms(field: str, values: Iterable[str]) -> Query:
    """Documents with one of the values (of those that can be a term: no other was ever indexed)."""
    known = [value for value in dict.fromkeys(values) if writable(value)]
    if not known:
        return NOTHING
    return {"term": {field: known[0]}} if len(known) == 1 else {"terms": {field: known}}


def writable(value: str) -> bool:
    """Whether a text can be a term: Unicode without lone surrogates, at most 32,766 bytes (Lucene's limit)."""
    try:
        return len(value.encode()) <= LONGEST_TERM
    except UnicodeEncodeError:
        return False


def _anywhere(kind: Kind, terms: tuple[str, ...]) -> Query:
    fields = _fields(kind, terms, weighed=True)
    return {"dis_max": {"queries": fields, "tie_breaker": TIE_BREAKER}}


def _fields(kind: Kind, terms: tuple[str, ...], *, weighed: bool = False) -> list[Query]:
    return [_in_field(text_field(kind, field), terms, weight if weighed else None) for field, weight in WEIGHTS.items()]


def _in_field(column: str, terms: tuple[str, ...], weight: float | None) -> Query:
    boost = {} if weight is None else {"boost": weight}
    if len(terms) == 1:
        return {"term": {column: {"value": terms[0], **boost}}}
    return {"match_phrase": {column: {"query": " ".join(terms), "analyzer": "whitespace", **boost}}}
