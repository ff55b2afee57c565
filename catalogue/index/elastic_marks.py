"""This file is how far a generation has come: what was written is made seen, counted, and reckoned into its mark, a document in it."""

from __future__ import annotations

from typing import NamedTuple

from catalogue.index.elastic_client import Absent, Refused, Request, Steps
from catalogue.index.elastic_generations import Generation, Layout, current, of_index, usable, write_alias

_MARK = "mark"


def refreshed(generation: Generation) -> Steps[None]:
    """Make acknowledged writes seen, in the public index first."""
    for index in (generation.public, generation.restricted):
        yield Request("POST", f"/{index}/_refresh", patient=True)


def live(generation: Generation) -> Steps[int]:
    """How many documents are seen in both indexes; tombstones and notes of ours have no kind. A search, since `_count` would leave out
    what a missing shard holds without an error."""
    asked = {"query": {"exists": {"field": "kind"}}, "size": 0, "track_total_hits": True}
    whole = {"allow_partial_search_results": "false", "filter_path": "hits.total.value"}
    found = yield Request("POST", f"/{generation.both}/_search", asked, whole, patient=True)
    return int(found["hits"]["total"]["value"])


def refreshing(generation: Generation, interval: str) -> Steps[None]:
    """How often the engine makes writes seen by itself."""
    yield Request("PUT", f"/{generation.both}/_settings", {"index": {"refresh_interval": interval}}, patient=True)


def marked(generation: Generation) -> Steps[int]:
    """The mark of a generation; 0 when it has none."""
    try:
        found = yield Request("GET", f"/{generation.restricted}/_doc/{_MARK}")
    except Absent:
        return 0
    return int(found["_source"]["mark"])


class Reached(NamedTuple):
    """The generation in use and its mark: equal as long as nothing has been counted into it since."""

    generation: Generation
    mark: int
    written: int = -1
    """How often this index had been written to when the mark was."""


def reached(layout: Layout) -> Steps[Reached | None]:
    """How far the index in use has come, None when there is none: one call, or two before its first mark. Raises Misconfigured."""
    try:
        found = yield Request("GET", f"/{layout.alias('restricted')}/_doc/{_MARK}")
    except (Absent, Refused):
        found = {}  # no mark yet; or two indexes of that alias, as two writers that both began one leave them
    named = of_index(layout, found.get("_index", ""))
    if named is not None:
        return Reached(usable(named), int(found["_source"]["mark"]), int(found["_seq_no"]))
    generation = yield from current(layout)
    return Reached(generation, (yield from marked(generation))) if generation else None


def mark(generation: Generation, number: int) -> Steps[None]:
    """Write the mark, unless a higher one is there."""
    parameters = {"version": str(number), "version_type": "external_gte", "require_alias": "true"}
    try:
        yield Request(
            "PUT", f"/{write_alias(generation.restricted)}/_doc/{_MARK}", {"mark": number}, parameters, patient=True
        )
    except Refused as error:
        if error.status != 409:
            raise
