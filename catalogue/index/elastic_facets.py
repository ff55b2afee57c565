"""This file is facets and counts as Elasticsearch aggregations: what is asked, and how the answers are read. Pure.

The query of the first call leaves out the clauses that some facet leaves out; they come back as `post_filter` and
inside the aggregations. So one call gives hits, totals and counts. A second one is needed for bins (their ends are
not known before) and for documents with values beyond the listed ones; labels are counted over all that is visible,
not over the matches.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from catalogue.index.elastic_mapping import PART, label_key
from catalogue.index.elastic_query import Query, clause, either, every, parameter_column
from catalogue.index.facets import EXACT, Counted, Label, clauses_for, edges, listed, of_bins, of_values, size_of
from catalogue.index.vocabulary import Techniques
from catalogue.query import Clause, Facet, FacetWish, Field, Search

Aggregations = dict[str, dict[str, Any]]
Labels = Mapping[tuple[Field, str], str]
_NEXT = chr(ord(PART) + 1)  # sorts behind whatever begins with PART
LABELS = 20_000  # spellings of the values of one facet
_SINGLE = frozenset((Field.FACILITY, Field.ACCESS, Field.YEAR, Field.INVESTIGATION))
_PLAIN = frozenset((Field.FACILITY, Field.SOURCE, Field.ACCESS, Field.YEAR))
_TECHNIQUES = frozenset((Field.TECHNIQUE, Field.TECHNIQUE_EXACT))


class Split:
    """The clauses of a search in two: those that everything is counted with, and those that some facet leaves out."""

    def __init__(self, search: Search) -> None:
        kept = [set(map(id, clauses_for(wish, search.clauses))) for wish in search.facets]
        self.rest = tuple(one for one in search.clauses if any(id(one) not in ids for ids in kept))
        self.common = tuple(one for one in search.clauses if all(id(one) in ids for ids in kept))

    def of(self, wish: FacetWish) -> list[Query]:
        """The filters a facet is counted with, beside the common ones."""
        return filters(clauses_for(wish, self.rest))


def filters(clauses: Sequence[Clause]) -> list[Query]:
    """Clauses as filters."""
    return [clause(one) for one in clauses]


def first(search: Search, split: Split, *, exact: bool = False) -> Aggregations:
    """Matches of each source, and what the facets need first."""
    found: Aggregations = {"source": _within(filters(split.rest), {"values": _values(Field.SOURCE, EXACT, exact)})}
    for place, wish in enumerate(search.facets):
        found[f"facet{place}"] = _within(split.of(wish), _first(wish, exact))
    return found


def _first(wish: FacetWish, exact: bool) -> Aggregations:
    if wish.field is not None:
        missing = {"missing": {"missing": {"field": wish.field.value}}}
        return {"values": _values(wish.field, size_of(wish), exact), **missing}
    stats: Aggregations = {"stats": {"stats": {"field": "parameters.points"}}, "documents": {"reverse_nested": {}}}
    return {"nested": _nested(wish, stats)}


def doubtful(aggregations: Mapping[str, Any]) -> bool:
    """Whether several shards may have kept back a value that counts: then the first call is made again, `exact`."""
    return any(part.get("values", {}).get("doc_count_error_upper_bound", 0) for part in aggregations.values() if part)


def sources(aggregations: Mapping[str, Any]) -> dict[str, int]:
    """Matches of each source."""
    return dict(buckets(aggregations["source"]["values"]))


def buckets(answer: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Values and the documents of each."""
    return [(bucket["key"], bucket["doc_count"]) for bucket in answer["buckets"]]


def second(search: Search, split: Split, counted: Mapping[str, Any]) -> Aggregations:
    """What the facets need besides, empty when that is nothing."""
    found: Aggregations = {}
    for place, wish in enumerate(search.facets):
        answer = counted[f"facet{place}"]
        if wish.field is None:
            bounds = bounds_of(wish, answer)
            if len(bounds) > 2:
                found[f"facet{place}"] = _within(split.of(wish), {"nested": _nested(wish, _bins(bounds))})
        elif wish.field not in _SINGLE and answer["values"]["sum_other_doc_count"] and not _single(answer):
            gaps = _gaps(wish.field, [value for value, _ in listed(wish, buckets(answer["values"]))])
            found[f"facet{place}"] = _within([*split.of(wish), gaps], {})
    return found


def _single(answer: Mapping[str, Any]) -> bool:
    """Whether no match has two values: then the documents beyond the listed values are as many as those values' counts."""
    values = answer["values"]
    pairs = values["sum_other_doc_count"] + sum(count for _, count in buckets(values))
    return bool(pairs == answer["doc_count"] - answer["missing"]["doc_count"])


def bounds_of(wish: FacetWish, answer: Mapping[str, Any]) -> tuple[float, ...]:
    """The edges of a histogram's bins, none when no document has a number."""
    stats = answer["nested"]["rows"]["stats"]
    return edges(float(stats["min"]), float(stats["max"]), wish.bins) if stats["count"] else ()


def unlabelled(search: Search, counted: Mapping[str, Any], techniques: Techniques) -> list[tuple[Field, str]]:
    """The listed values that do not show themselves and that the vocabulary does not name."""
    found: dict[tuple[Field, str], None] = {}
    for place, wish in enumerate(search.facets):
        if wish.field is None or wish.field in _PLAIN:
            continue
        for value, _ in listed(wish, buckets(counted[f"facet{place}"]["values"])):
            if wish.field not in _TECHNIQUES or not techniques.label(value):
                found[wish.field, value] = None
    return list(found)


def label_aggregations(values: Sequence[tuple[Field, str]]) -> Aggregations:
    """The spellings of those values, by field."""
    begun: dict[Field, list[str]] = {}
    for field, value in values:
        begun.setdefault(field, []).append(label_key(field, value).split(PART)[1])
    return {
        field.value: {
            "terms": {
                "field": "label",
                "include": f"{field.value}{PART}({'|'.join(keys)}){PART}.*",
                "size": LABELS,
                "shard_size": LABELS,
            }
        }
        for field, keys in begun.items()
    }


def labels(values: Sequence[tuple[Field, str]], aggregations: Mapping[str, Any]) -> dict[tuple[Field, str], str]:
    """The most frequent spelling of each value (the first of equals), or the value itself."""
    best: dict[str, tuple[int, str]] = {}
    for answer in aggregations.values():
        for told, count in buckets(answer):
            field, key, label = told.split(PART, 2)
            begun = f"{field}{PART}{key}{PART}"
            best[begun] = min(best.get(begun, (0, "")), (-count, label))
    return {(field, value): best.get(label_key(field, value), (0, value))[1] for field, value in values}


def label_checks(guesses: Labels) -> Aggregations:
    """How many documents spell each value as is guessed, and how many do otherwise: two short lists of postings for each, where
    `label_aggregations` reads every label of every document."""
    found: dict[str, Query] = {}
    for place, ((field, value), label) in enumerate(guesses.items()):
        begun = label_key(field, value)
        spelled = begun + label
        before, after = {"gte": begun, "lt": spelled}, {"gt": spelled, "lt": f"{begun[:-1]}{_NEXT}"}
        found[f"so{place}"] = {"term": {"label": spelled}}
        found[f"else{place}"] = either([{"range": {"label": ends}} for ends in (before, after)])
    return {"labels": {"filters": {"filters": found}}}


def checked(guesses: Labels, aggregations: Mapping[str, Any]) -> dict[tuple[Field, str], str]:
    """The guesses that no other spelling can outnumber, whichever it is; and values that nobody spells, if that was guessed."""
    told = aggregations["labels"]["buckets"]
    found: dict[tuple[Field, str], str] = {}
    for place, (key, label) in enumerate(guesses.items()):
        so, otherwise = told[f"so{place}"]["doc_count"], told[f"else{place}"]["doc_count"]
        if so > otherwise or (so == otherwise == 0 and label == key[1]):
            found[key] = label
    return found


def facets(
    search: Search, counted: Mapping[str, Any], more: Mapping[str, Any], techniques: Techniques, known: Labels
) -> tuple[Facet, ...]:
    """The facets, from what both calls gave."""
    label = _label(techniques, known)
    return tuple(
        _facet(wish, counted[f"facet{place}"], more.get(f"facet{place}"), label)
        for place, wish in enumerate(search.facets)
    )


def _label(techniques: Techniques, known: Labels) -> Label:
    def label(field: Field, value: str) -> str:
        told = techniques.label(value) if field in _TECHNIQUES else None
        return told or known.get((field, value), value)

    return label


def _facet(wish: FacetWish, answer: Mapping[str, Any], more: Mapping[str, Any] | None, label: Label) -> Facet:
    if wish.field is None:
        return _histogram(wish, answer, more)
    values = answer["values"]
    other = values["sum_other_doc_count"] if more is None else more["doc_count"]
    counted = Counted(listed(wish, buckets(values)), answer["missing"]["doc_count"], other)
    return of_values(wish, counted, label)


def _histogram(wish: FacetWish, answer: Mapping[str, Any], more: Mapping[str, Any] | None) -> Facet:
    known = answer["nested"]["rows"]["documents"]["doc_count"]
    bounds = bounds_of(wish, answer)
    counts = [known] if len(bounds) == 2 else []
    if more is not None:
        counts = [bucket["documents"]["doc_count"] for bucket in more["nested"]["rows"]["bins"]["buckets"]]
    return of_bins(wish, bounds, counts, answer["doc_count"] - known)


def _values(field: Field, size: int, exact: bool) -> dict[str, Any]:
    order = [{"_key": "desc"}] if field is Field.YEAR else [{"_count": "desc"}, {"_key": "asc"}]
    reach = EXACT if exact else max(size, min(EXACT, 4 * size + 100))
    return {"terms": {"field": field.value, "size": size, "shard_size": reach, "order": order}}


def _nested(wish: FacetWish, inner: Aggregations) -> dict[str, Any]:
    rows = {"filter": parameter_column(wish.parameter or "", wish.dimension), "aggs": inner}
    return {"nested": {"path": "parameters"}, "aggs": {"rows": rows}}


def _bins(bounds: Sequence[float]) -> Aggregations:
    ends = [None, *bounds[1:-1], None]
    ranges = [
        {name: end for name, end in (("from", low), ("to", high)) if end is not None} for low, high in pairwise(ends)
    ]
    counted: Aggregations = {"documents": {"reverse_nested": {}}}
    return {"bins": {"range": {"field": "parameters.points", "ranges": ranges}, "aggs": counted}}


def _gaps(field: Field, shown: Sequence[str]) -> Query:
    """Documents with a value that lies between two neighbours of the listed ones."""
    ends = [None, *sorted(shown), None]
    return either(
        [
            {"range": {field.value: {name: end for name, end in (("gt", low), ("lt", high)) if end is not None}}}
            for low, high in pairwise(ends)
        ]
    )


def _within(narrowing: Sequence[Query], inner: Aggregations) -> dict[str, Any]:
    return {"filter": every(narrowing), **({"aggs": inner} if inner else {})}
