"""This file is a search in Elasticsearch, step by step: mostly one call, some facets and labels take another. No input
or output here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from catalogue.index import completions
from catalogue.index import elastic_facets as counting
from catalogue.index import elastic_pages as pages
from catalogue.index.elastic_client import Request, Steps, looked
from catalogue.index.elastic_generations import Generation
from catalogue.index.elastic_mapping import identity, unquoted
from catalogue.index.elastic_query import Query, any_of, every, query, visible, writable
from catalogue.index.elastic_views import View, name
from catalogue.index.facets import EXACT
from catalogue.index.order import sort_of
from catalogue.index.relevance import CEILING, Statistics
from catalogue.index.vocabulary import Techniques
from catalogue.query import Field, Found, Hit, Position, Scope, Search, Sort, Suggestion
from schema.records import Kind

_UNREFRESHED = {"realtime": "false", "_source_includes": "raw,open_to"}
_SPECIAL = frozenset('.?+*|{}[]()"\\#@&<>~^$-')


def answer(search: Search, view: View, techniques: Techniques, *, dfs: bool = False) -> Steps[Found]:
    """The answer of a view. `dfs`: the index has several shards, which must reckon scores with common statistics."""
    split = counting.Split(search)
    limit = max(0, search.first) + 1
    sort = sort_of(search)
    mine = sort is Sort.RELEVANCE and search.scope is Scope.MINE
    if sort is Sort.RELEVANCE:
        view.pin()
    if not mine:
        pages.sort_meant(search, sort)
    body = _body(search, split) | ({"size": 0} if mine else _page(search, sort, limit))
    reply = yield from _ask(view, body | {"aggs": counting.first(search, split)}, dfs)
    counted = reply["aggregations"]
    if counting.doubtful(counted):
        exact = _body(search, split) | {"size": 0, "aggs": counting.first(search, split, exact=True)}
        counted = (yield from _ask(view, exact, dfs))["aggregations"]
    facets = yield from _facets(search, view, split, counted, techniques)
    total = reply["hits"]["total"]["value"]
    offset = search.after.offset if search.after else 0
    if mine:
        hits = yield from _mine(search, view, total, limit)
    else:
        found = reply["hits"]["hits"]
        called = (yield from name(view, search.kind)) if found and sort is Sort.RELEVANCE else ""
        hits = pages.hits(found, sort, offset, called)
    shown = tuple(hits[: limit - 1])
    return Found(total, shown, len(hits) > len(shown), facets, counting.sources(counted))


def _ask(view: View, body: Mapping[str, Any], dfs: bool = False) -> Steps[dict[str, Any]]:
    request = view.search(body)
    if dfs:
        request = request._replace(params={**request.params, "search_type": "dfs_query_then_fetch"})
    reply: dict[str, Any] = yield request
    view.took(reply)
    return reply


def _body(search: Search, split: counting.Split) -> dict[str, Any]:
    body: dict[str, Any] = {"query": query(search, split.common), "track_total_hits": True}
    if split.rest:
        body["post_filter"] = every(counting.filters(split.rest))
    return body


def _page(search: Search, sort: Sort, limit: int) -> dict[str, Any]:
    page: dict[str, Any] = {"size": limit, "sort": pages.order(sort), "_source": ["raw"]}
    if search.after is not None:
        page["search_after"] = pages.beyond(search.after)
    return page


def _facets(
    search: Search, view: View, split: counting.Split, counted: Mapping[str, Any], techniques: Techniques
) -> Steps[tuple[Any, ...]]:
    if not search.facets:
        return ()
    wanted = counting.second(search, split, counted)
    more: Mapping[str, Any] = {}
    if wanted:
        body = {"query": query(search, split.common), "size": 0, "track_total_hits": False, "aggs": wanted}
        reply = yield from _ask(view, body)
        more = reply["aggregations"]
    known = yield from _labels(search, view, counting.unlabelled(search, counted, techniques))
    return counting.facets(search, counted, more, techniques, known)


def _labels(search: Search, view: View, values: list[tuple[Field, str]]) -> Steps[dict[tuple[Field, str], str]]:
    """What the values are called. What is public is remembered with the view, and is the first guess in a later one."""
    known: dict[tuple[Field, str], str] = {}
    if view.public:
        known = _remembered(search.kind, values, view.labels)
    rest = [key for key in values if key not in known]
    guesses = _remembered(search.kind, rest, view.guesses)
    if guesses:
        reply = yield from _over_visible(search, view, counting.label_checks(guesses))
        known |= counting.checked(guesses, reply)
        rest = [key for key in rest if key not in known]
    if rest:
        reply = yield from _over_visible(search, view, counting.label_aggregations(rest))
        known |= counting.labels(rest, reply)
    if view.public:
        view.learn({(search.kind, *key): label for key, label in known.items()})
    return known


def _remembered(
    kind: Kind, values: list[tuple[Field, str]], labels: Mapping[tuple[Kind, Field, str], str]
) -> dict[tuple[Field, str], str]:
    found = {(field, value): labels.get((kind, field, value)) for field, value in values}
    return {key: label for key, label in found.items() if label is not None}


def _over_visible(search: Search, view: View, aggregations: counting.Aggregations) -> Steps[Mapping[str, Any]]:
    body = {"query": every(visible(search)), "size": 0, "track_total_hits": False, "aggs": aggregations}
    reply = yield from _ask(view, body)
    counted: Mapping[str, Any] = reply["aggregations"]
    return counted


def _mine(search: Search, view: View, total: int, limit: int) -> Steps[list[Hit]]:
    """A page of MINE for words: by scores from public statistics, or newest first when too many match; it goes on as it began."""
    begun: Position | None = search.after
    newest = begun.sort is Sort.NEWEST if begun else total > CEILING
    sort = pages.sort_meant(search, Sort.NEWEST if newest else Sort.RELEVANCE)
    offset = begun.offset if begun else 0
    found = query(search, search.clauses)
    if sort is Sort.NEWEST:
        reply = yield from _ask(view, {"query": found, "track_total_hits": False, **_page(search, sort, limit)})
        return pages.hits(reply["hits"]["hits"], sort, offset, "")
    return (yield from _scored(search, view, found, (offset, limit)))


def _scored(search: Search, view: View, found: dict[str, Any], span: tuple[int, int]) -> Steps[list[Hit]]:
    everything = {"query": found, "size": CEILING, "_source": ["words"], "docvalue_fields": ["pid"]}
    reply = yield from _ask(view, everything | {"sort": [{"pid": "asc"}]})
    matches: Sequence[dict[str, Any]] = reply["hits"]["hits"]
    if not matches:
        return []
    statistics = yield from _statistics(search, view)
    ranks = pages.ranked(matches, search.asked, statistics, *span)
    raws = yield from _raws(view, search.kind, [pid for _, pid in ranks])
    called = yield from name(view, search.kind)
    return pages.scored_hits(ranks, raws, span[0], called)


def _statistics(search: Search, view: View) -> Steps[Statistics]:
    """Always from the same shard, should there be several."""
    body = pages.statistics_request(search.kind, search.asked)
    path = f"/{view.generation.public}/_termvectors"
    reply = yield Request("POST", path, body, {"routing": "0"})
    return pages.statistics(search.kind, reply)


def _raws(view: View, kind: Kind, pids: list[str]) -> Steps[dict[str, bytes]]:
    if not pids:
        return {}
    narrowed: list[Query] = [{"term": {"kind": kind.value}}, {"terms": {"pid": pids}}]
    reply = yield from _ask(
        view, {"query": every(narrowed), "size": len(pids), "_source": ["raw"], "docvalue_fields": ["pid"]}
    )
    return {hit["fields"]["pid"][0]: unquoted(hit["_source"]["raw"]) for hit in reply["hits"]["hits"]}


def documents(
    generation: Generation, kind: Kind, pids: Sequence[str], groups: frozenset[str]
) -> Steps[dict[str, bytes]]:
    """The JSON by pid of the documents that are public or open to one of the groups. Raises Absent and Unassigned."""
    names = {identity(kind, pid): pid for pid in pids}
    found: dict[str, bytes] = {}
    for index in (generation.public, generation.restricted) if groups else (generation.public,):
        wanted = [id for id, pid in names.items() if pid not in found]
        if wanted:
            reply = yield Request("POST", f"/{index}/_mget", {"ids": wanted}, _UNREFRESHED)
            for one in looked(reply["docs"]):
                stored = one.get("_source", {})
                open_to = index == generation.public or not groups.isdisjoint(stored.get("open_to", ()))
                if "raw" in stored and open_to:
                    found[names[one["_id"]]] = unquoted(stored["raw"])
    return found


def tally(view: View) -> Steps[dict[str, int]]:
    """Datasets of each facility."""
    body = {"terms": {"field": Field.FACILITY.value, "size": EXACT, "shard_size": EXACT}}
    narrowed = every(visible(Search()))
    reply = yield from _ask(view, {"query": narrowed, "size": 0, "aggs": {"values": body}})
    return dict(counting.buckets(reply["aggregations"]["values"]))


def suggestions(view: View, text: str, first: int) -> Steps[list[Suggestion]]:
    """Completions from public datasets."""
    begun = completions.beginning(text)
    if begun is None or first <= 0 or not writable(begun):
        return []
    entries = {
        "terms": {
            "field": "completion",
            "include": f"{_escaped(begun)}.*",
            "size": completions.LIMIT,
            "shard_size": completions.LIMIT,
            "order": {"_key": "asc"},
        }
    }
    narrowed = every([*visible(Search()), {"prefix": {"completion": {"value": begun}}}])
    reply = yield from _ask(view, {"query": narrowed, "size": 0, "aggs": {"values": entries}})
    found = counting.buckets(reply["aggregations"]["values"])
    wanted: dict[tuple[Field, str], int] = {}

    def noted(field: Field, value: str) -> int:
        return wanted.setdefault((field, value), 0)

    completions.ranked(found, first, noted)  # tells which counts it needs, so that one call brings them all
    counts = yield from _matches(view, list(wanted))
    return completions.ranked(found, first, lambda field, value: counts[field, value])


def _matches(view: View, wanted: list[tuple[Field, str]]) -> Steps[dict[tuple[Field, str], int]]:
    if not wanted:
        return {}
    aggregations = {str(place): {"filter": any_of(field, (value,))} for place, (field, value) in enumerate(wanted)}
    body = {"query": every(visible(Search())), "size": 0, "aggs": aggregations}
    reply = yield from _ask(view, body)
    return {key: reply["aggregations"][str(place)]["doc_count"] for place, key in enumerate(wanted)}


def _escaped(text: str) -> str:
    """A text as a pattern of Lucene that stands for itself."""
    return "".join(f"\\{sign}" if sign in _SPECIAL else sign for sign in text)
