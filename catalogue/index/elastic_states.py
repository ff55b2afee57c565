"""This file is which state of an index searches look at: the present one, kept as long as nothing is counted into the index.

Whoever finds it a second old looks at the index's mark, one small call, while others read on; a newer state is opened only when the mark
has moved, another index has taken its place, or the state has been read for half a minute. What it replaces is closed as soon as nobody
reads it, unless a cursor may name it: that one is left to the server, which closes it some minutes after its last use.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from catalogue.index.elastic_client import Request, Steps
from catalogue.index.elastic_generations import Layout
from catalogue.index.elastic_marks import Reached, reached
from catalogue.index.elastic_views import Labels, View, closing, opened

SECONDS = 1.0
"""After so many somebody looks whether there is a newer state; others read the old one for as long again."""
LIFE = 30.0
"""So long one is read at most: what a writer that died had written but not counted is seen too (after elastic_mapping.REFRESH)."""


class _Held(NamedTuple):
    view: View
    reached: Reached
    opened: float
    looked: float


class States:
    """What one process knows of the present states. Safe for several threads, and for several tasks of an event loop: nothing is held
    while a step waits for its answer. `chores` are requests that somebody should make some time."""

    def __init__(self, layout: Layout, clock: Callable[[], float]) -> None:
        self._layout = layout
        self._clock = clock
        self._held: dict[bool, _Held] = {}
        self._looking: dict[bool, float] = {}
        self.guesses: Labels = {}
        self._forgotten = 0
        self._guard = threading.Lock()
        self.chores: deque[Request] = deque()

    def take(self, public: bool) -> Steps[View | None]:
        """The state to read now, None when there is no index. Whoever has read gives it back (`leave`)."""
        view = self._known(public)
        if view is not None:
            return view
        now, forgotten = self._clock(), self._forgotten
        found = yield from reached(self._layout)
        if found is None:
            return None
        view = self._unchanged(public, found, now)
        if view is None:
            new = yield from opened(found.generation, public=public, guesses=self.guesses)
            view = self._adopted(public, _Held(new, found, now, now), forgotten)
        return view

    def leave(self, view: View) -> None:
        """It is no longer read by one of those who took it."""
        with self._guard:
            view.readers -= 1
            self._let_go(view)

    def forget(self) -> None:
        """Whoever asks next looks anew."""
        with self._guard:
            self._forgotten += 1
            held = list(self._held.values())
            self._held.clear()
            self._looking.clear()
            for one in held:
                self._let_go(one.view)

    def _known(self, public: bool) -> View | None:
        """The state that need not be looked at, unless the asker is the one to look."""
        now = self._clock()
        with self._guard:
            held = self._held.get(public)
            if held is None or now - held.looked >= 2 * SECONDS:
                return None
            if now - held.looked >= SECONDS and now - self._looking.get(public, -SECONDS) >= SECONDS:
                self._looking[public] = now
                return None
            held.view.readers += 1
            return held.view

    def _unchanged(self, public: bool, found: Reached, now: float) -> View | None:
        """The state that was read before, when it is still that of the index."""
        with self._guard:
            held = self._held.get(public)
            if held is None or held.reached != found or now - held.opened >= LIFE:
                return None
            self._held[public] = held._replace(looked=max(now, held.looked))
            held.view.readers += 1
            return held.view

    def _adopted(self, public: bool, new: _Held, forgotten: int) -> View:
        """What is read from now on: the new state, unless somebody else has opened one like it, or a newer one, meanwhile."""
        with self._guard:
            old = self._held.get(public)
            if old is not None and old.reached == new.reached and new.opened - old.opened < LIFE:
                old.view.readers += 1
                self._let_go(new.view)
                return old.view
            new.view.readers += 1
            if forgotten == self._forgotten and (old is None or old.looked < new.looked):
                self._held[public] = new
                if old is not None:
                    self._let_go(old.view)
            return new.view

    def _let_go(self, view: View) -> None:
        """Called whenever it has one reason less to stay open."""
        present = any(held.view is view for held in self._held.values())
        if not (present or view.readers or view.pinned):
            self.chores.append(closing(view))
