"""This file is the states of an index that searches read: points in time, and what cursors call them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any
from uuid import uuid4

from catalogue.index.elastic_client import Absent, Request, Steps
from catalogue.index.elastic_generations import Generation, write_alias
from catalogue.query import Field
from schema.records import Kind

HELD = "1m"  # a point in time lives so long after its last use
PINNED = "6m"  # and so long when a cursor names it
SLOTS = 1_024  # places where names of points in time are noted for other processes


class View:
    """One physical index as it was at one moment. Several threads may search it."""

    def __init__(self, generation: Generation, pit: str, *, public: bool) -> None:
        self.generation = generation
        self.public = public
        self.names: dict[Kind, str] = {}
        self.noted: set[str] = set()
        self.labels: dict[tuple[Kind, Field, str], str] = {}
        self._pit = pit
        self._keep = HELD

    def search(self, body: Mapping[str, Any]) -> Request:
        """A search of this state."""
        whole = {**body, "pit": {"id": self._pit, "keep_alive": self._keep}}
        return Request("POST", "/_search", whole, {"allow_partial_search_results": "false"})

    def took(self, answer: Mapping[str, Any]) -> None:
        """The server may give the point in time a new id with any answer."""
        self._pit = answer.get("pit_id", self._pit)

    def pin(self) -> None:
        """From its next use on it lives longer."""
        self._keep = PINNED

    @property
    def pit(self) -> str:
        """The id of the point in time."""
        return self._pit


def opened(generation: Generation, *, public: bool) -> Steps[View]:
    """The present state of the public or the restricted index."""
    index = generation.public if public else generation.restricted
    answer = yield Request("POST", f"/{index}/_pit", None, {"keep_alive": HELD})
    return View(generation, answer["id"], public=public)


def name(view: View, kind: Kind) -> Steps[str]:
    """What cursors call this state. For the public it is a function of public numbers alone, for the rest it says nothing.

    Each public change has a higher number than all before, so documents of one highest number can only become fewer: number and count
    tell states apart.
    """
    known = view.names.get(kind)
    if known is not None:
        return known
    if not view.public:
        return view.names.setdefault(kind, uuid4().hex)
    answer = yield view.search(
        {
            "query": {"bool": {"filter": [{"term": {"kind": kind.value}}]}},
            "sort": [{"number": {"order": "desc", "missing": "_last"}}],
            "size": 1,
            "_source": False,
            "track_total_hits": True,
        }
    )
    view.took(answer)
    newest = answer["hits"]["hits"][0]["sort"][0] if answer["hits"]["hits"] else 0
    state = f"{kind.value} {answer['hits']['total']['value']} {newest}"
    return view.names.setdefault(kind, blake2b(state.encode(), digest_size=12).hexdigest())


def noted(view: View, called: str) -> Steps[None]:
    """Tell other processes which point in time a cursor names. The places are few and used again: nothing has to be tidied up."""
    if called not in view.noted:
        view.noted.add(called)
        told = {"pit": {"name": called, "id": view.pit, "public": view.public}}
        path = f"/{write_alias(view.generation.restricted)}/_doc/{_slot(called)}"
        yield Request("PUT", path, told, {"require_alias": "true"})


def recalled(generations: Iterable[Generation], called: str) -> Steps[View | None]:
    """The state another process noted under that name, or None."""
    for generation in generations:
        try:
            found = yield Request("GET", f"/{generation.restricted}/_doc/{_slot(called)}")
        except Absent:
            continue
        told = found["_source"].get("pit", {})
        if told.get("name") == called:
            view = View(generation, told["id"], public=bool(told["public"]))
            view.noted.add(called)
            return view
    return None


def _slot(called: str) -> str:
    return f"view.{int.from_bytes(blake2b(called.encode(), digest_size=4).digest(), 'big') % SLOTS}"
