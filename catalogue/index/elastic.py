"""This file is the index in an Elasticsearch cluster (8 or 9), for several machines: any number of readers, one
projector at a time.

What it writes is acknowledged, refreshed, and only then counted into the mark: soon after the last batch, and now and then
while more come; whoever asks this instance sees its writes at once, others soon after.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from catalogue.index.elastic_bulk import CHUNK, Insistent, Report, Retried, Writer, newest, untold
from catalogue.index.elastic_client import Absent, Cluster, Connection, Refused, Steps, T, check, refusal, run
from catalogue.index.elastic_generations import (
    Generation,
    Layout,
    created,
    current,
    dropped,
    left_behind,
    outdated,
    taken,
    template,
)
from catalogue.index.elastic_mapping import REFRESH
from catalogue.index.elastic_marks import live, marked, refreshed, refreshing
from catalogue.index.elastic_marks import mark as mark_at
from catalogue.index.elastic_reading import Reading
from catalogue.index.elastic_rebuild import ElasticRebuild
from catalogue.index.elastic_settling import Settling
from catalogue.index.vocabulary import NoTechniques, Techniques
from catalogue.ports import Entry
from catalogue.query import Found, Search, Suggestion
from schema.errors import Misconfigured, Unavailable
from schema.records import Kind, Reject

WORKERS = 4  # bulks under way at once
BATCHES = 3  # and batches: while the last bulks of one are written the rows of the next ones are made
_log = logging.getLogger(__name__)


def _logged(reject: Reject) -> None:
    _log.warning("index refused a document: %s %s %s: %s", reject.source, reject.kind, reject.id, reject.message)


def _gone() -> Unavailable:
    return Unavailable("What was built aside is gone: a later rebuild has begun elsewhere.")


class _Followed(threading.local):
    """The generation whose mark this thread has read: another one that only looks how far the index is does not move the projector's."""

    generation: Generation | None = None


class ElasticIndex:
    """An Index (see catalogue.ports) in a cluster. Nothing is asked of the server before the first call; `check` asks whether all is well.

    `layout` says what the indexes are called. `report` gets documents that the engine cannot take. `clock` gives seconds for the life of
    cursors and views, `pause` waits between tries, `retried` is told of them, `techniques` is the vocabulary. With `writable` false it
    refuses to write.
    """

    at_once = BATCHES

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
        retried: Retried = untold,
    ) -> None:
        self._cluster = Cluster(connection)
        self._insistent = Insistent(self._cluster, pause, retried)
        self._layout = layout
        self._writable = writable
        self._techniques = techniques or NoTechniques()
        self._report = report
        self._pause, self._retried = pause, retried
        self._reading = Reading(layout, self._techniques, clock)
        self._beginning = threading.Lock()
        self._settling = Settling(self._seen, clock)
        self._followed = _Followed()
        self._pool = ThreadPoolExecutor(WORKERS, "elastic-bulk")

    def check(self) -> None:
        """Raises Misconfigured, naming the remedy, when address, login, server or index are not what we need; Unavailable."""
        check(self._cluster)
        self._run(current(self._layout))

    def search(self, search: Search) -> Found:
        """The answer. Raises CursorExpired, CursorInvalid, Unavailable, Misconfigured."""
        return self._read(self._reading.search(search))

    def get(self, kind: Kind, pid: str, groups: frozenset[str]) -> bytes | None:
        """The stored document (JSON) of that pid if it is public or open to one of the groups."""
        return self.get_many(kind, (pid,), groups).get(pid)

    def get_many(self, kind: Kind, pids: Sequence[str], groups: frozenset[str]) -> dict[str, bytes]:
        """The same for many."""
        return self._read(self._reading.documents(kind, pids, groups))

    def suggest(self, text: str, first: int) -> list[Suggestion]:
        """Completions from public datasets."""
        return self._read(self._reading.suggestions(text, first))

    def counts(self) -> dict[str, int]:
        """Public datasets of each facility."""
        return self._read(self._reading.counts())

    def mark(self) -> int:
        """The high-water mark: every change up to it is in the index; 0 when it must be built."""
        self._settling.settle()
        generation = self._followed.generation = self._run(current(self._layout))
        return self._run(marked(generation)) if generation else 0

    def apply(self, entries: Sequence[Entry], mark: int) -> None:
        """Write entries (a version at or below the one already there is skipped) and move the mark. Raises Unavailable, also when
        another process has swapped the index since its mark was read: the new one's may be lower."""
        self._refuse_reading()
        generation = self._written_to(moving=mark > 0)
        self._write(self._writer(generation), entries)
        self._settling.note(generation, mark)

    def rebuild(self) -> ElasticRebuild:
        """A new, empty index built aside; what killed builders left is dropped. Raises Unavailable, Misconfigured."""
        self._refuse_reading()
        self._run(dropped(self._run(left_behind(self._layout))))
        generation = self._new()
        self._run(refreshing(generation, "-1"))
        return ElasticRebuild(self._writer(generation), self._write, self._live, self._adopt, self._abandon)

    def drop_old(self) -> int:
        """Delete the generations before the one in use; how many there were. One that is being built is newer, and stays."""
        self._refuse_reading()
        old = self._run(outdated(self._layout))
        self._run(dropped(old))
        return len(old)

    def close(self) -> None:
        """Settle what was written, and let go of the connections."""
        self._settling.close()
        self._pool.shutdown()
        self._cluster.close()

    def _run(self, asked: Steps[T]) -> T:
        try:
            return run(self._insistent, asked, self._pause)
        except Refused as error:
            raise refusal(error) from error

    def _read(self, asked: Steps[T]) -> T:
        """Answer what is read after what was written."""
        self._settling.settle()
        try:
            return self._run(asked)
        finally:
            self._run(self._reading.tidy())

    def _seen(self, generation: Generation, number: int) -> None:
        """Make what was written seen, then move the mark."""
        try:
            self._run(refreshed(generation))
            self._run(mark_at(generation, number))
        except Absent:
            _log.warning("the index %s was dropped before its mark was moved", generation.stem)
        self._reading.forget()  # before another thread can believe that all is settled

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

    def _writer(self, generation: Generation) -> Writer:
        told, pause, retried = self._report, self._pause, self._retried
        return Writer(self._cluster, generation, self._techniques, told, pause=pause, retried=retried)

    def _refuse_reading(self) -> None:
        if not self._writable:
            raise Unavailable("This index is open for reading only.")

    def _written_to(self, *, moving: bool) -> Generation:
        """The generation in use, begun where there is none: one batch at a time, or two would begin one each. Between two moves of the
        mark it is not asked for anew: what went to one that was swapped out is owed to the new one, whose mark is its own."""
        if self._followed.generation is not None and not moving:
            return self._followed.generation
        with self._beginning:
            generation = self._run(current(self._layout)) or self._begin()
            if self._followed.generation not in (None, generation):
                raise Unavailable("The search index was swapped meanwhile; what is new is written to the new one.")
            self._followed.generation = generation
        return generation

    def _begin(self) -> Generation:
        self._run(taken(self._layout, self._new()))
        begun = self._run(current(self._layout))
        assert begun is not None
        return begun

    def _new(self) -> Generation:
        try:
            if self._layout.template:
                self._insistent.send(template(self._layout))
        except (
            Refused,
            Misconfigured,
        ) as error:  # a key without cluster privileges: every index is made with its mapping anyway
            _log.info("no index template was left: %s", error)
        return self._run(created(self._layout))

    def _live(self, generation: Generation) -> int:
        try:
            self._run(refreshed(generation))
            return self._run(live(generation))
        except Absent:
            raise _gone() from None

    def _adopt(self, generation: Generation, mark: int) -> None:
        try:
            self._run(refreshing(generation, REFRESH))
            self._run(refreshed(generation))
            self._run(mark_at(generation, mark))
            kept = self._run(taken(self._layout, generation))  # for lists that are being read
        except Absent:
            raise _gone() from None
        self._followed.generation = generation
        self._reading.forget()
        self._run(dropped([one for one in self._run(outdated(self._layout)) if one not in kept]))

    def _abandon(self, generation: Generation) -> None:
        """Drop what was built, unless it is in use (a swap whose answer was lost)."""
        if self._run(current(self._layout)) != generation:
            self._run(dropped([generation]))
