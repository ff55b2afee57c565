"""This file is pages read from Elasticsearch: what a page asks for, and the hits in its answer. Pure.

Every order is total (by value or score, then by pid), so that a page goes on after the last hit's values, however
deep.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from catalogue.index.elastic_mapping import text_field, unquoted
from catalogue.index.order import ORDERINGS, Value, read, settled, written
from catalogue.index.relevance import Statistics, score
from catalogue.index.wording import WEIGHTS
from catalogue.query import Hit, Position, Search, Sort
from schema.errors import CursorInvalid
from schema.records import Kind
from schema.text import Asked

_LONGEST = 2**63
_LAST = _LONGEST - 1  # stands for the third value that every sort at a point in time has: no two documents share a pid


def order(sort: Sort) -> list[dict[str, Any]]:
    """The sort of a page."""
    if sort is Sort.RELEVANCE:
        return [{"_score": {"order": "desc"}}, {"pid": {"order": "asc"}}]
    rule = ORDERINGS[sort]
    first = {rule.column: {"order": "desc" if rule.descending else "asc", "missing": "_last"}}
    return [first, {"pid": {"order": "asc"}}]


def beyond(after: Position) -> list[Any]:
    """The values after which a page begins. Raises CursorInvalid."""
    if after.sort is Sort.RELEVANCE:
        try:
            return [float(after.value), after.pid, _LAST]
        except ValueError:
            raise _foreign() from None
    rule = ORDERINGS[after.sort]
    value = read(after.value, rule.textual)
    if value is None:
        if rule.textual:
            raise _foreign()
        value = -_LONGEST if rule.descending else _LAST
        return [value, after.pid, _LAST]
    if isinstance(value, int) and not -_LONGEST < value < _LAST:
        raise _foreign()
    return [value, after.pid, _LAST]


def _foreign() -> CursorInvalid:
    return CursorInvalid("This cursor does not belong to this order. Begin at the first page again.")


def hits(found: Sequence[Mapping[str, Any]], sort: Sort, offset: int, generation: str) -> list[Hit]:
    """The hits of an answer; `generation` is the view they were read in (for lists by relevance)."""
    return [_hit(one, sort, place, generation) for place, one in enumerate(found, start=offset + 1)]


def _hit(one: Mapping[str, Any], sort: Sort, place: int, generation: str) -> Hit:
    value, pid = one["sort"][:2]
    raw = unquoted(one["_source"]["raw"])
    if sort is Sort.RELEVANCE:
        return Hit(raw, value, Position(generation, sort, repr(value), pid, place))
    return Hit(raw, None, Position("", sort, written(_value(value)), pid, place))


def _value(value: Value | None) -> Value | None:
    """Elasticsearch writes an extreme number for a document without one."""
    return None if value in (_LAST, -_LONGEST) else value


def ranked(
    found: Sequence[Mapping[str, Any]], asked: Asked, statistics: Statistics, offset: int, limit: int
) -> list[tuple[float, str]]:
    """Scores and pids of a page of MINE: all matches' words scored from public statistics, equal scores by pid."""
    scored = [(score(asked, one["_source"]["words"], statistics), str(one["fields"]["pid"][0])) for one in found]
    scored.sort(key=lambda hit: -hit[0])
    return settled(lambda reach: scored[:reach], lambda pid: pid, offset, limit)


def scored_hits(
    ranks: Sequence[tuple[float, str]], raws: Mapping[str, bytes], offset: int, generation: str
) -> list[Hit]:
    """The hits of a page of MINE."""
    return [
        Hit(raws[pid], points, Position(generation, Sort.RELEVANCE, repr(points), pid, place))
        for place, (points, pid) in enumerate(ranks, start=offset + 1)
        if pid in raws
    ]


def statistics_request(kind: Kind, asked: Asked) -> dict[str, Any]:
    """What `_termvectors` is asked: an artificial document of the words, whose frequencies the index tells."""
    words = dict.fromkeys([*asked.words, *(term for phrase in asked.phrases for term in phrase)])
    columns = [text_field(kind, field) for field in WEIGHTS]
    return {
        "doc": {column: " ".join(words) for column in columns},
        "fields": columns,
        "term_statistics": True,
        "field_statistics": True,
        "positions": False,
        "offsets": False,
        "payloads": False,
    }


def statistics(kind: Kind, answer: Mapping[str, Any]) -> Statistics:
    """Public statistics from the answer of `_termvectors`."""
    vectors = answer.get("term_vectors", {})
    lengths: dict[str, float] = {}
    frequencies: dict[tuple[str, str], int] = {}
    documents = 0
    for field in WEIGHTS:
        vector = vectors.get(text_field(kind, field), {})
        told = vector.get("field_statistics", {})
        count = max(0, told.get("doc_count", 0))
        documents = max(documents, count)
        lengths[field] = told.get("sum_ttf", 0) / count if count else 0.0
        for term, figures in vector.get("terms", {}).items():
            frequencies[field, term] = figures.get("doc_freq", 0)
    return Statistics(documents, lengths, lambda field, term: frequencies.get((field, term), 0))


def sort_meant(search: Search, sort: Sort) -> Sort:
    """That sort, when the search goes on in it. Raises CursorInvalid."""
    if search.after is not None and search.after.sort is not sort:
        raise CursorInvalid("This cursor belongs to another order. Begin at the first page again.")
    return sort
