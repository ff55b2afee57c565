"""This file is how an Elasticsearch index is read: which state a search looks at, what cursors name, and what is asked again after a
swap. Its methods are steps, so that threads and an event loop read alike.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from catalogue.index import elastic_search as steps
from catalogue.index.elastic_client import Absent, Refused, Steps, T, Unassigned
from catalogue.index.elastic_generations import Layout, current, everything
from catalogue.index.elastic_marks import marked
from catalogue.index.elastic_views import View, noted, opened, recalled
from catalogue.index.pins import Pins
from catalogue.index.terms import Techniques
from catalogue.query import Facet, Found, Scope, Search, Suggestion
from schema.errors import CursorExpired, CursorInvalid, Misconfigured, Unavailable
from schema.records import Kind

SECONDS = 1.0
"""After so many a newer state is opened; while one reader opens it, others read the old one for as long again."""
_log = logging.getLogger(__name__)


class Reading:
    """What one process knows of the states it reads. Safe for several threads, and for several tasks of an event loop: nothing is
    held while a step waits for its answer."""

    def __init__(self, layout: Layout, techniques: Techniques, clock: Callable[[], float]) -> None:
        self._layout = layout
        self._techniques = techniques
        self._clock = clock
        self._pins: Pins[View] = Pins(clock)
        self._views: dict[bool, tuple[View, float]] = {}
        self._opening: dict[bool, float] = {}
        self._forgotten = 0
        self._guard = threading.Lock()

    def search(self, search: Search) -> Steps[Found]:
        """The answer. Raises CursorExpired, CursorInvalid, Unavailable, Misconfigured."""
        public = search.scope is Scope.PUBLIC
        if search.after is not None and search.after.generation:
            view = yield from self._pinned(search.after.generation)
            if view.public is not public:
                raise CursorInvalid("This cursor belongs to another list. Begin at the first page again.")
            try:
                return (yield from self._answer(search, view))
            except Absent:
                raise CursorExpired(
                    "The state of this list is no longer held. Begin at the first page again."
                ) from None
        nothing = Found(0, (), False, tuple(Facet(wish, (), 0, 0) for wish in search.facets), {})
        return (yield from self._seen(public, lambda view: self._answer(search, view), nothing))

    def documents(self, kind: Kind, pids: Sequence[str], groups: frozenset[str]) -> Steps[dict[str, bytes]]:
        """The stored documents (JSON) by pid that are public or open to one of the groups."""
        nothing: dict[str, bytes] = {}
        found = self._seen(True, lambda view: steps.documents(view.generation, kind, pids, groups), nothing)
        return (yield from found)

    def suggestions(self, text: str, first: int) -> Steps[list[Suggestion]]:
        """Completions from public datasets."""
        nothing: list[Suggestion] = []
        return (yield from self._seen(True, lambda view: steps.suggestions(view, text, first), nothing))

    def counts(self) -> Steps[dict[str, int]]:
        """Public datasets of each facility."""
        nothing: dict[str, int] = {}
        return (yield from self._seen(True, steps.tally, nothing))

    def mark(self) -> Steps[int]:
        """The high-water mark; 0 when the index must be built."""
        generation = yield from current(self._layout)
        return (yield from marked(generation)) if generation else 0

    def forget(self) -> None:
        """What is asked next is asked of the present state."""
        with self._guard:
            self._forgotten += 1
            self._views.clear()
            self._opening.clear()

    def _answer(self, search: Search, view: View) -> Steps[Found]:
        found = yield from steps.answer(search, view, self._techniques, dfs=self._layout.shards > 1)
        called = found.hits[-1].position.generation if found.hits else ""
        if called:
            self._pins.keep(called, view)
            if found.more:
                yield from self._note(view, called)
        return found

    def _note(self, view: View, called: str) -> Steps[None]:
        try:
            yield from noted(view, called)
        except (Absent, Refused, Unavailable, Misconfigured) as error:  # then this process alone can read the list on
            _log.info("other processes were not told of a point in time: %s", error)

    def _pinned(self, called: str) -> Steps[View]:
        """The state a cursor names, held here or noted by another process. Raises CursorExpired."""
        try:
            return self._pins.find(called)
        except CursorExpired:
            if called.isalnum() and called.isascii():
                generations = yield from everything(self._layout)
                view = yield from recalled(reversed(generations), called)
                if view is not None:
                    return view
            raise

    def _seen(self, public: bool, ask: Callable[[View], Steps[T]], nothing: T) -> Steps[T]:
        """What the present state answers; asked again when it vanished meanwhile (a swap, a restart of the server)."""
        for left in (2, 1, 0):
            try:
                view = yield from self._view(public)
                return nothing if view is None else (yield from ask(view))
            except Absent:
                self.forget()
            except Unassigned:  # also what an index says while it is dropped
                if not left:
                    raise
                self.forget()
        raise Unavailable("The search index changes faster than it can be read.")

    def _view(self, public: bool) -> Steps[View | None]:
        held = self._held(public)
        if held is not None:
            return held
        now, forgotten = self._clock(), self._forgotten
        generation = yield from current(self._layout)
        if generation is None:
            return None
        view = yield from opened(generation, public=public)
        with self._guard:
            newest = public not in self._views or self._views[public][1] < now
            if newest and forgotten == self._forgotten:
                self._views[public] = (view, now)
        return view

    def _held(self, public: bool) -> View | None:
        """The state to read if it need not be opened: the newest one known, unless the asker is the one to look for a newer."""
        now = self._clock()
        with self._guard:
            view, since = self._views.get(public, (None, 0.0))
            age = now - since
            if view is None or age >= 2 * SECONDS:
                return None
            if age < SECONDS or now - self._opening.get(public, -SECONDS) < SECONDS:
                return view
            self._opening[public] = now
            return None
