"""This file is how an Elasticsearch index is read: what is asked of which state, what cursors name, and what is asked again after a
swap. Its methods are steps, so that threads and an event loop read alike.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress

from catalogue.index import elastic_search as steps
from catalogue.index.elastic_client import Absent, Pause, Refused, Steps, T, Unassigned
from catalogue.index.elastic_generations import Layout, readable
from catalogue.index.elastic_marks import reached
from catalogue.index.elastic_states import States
from catalogue.index.elastic_views import Note, View, noted, recalled, unnoting
from catalogue.index.pins import Pins
from catalogue.index.vocabulary import Techniques
from catalogue.query import Facet, Found, Scope, Search, Suggestion
from schema.errors import CursorExpired, CursorInvalid, Misconfigured, Unavailable
from schema.records import Kind

PINS = 4_096
"""Names of states held: one a second of each kind and side is fewer, so that five minutes are five minutes."""
PAUSES = (0.0, 0.04, 0.08, 0.16, 0.32)
"""Seconds between looks at what a swap is just replacing or dropping: a node takes some hundredths of one for that, more under load. A
shard that is away for longer is told after all of them; whoever waits holds no call."""
_log = logging.getLogger(__name__)


class Reading:
    """What one process reads. Safe for several threads, and for several tasks of an event loop."""

    def __init__(self, layout: Layout, techniques: Techniques, clock: Callable[[], float]) -> None:
        self._layout = layout
        self._techniques = techniques
        self._states = States(layout, clock)
        self._pins: Pins[View] = Pins(clock, most=PINS, dropped=self._unnote)
        self._notes: dict[str, Note] = {}

    def search(self, search: Search) -> Steps[Found]:
        """The answer. Raises CursorExpired, CursorInvalid, Unavailable, Misconfigured."""
        begun = search.after.generation if search.after else ""
        if begun:
            return (yield from self._again(lambda: self._onward(search, begun)))
        nothing = Found(0, (), False, tuple(Facet(wish, (), 0, 0) for wish in search.facets), {})
        return (yield from self._seen(search.scope is Scope.PUBLIC, lambda view: self._answer(search, view), nothing))

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
        found = yield from reached(self._layout)
        return found.mark if found else 0

    def forget(self) -> None:
        """What is asked next is asked of the present state."""
        self._states.forget()

    @property
    def untidy(self) -> bool:
        """Whether there is something to `tidy`."""
        return bool(self._states.chores)

    def tidy(self) -> Steps[None]:
        """Close what nobody reads, take away notes that nobody needs: whenever there is time for it. What fails the server does later."""
        while self._states.chores:
            with suppress(IndexError, Absent, Refused, Unavailable, Misconfigured):
                yield self._states.chores.popleft()

    def _onward(self, search: Search, begun: str) -> Steps[Found]:
        """A list read on in the state it was begun in. Raises CursorExpired, CursorInvalid, Unassigned."""
        view = yield from self._pinned(begun, search.kind)
        if view.public is not (search.scope is Scope.PUBLIC):
            raise CursorInvalid("This cursor belongs to another list. Begin at the first page again.")
        try:
            return (yield from self._answer(search, view))
        except Absent:
            raise CursorExpired("The state of this list is no longer held. Begin at the first page again.") from None

    def _answer(self, search: Search, view: View) -> Steps[Found]:
        found = yield from steps.answer(search, view, self._techniques, dfs=self._layout.shards > 1)
        called = found.hits[-1].position.generation if found.hits else ""
        if called:
            self._pins.keep(called, view)
            if found.more:
                yield from self._note(view, called)
        return found

    def _note(self, view: View, called: str) -> Steps[None]:
        """No answer leaves before others can go on from it: that is waited for, once for each state."""
        known = self._notes.get(called)
        if known is not None and known.pit == view.pit:
            return
        try:
            self._notes[called] = yield from noted(view, called)
        except (Absent, Refused, Unavailable, Misconfigured) as error:  # then this process alone can read the list on
            _log.info("other processes were not told of a point in time: %s", error)
            self._notes[called] = Note(view.pit, view.generation.restricted, None)

    def _unnote(self, called: str) -> None:
        note = self._notes.pop(called, None)
        request = unnoting(called, note) if note is not None else None
        if request is not None:
            self._states.chores.append(request)

    def _pinned(self, called: str, kind: Kind) -> Steps[View]:
        """The state a cursor names, held here or noted by another process. Raises CursorExpired."""
        try:
            return self._pins.find(called)
        except CursorExpired:
            if called.isalnum() and called.isascii():
                view = yield from recalled((yield from readable(self._layout)), called)
                if view is not None:
                    view.names[kind] = called
                    view.guesses = self._states.guesses
                    return view
            raise

    def _seen(self, public: bool, ask: Callable[[View], Steps[T]], nothing: T) -> Steps[T]:
        """What the present state answers."""
        try:
            return (yield from self._again(lambda: self._present(public, ask, nothing)))
        except Absent:
            raise Unavailable("The search index changes faster than it can be read.") from None

    def _again(self, ask: Callable[[], Steps[T]]) -> Steps[T]:
        """What is asked anew when a state vanished, or has no shard, meanwhile (a swap, a restart of the server)."""
        for seconds in PAUSES:
            try:
                return (yield from ask())
            except (Absent, Unassigned):
                self.forget()
            yield Pause(seconds)
        return (yield from ask())

    def _present(self, public: bool, ask: Callable[[View], Steps[T]], nothing: T) -> Steps[T]:
        view = yield from self._states.take(public)
        if view is None:
            return nothing
        try:
            return (yield from ask(view))
        finally:
            self._states.leave(view)
