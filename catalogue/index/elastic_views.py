"""This file is the states of an index that searches read: points in time, and what cursors call them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any, NamedTuple
from uuid import uuid4

from catalogue.index.elastic_client import Absent, Request, Steps
from catalogue.index.elastic_generations import Generation, write_alias
from catalogue.query import Field
from schema.records import Kind

HELD = "1m"  # a point in time lives so long after its last use
PINNED = "6m"  # and so long when a cursor names it
GUESSES = 50_000  # labels that one process remembers
NOTING = "500ms"  # so long a note waits for a shard that is away

Labels = dict[tuple[Kind, Field, str], str]


class View:
    """One physical index as it was at one moment. Several threads may search it. `guesses`: what values were called in other states, to
    be checked before it is said; shared by all of a process."""

    def __init__(self, generation: Generation, pit: str, *, public: bool, guesses: Labels | None = None) -> None:
        self.generation = generation
        self.public = public
        self.names: dict[Kind, str] = {}
        self.labels: Labels = {}
        self.guesses: Labels = {} if guesses is None else guesses
        self.readers = 0
        self._pit = pit
        self._keep = HELD

    def search(self, body: Mapping[str, Any]) -> Request:
        """A search of this state."""
        whole = {**body, "pit": {"id": self._pit, "keep_alive": self._keep}}
        return Request("POST", "/_search", whole, {"allow_partial_search_results": "false"})

    def took(self, answer: Mapping[str, Any]) -> None:
        """The server may give the point in time a new id with any answer."""
        self._pit = answer.get("pit_id", self._pit)

    def learn(self, labels: Labels) -> None:
        """What values are called in this state, and may be in others."""
        self.labels.update(labels)
        if len(self.guesses) > GUESSES:
            self.guesses.clear()
        self.guesses.update(labels)

    def pin(self) -> None:
        """From its next use on it lives longer: a cursor may name it."""
        self._keep = PINNED

    @property
    def pinned(self) -> bool:
        """Whether a cursor may name it, here or in another process."""
        return self._keep == PINNED

    @property
    def pit(self) -> str:
        """The id of the point in time."""
        return self._pit


class Note(NamedTuple):
    """What other processes were told of a cursor's state: the point in time, and which write it was; None when it failed."""

    pit: str
    among: str
    written: tuple[int, int] | None


def opened(generation: Generation, *, public: bool, guesses: Labels | None = None) -> Steps[View]:
    """The present state of the public or the restricted index."""
    index = generation.public if public else generation.restricted
    answer = yield Request("POST", f"/{index}/_pit", None, {"keep_alive": HELD})
    return View(generation, answer["id"], public=public, guesses=guesses)


def closing(view: View) -> Request:
    """Lets go of a state that nobody reads and no cursor names."""
    return Request("DELETE", "/_pit", {"id": view.pit})


def name(view: View, kind: Kind) -> Steps[str]:
    """What cursors call this state. For the public it is a function of public numbers alone, for the rest it says nothing.

    Each public change has a higher number than all before, so documents of one highest number can only become fewer: number and count
    tell states apart. The engine keeps the answer for whoever asks the same of the same state.
    """
    known = view.names.get(kind)
    if known is not None:
        return known
    if not view.public:
        return view.names.setdefault(kind, uuid4().hex)
    answer = yield view.search(
        {
            "query": {"bool": {"filter": [{"term": {"kind": kind.value}}]}},
            "aggs": {"newest": {"max": {"field": "number"}}},
            "size": 0,
            "track_total_hits": True,
        }
    )
    view.took(answer)
    newest = int(answer["aggregations"]["newest"]["value"] or 0)
    state = f"{kind.value} {answer['hits']['total']['value']} {newest}"
    return view.names.setdefault(kind, blake2b(state.encode(), digest_size=12).hexdigest())


def noted(view: View, called: str) -> Steps[Note]:
    """Tell other processes which point in time a cursor names."""
    index, pit = view.generation.restricted, view.pit
    told = {"pit": {"name": called, "id": pit, "public": view.public}}
    parameters = {"require_alias": "true", "timeout": NOTING}
    done = yield Request("PUT", f"/{write_alias(index)}/_doc/{_place(called)}", told, parameters)
    return Note(pit, index, (done["_seq_no"], done["_primary_term"]))


def unnoting(called: str, note: Note) -> Request | None:
    """Takes the note away, unless somebody else has written over it; None when there is none."""
    if note.written is None:
        return None
    number, term = note.written
    path = f"/{write_alias(note.among)}/_doc/{_place(called)}"
    return Request("DELETE", path, None, {"if_seq_no": str(number), "if_primary_term": str(term), "timeout": NOTING})


def recalled(generations: Iterable[Generation], called: str) -> Steps[View | None]:
    """The state another process noted under that name, or None."""
    for generation in generations:
        try:
            found = yield Request("GET", f"/{generation.restricted}/_doc/{_place(called)}")
        except Absent:
            continue
        told = found["_source"].get("pit", {})
        if told.get("name") == called:
            view = View(generation, told["id"], public=bool(told["public"]))
            view.pin()
            return view
    return None


def _place(called: str) -> str:
    return f"view.{called}"
