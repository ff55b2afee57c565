"""This file is the embedded index: tantivy directories in a folder, one writing process, any number of reading ones.

Layout: `lock` (held by the writer), `current` (the name of the generation in use), and a folder for each generation. A generation that
is missing, broken or of another format leaves the index empty with mark 0, which is how the projector sees that it must build it.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import uuid4

from catalogue.index import completions, durable
from catalogue.index.embedded_facets import Counting, tally
from catalogue.index.embedded_generation import Generation, opened
from catalogue.index.embedded_pages import by_field, by_public_score, by_score
from catalogue.index.embedded_shelf import View, engine
from catalogue.index.order import ORDERINGS, sort_of
from catalogue.index.pins import Pins
from catalogue.index.relevance import CEILING
from catalogue.index.vocabulary import NoTechniques, Techniques
from catalogue.ports import Entry, Held
from catalogue.query import AnyOf, Facet, Field, Found, Hit, Position, Scope, Search, Sort, Suggestion
from schema.errors import CursorInvalid, Unavailable
from schema.records import Kind

BATCH = 10_000  # entries of a rebuild between commits


def _nothing(_name: str) -> None:
    """No fault is wished for."""


class EmbeddedIndex:
    """An Index (see catalogue.ports) in a folder. A reading instance follows what the writing process commits.

    MINE with words is ordered by scores from public statistics as long as at most 5,000 documents match; with more it is newest first.
    `clock` gives seconds for the life of cursors, `at` is called with the name of each step (tests put faults there), `techniques` is the
    vocabulary. Raises Unavailable when another process writes.
    """

    at_once = 1

    def __init__(
        self,
        folder: Path,
        *,
        writable: bool = True,
        clock: Callable[[], float] = time.monotonic,
        at: Callable[[str], None] = _nothing,
        techniques: Techniques | None = None,
    ) -> None:
        self._folder = folder
        self._at = at
        self._techniques = techniques or NoTechniques()
        self._pins: Pins[View] = Pins(clock)
        self._writing = threading.RLock()
        self._pointed = (0, 0)
        self._generation: Generation | None = None
        with engine():
            folder.mkdir(parents=True, exist_ok=True)
            self._lock = durable.locked(folder / "lock") if writable else None
        try:
            self._open()
        except BaseException:
            if self._lock is not None:
                self._lock.close()
            raise

    def search(self, search: Search) -> Found:
        """The answer. Raises CursorExpired, CursorInvalid, Unavailable."""
        generation = self._current()
        view = generation.view(search.scope is Scope.PUBLIC, search.kind) if generation else None
        public = generation.view(True, search.kind) if generation else None
        if search.after is not None and search.after.generation:
            view = self._pins.find(search.after.generation)
            if view.public is not (search.scope is Scope.PUBLIC):
                raise CursorInvalid("This cursor belongs to another list. Begin at the first page again.")
        if view is None:
            return Found(0, (), False, tuple(Facet(wish, (), 0, 0) for wish in search.facets), {})
        with engine():
            return self._answer(search, view, public)

    def get(self, kind: Kind, pid: str, groups: frozenset[str]) -> bytes | None:
        """The stored document (JSON) of that pid if it is public or open to one of the groups."""
        return self.get_many(kind, (pid,), groups).get(pid)

    def get_many(self, kind: Kind, pids: Sequence[str], groups: frozenset[str]) -> dict[str, bytes]:
        """The same for many."""
        generation = self._current()
        public, restricted = (generation.view(shown, kind) if generation else None for shown in (True, False))
        with engine():
            found = public.stored(pids) if public and pids else {}
            rest = [pid for pid in pids if pid not in found]
            return found | restricted.stored(rest, groups) if restricted and rest and groups else found

    def suggest(self, text: str, first: int) -> list[Suggestion]:
        """Completions from public datasets."""
        generation = self._current()
        view = generation.view(True, Kind.DATASET) if generation else None
        begun = completions.beginning(text)
        if view is None or begun is None or first <= 0:
            return []
        with engine():
            everything = view.questions.of(Search(), (), view.searcher)
            found = view.searcher.terms_with_prefix(
                "completion", begun, filter_query=everything, limit=completions.LIMIT
            )
            return completions.ranked(found, first, lambda field, value: _matches(view, field, value))

    def counts(self) -> dict[str, int]:
        """Public datasets of each facility."""
        generation = self._current()
        view = generation.view(True, Kind.DATASET) if generation else None
        with engine():
            return tally(view, Field.FACILITY) if view else {}

    def mark(self) -> int:
        """The high-water mark: every change up to it is in the index; 0 when it must be built."""
        generation = self._current()
        return generation.mark if generation else 0

    def apply(self, entries: Sequence[Entry], mark: int) -> None:
        """Write entries (a version at or below the one already there is skipped) and move the mark. Raises Unavailable."""
        with self._writing:
            write(self._writable(), entries)
            self._writable().commit(mark)

    def rebuild(self) -> EmbeddedRebuild:
        """A new, empty index built aside. Raises Unavailable in a reading process."""
        self._writable()
        return EmbeddedRebuild(self._new(), self._adopt, self._drop)

    def drop_old(self) -> int:
        """Nothing is kept that could be dropped: whoever still reads what was replaced reads its deleted files."""
        return 0

    def close(self) -> None:
        """Let go of files and lock."""
        with self._writing:
            generation, self._generation = self._generation, None
            if generation is not None and self._lock is not None:
                generation.give_up()
            if self._lock is not None:
                self._lock.close()

    def _answer(self, search: Search, view: View, public: View | None) -> Found:
        query = view.questions.of(search, search.clauses, view.searcher)
        counting = Counting(
            view, search, lambda clauses: view.questions.of(search, clauses, view.searcher), self._techniques
        )
        total, sources, facets = counting.totals_and_facets()
        sort = self._sort(search, total)
        limit = max(0, search.first) + 1
        if sort is not Sort.RELEVANCE:
            hits = by_field(view, query, (sort, ORDERINGS[sort]), search.after, limit)
        else:
            offset = search.after.offset if search.after else 0
            if view.public:
                hits = by_score(view, query, offset, limit)
            else:
                hits = by_public_score(view, query, search.asked, public, (offset, limit, total))
        return self._page(search, view, total, hits, (facets, sources))

    def _page(
        self, search: Search, view: View, total: int, hits: list[Hit], counted: tuple[tuple[Facet, ...], dict[str, int]]
    ) -> Found:
        page = tuple(hits[: max(0, search.first)])
        more = len(hits) > len(page)
        if page and page[-1].position.generation:
            self._pins.keep(view.name, view)
        return Found(total, page, more, counted[0], counted[1])

    def _sort(self, search: Search, total: int) -> Sort:
        """The order that is meant; a position says the same, but for a long MINE list, which goes on as it began."""
        sort = sort_of(search)
        if sort is Sort.RELEVANCE and search.scope is Scope.MINE:
            begun: Position | None = search.after
            newest = begun.sort is Sort.NEWEST if begun else total > CEILING
            sort = Sort.NEWEST if newest else sort
        if search.after is not None and search.after.sort is not sort:
            raise CursorInvalid("This cursor belongs to another order. Begin at the first page again.")
        return sort

    def _current(self) -> Generation | None:
        if self._lock is None:
            self._follow()
        return self._generation

    def _follow(self) -> None:
        """See what the writing process has done: another generation, or more commits in this one. It points to the next one before it
        removes what was: only what was read while it pointed here is known to be whole."""
        with self._writing:
            while True:
                pointed = durable.stamp(self._folder / "current")
                try:
                    with engine():
                        self._look(pointed)
                except Unavailable:
                    if durable.stamp(self._folder / "current") == pointed:
                        raise
                if durable.stamp(self._folder / "current") == pointed:
                    return

    def _look(self, pointed: tuple[int, int]) -> None:
        if pointed != self._pointed or self._generation is None:
            self._pointed, self._generation = pointed, self._found()
        elif self._generation.folder.is_dir():
            self._generation.follow()

    def _open(self) -> None:
        with engine():
            self._pointed = durable.stamp(self._folder / "current")
            self._generation = self._found()
            if self._lock is not None:
                self._generation = self._generation or self._begin()
                self._discard_others()

    def _found(self) -> Generation | None:
        name = durable.read(self._folder / "current")
        return opened(self._folder / name, self._techniques, self._at) if name.isalnum() else None

    def _writable(self) -> Generation:
        if self._lock is None or self._generation is None:
            raise Unavailable("This index is open for reading only.")
        return self._generation

    def _new(self) -> Generation:
        folder = self._folder / uuid4().hex
        with engine():
            Generation.create(folder)
        self._at("index.created")
        return Generation(folder, self._techniques, self._at)

    def _begin(self) -> Generation:
        generation = self._new()
        durable.write(self._folder / "current", generation.folder.name)
        return generation

    def _adopt(self, generation: Generation) -> None:
        """Point to another generation; views that are still held go on reading their deleted files."""
        with self._writing, engine():
            self._writable()
            durable.sync_tree(generation.folder)
            self._at("index.built")
            try:
                durable.write(self._folder / "current", generation.folder.name)
            finally:
                if self._is_current(generation):  # it may be, although the disk failed right after
                    self._generation = generation
            self._at("index.pointed")
            self._discard_others()

    def _drop(self, generation: Generation) -> None:
        """Throw away a generation that is not in use."""
        with engine():
            if not self._is_current(generation):
                shutil.rmtree(generation.folder, ignore_errors=True)

    def _is_current(self, generation: Generation) -> bool:
        return durable.read(self._folder / "current") == generation.folder.name

    def _discard_others(self) -> None:
        kept = self._generation.folder if self._generation else None
        for folder in self._folder.iterdir():
            if folder.is_dir() and folder != kept:
                shutil.rmtree(folder, ignore_errors=True)


class EmbeddedRebuild:
    """An index being built aside (see catalogue.ports.Rebuild)."""

    def __init__(
        self, generation: Generation, adopt: Callable[[Generation], None], drop: Callable[[Generation], None]
    ) -> None:
        self._generation = generation
        self._adopt, self._drop = adopt, drop
        self._mark = 0
        self._written = 0

    def apply(self, entries: Sequence[Entry], mark: int) -> None:
        """As Index.apply, into the new one."""
        write(self._generation, entries)
        self._mark = max(self._mark, mark)
        self._written += len(entries)
        if self._written >= BATCH:
            self._commit()

    def held(self) -> Held:
        """How many documents the engine has; it refuses none alone."""
        self._commit()
        with engine():
            return Held(self._generation.live())

    def swap(self) -> None:
        """From now on searches use the new index."""
        self._commit()
        self._generation.settle()
        self._adopt(self._generation)

    def abandon(self) -> None:
        """Throw the new one away."""
        self._generation.give_up()
        self._drop(self._generation)

    def _commit(self) -> None:
        self._generation.commit(self._mark)
        self._written = 0


def write(generation: Generation, entries: Sequence[Entry]) -> None:
    """Write without commit. Raises Unavailable; nothing that is not committed is kept then."""
    try:
        with engine():
            generation.write(entries)
    except BaseException:
        generation.give_up()
        raise


def _matches(view: View, field: Field, value: str) -> int:
    clause = AnyOf(field, (value,))
    return view.count(view.questions.of(Search(), (clause,), view.searcher))
