"""This file is the index in an Elasticsearch cluster (8 or 9), for several machines: any number of readers, one
projector at a time.

What it writes is acknowledged, refreshed, and only then counted into the mark, at most once a second while much is
written; whoever asks this instance sees its writes at once, others within a second.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from catalogue.index import elastic_search as steps
from catalogue.index.elastic_bulk import CHUNK, Report, Writer, newest
from catalogue.index.elastic_client import Absent, Cluster, Connection, Refused, Steps, T, check, run
from catalogue.index.elastic_generations import (
    Generation,
    Layout,
    created,
    current,
    dropped,
    everything,
    taken,
    template,
)
from catalogue.index.elastic_mapping import REFRESH
from catalogue.index.elastic_marks import mark as mark_at
from catalogue.index.elastic_marks import marked, refreshed, refreshing
from catalogue.index.elastic_rebuild import ElasticRebuild
from catalogue.index.elastic_views import View, noted, opened, recalled
from catalogue.index.pins import Pins
from catalogue.index.terms import NoTechniques, Techniques
from catalogue.ports import Entry
from catalogue.query import Facet, Found, Scope, Search, Suggestion
from schema.errors import CursorExpired, CursorInvalid, Misconfigured, Unavailable
from schema.records import Kind, Reject

SECONDS = 1.0  # age of the state that searches read, and of unmarked writes while more come
WORKERS = 4  # bulks under way at once
_log = logging.getLogger(__name__)


def _logged(reject: Reject) -> None:
    _log.warning("index refused a document: %s %s %s: %s", reject.source, reject.kind, reject.id, reject.message)


class ElasticIndex:
    """An Index (see catalogue.ports) in a cluster. Nothing is asked of the server before the first call; `check` asks whether all is well.

    `layout` says what the indexes are called. `report` gets documents that the engine cannot take. `clock` gives seconds for the life of
    cursors and views, `pause` waits between tries, `techniques` is the vocabulary. With `writable` false it refuses to write.
    """

    def __init__(
        self,
        connection: Connection,
        layout: Layout,
        *,
        writable: bool = True,
        techniques: Techniques | None = None,
        report: Report = _logged,
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._cluster = Cluster(connection)
        self._layout = layout
        self._writable = writable
        self._techniques = techniques or NoTechniques()
        self._report = report
        self._clock = clock
        self._pause = pause
        self._pins: Pins[View] = Pins(clock)
        self._views: dict[bool, tuple[View, float]] = {}
        self._looking = threading.Lock()
        self._settling = threading.Lock()
        self._unsettled: tuple[Generation, int] | None = None
        self._settled = clock()
        self._timer: threading.Timer | None = None
        self._pool = ThreadPoolExecutor(WORKERS, "elastic-bulk")

    def check(self) -> None:
        """Raises Misconfigured, naming the remedy, when address, login, server or index are not what we need; Unavailable."""
        check(self._cluster)
        self._run(current(self._layout))

    def search(self, search: Search) -> Found:
        """The answer. Raises CursorExpired, CursorInvalid, Unavailable, Misconfigured."""
        public = search.scope is Scope.PUBLIC
        if search.after is not None and search.after.generation:
            view = self._pinned(search.after.generation)
            if view.public is not public:
                raise CursorInvalid("This cursor belongs to another list. Begin at the first page again.")
            try:
                return self._answer(search, view)
            except Absent:
                raise CursorExpired(
                    "The state of this list is no longer held. Begin at the first page again."
                ) from None
        nothing = Found(0, (), False, tuple(Facet(wish, (), 0, 0) for wish in search.facets), {})
        return self._seen(public, lambda view: self._answer(search, view), nothing)

    def get(self, kind: Kind, pid: str, groups: frozenset[str]) -> bytes | None:
        """The stored document (JSON) of that pid if it is public or open to one of the groups."""
        return self.get_many(kind, (pid,), groups).get(pid)

    def get_many(self, kind: Kind, pids: Sequence[str], groups: frozenset[str]) -> dict[str, bytes]:
        """The same for many."""
        nothing: dict[str, bytes] = {}
        return self._seen(True, lambda view: self._run(steps.documents(view.generation, kind, pids, groups)), nothing)

    def suggest(self, text: str, first: int) -> list[Suggestion]:
        """Completions from public datasets."""
        nothing: list[Suggestion] = []
        return self._seen(True, lambda view: self._run(steps.suggestions(view, text, first)), nothing)

    def counts(self) -> dict[str, int]:
        """Public datasets of each facility."""
        nothing: dict[str, int] = {}
        return self._seen(True, lambda view: self._run(steps.tally(view)), nothing)

    def mark(self) -> int:
        """The high-water mark: every change up to it is in the index; 0 when it must be built."""
        self._settle()
        generation = self._run(current(self._layout))
        return self._run(marked(generation)) if generation else 0

    def apply(self, entries: Sequence[Entry], mark: int) -> None:
        """Write entries (a version at or below the one already there is skipped) and move the mark. Raises Unavailable."""
        self._refuse_reading()
        generation = self._run(current(self._layout)) or self._begin()
        self._write(Writer(self._cluster, generation, self._techniques, self._report, pause=self._pause), entries)
        with self._settling:
            held = self._unsettled
            reached = max(mark, held[1]) if held and held[0] == generation else mark
            self._unsettled = (generation, reached)
        if self._clock() - self._settled >= SECONDS:
            self._settle()
        else:
            self._settle_later()

    def rebuild(self) -> ElasticRebuild:
        """A new, empty index built aside. Raises Unavailable, Misconfigured."""
        self._refuse_reading()
        generation = self._new()
        self._run(refreshing(generation, "-1"))
        writer = Writer(self._cluster, generation, self._techniques, self._report, fresh=True, pause=self._pause)
        return ElasticRebuild(writer, self._write, self._adopt, self._abandon)

    def drop_old(self) -> int:
        """Delete every generation but the one in use (no rebuild may be under way); how many there were."""
        used = self._run(current(self._layout))
        others = [one for one in self._run(everything(self._layout)) if one != used]
        self._run(dropped(others))
        return len(others)

    def close(self) -> None:
        """Settle what was written, and let go of the connections."""
        if self._timer is not None:
            self._timer.cancel()
        self._settle_quietly()
        self._pool.shutdown()
        self._cluster.close()

    def _run(self, asked: Steps[T]) -> T:
        try:
            return run(self._cluster, asked)
        except Refused as error:
            raise Unavailable(f"Elasticsearch refused what we asked ({error.kind}).") from error

    def _answer(self, search: Search, view: View) -> Found:
        found = self._run(steps.answer(search, view, self._techniques, dfs=self._layout.shards > 1))
        called = found.hits[-1].position.generation if found.hits else ""
        if called:
            self._pins.keep(called, view)
            if found.more:
                self._note(view, called)
        return found

    def _note(self, view: View, called: str) -> None:
        try:
            self._run(noted(view, called))
        except (Absent, Unavailable, Misconfigured) as error:  # then this process alone can read the list on
            _log.info("other processes were not told of a point in time: %s", error)

    def _pinned(self, called: str) -> View:
        """The state a cursor names, held here or noted by another process. Raises CursorExpired."""
        try:
            return self._pins.find(called)
        except CursorExpired:
            names = called.isalnum() and called.isascii()
            view = self._run(recalled(reversed(self._run(everything(self._layout))), called)) if names else None
            if view is None:
                raise
            return view

    def _seen(self, public: bool, ask: Callable[[View], T], nothing: T) -> T:
        """What the present state answers; asked again when it vanished meanwhile (a swap, a restart of the server)."""
        self._settle()
        for _ in range(3):
            view = self._view(public)
            if view is None:
                return nothing
            try:
                return ask(view)
            except Absent:
                self._forget()
        raise Unavailable("The search index changes faster than it can be read.")

    def _view(self, public: bool) -> View | None:
        with self._looking:
            held = self._views.get(public)
            if held is not None and self._clock() - held[1] < SECONDS:
                return held[0]
            now = self._clock()
            generation = self._run(current(self._layout))
            if generation is None:
                return None
            try:
                view = self._run(opened(generation, public=public))
            except Absent:
                raise Unavailable("The search index changes just now.") from None
            self._views[public] = (view, now)
            return view

    def _forget(self) -> None:
        with self._looking:
            self._views.clear()

    def _settle(self) -> None:
        """Make what was written seen, then move the mark."""
        if self._unsettled is None:
            return
        with self._settling:
            self._settle_one(self._unsettled)

    def _settle_later(self) -> None:
        """In a second at the latest, should nothing more come that does it."""
        with self._looking:
            if self._timer is None or not self._timer.is_alive():
                self._timer = threading.Timer(SECONDS, self._settle_quietly)
                self._timer.daemon = True
                self._timer.start()

    def _settle_quietly(self) -> None:
        try:
            self._settle()
        except (Unavailable, Misconfigured) as error:
            _log.warning("the mark of the last writes could not be moved yet: %s", error)

    def _settle_one(self, unsettled: tuple[Generation, int] | None) -> None:
        if unsettled is None:
            return
        try:
            self._run(refreshed(unsettled[0]))
            self._run(mark_at(*unsettled))
        except Absent:
            _log.warning("the index %s was dropped before its mark was moved", unsettled[0].stem)
        self._forget()  # before another thread can believe that all is settled
        self._unsettled = None
        self._settled = self._clock()

    def _write(self, writer: Writer, entries: Sequence[Entry]) -> None:
        """While bulks are under way the next rows are made."""
        chosen = newest(entries)
        under_way: list[Future[None]] = []
        try:
            for start in range(0, len(chosen), CHUNK):
                items = writer.rows(chosen[start : start + CHUNK])
                if len(under_way) >= 2 * WORKERS:
                    under_way.pop(0).result()
                under_way.append(self._pool.submit(writer.write, items))
        finally:
            failed = [error for error in (one.exception() for one in under_way) if error is not None]
        if failed:
            raise failed[0]

    def _refuse_reading(self) -> None:
        if not self._writable:
            raise Unavailable("This index is open for reading only.")

    def _begin(self) -> Generation:
        self._run(taken(self._layout, self._new()))
        begun = self._run(current(self._layout))
        assert begun is not None
        return begun

    def _new(self) -> Generation:
        try:
            if self._layout.template:
                self._cluster.send(template(self._layout))
        except (
            Refused,
            Misconfigured,
        ) as error:  # a key without cluster privileges: every index is made with its mapping anyway
            _log.info("no index template was left: %s", error)
        return self._run(created(self._layout))

    def _adopt(self, generation: Generation, mark: int) -> None:
        self._run(refreshing(generation, REFRESH))
        self._run(refreshed(generation))
        self._run(mark_at(generation, mark))
        olds = self._run(taken(self._layout, generation))
        self._forget()
        self._drop_before(generation, olds)

    def _drop_before(self, generation: Generation, kept: Sequence[Generation]) -> None:
        """The one just replaced stays, for lists that are being read; older ones and those of killed rebuilds go."""
        everyone = self._run(everything(self._layout))
        older = everyone[: everyone.index(generation)] if generation in everyone else []
        self._run(dropped([one for one in older if one not in kept]))

    def _abandon(self, generation: Generation) -> None:
        """Drop what was built, unless it is in use (a swap whose answer was lost)."""
        if self._run(current(self._layout)) != generation:
            self._run(dropped([generation]))
