"""This file is one tantivy directory: the documents of one kind that are public, or those that are not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from uuid import uuid4

import tantivy
from tantivy import Query

from catalogue import disk
from catalogue.index.embedded_query import Questions, all_of
from catalogue.index.embedded_schema import WORDS_PART, digits, identity, schema, undigits
from catalogue.index.wording import WEIGHTS
from catalogue.query import Field
from schema.errors import Unavailable

WHAT = "the search index"
HEAP = 30_000_000  # bytes of new documents held before they become a segment


@contextmanager
def engine(folder: Path | None = None) -> Iterator[None]:
    """Turns what tantivy raises, and what the disk (of that folder) does, into Unavailable; a panic is no Exception there."""
    try:
        yield
    except (ValueError, OSError) as error:
        number = error.errno if isinstance(error, OSError) else None
        found = disk.of_number(WHAT, number) or disk.of_text(WHAT, str(error), folder)
        raise found or Unavailable(f"The search index failed: {error}") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise Unavailable("The search index failed inside.") from error


class View:
    """A directory as it was at one commit. Several threads may search it."""

    def __init__(self, index: tantivy.Index, *, public: bool) -> None:
        self.public = public
        self.searcher = index.searcher()
        self.questions = Questions(index)
        self.labels: dict[tuple[Field, str], str] = {}

    @cached_property
    def name(self) -> str:
        """What cursors call this state. For the public it is a function of public numbers alone, for the rest it says nothing."""
        if not self.public:
            return uuid4().hex
        numbers = self.searcher.aggregate(Query.all_query(), {"number": {"stats": {"field": "number"}}})["number"]
        state = f"{numbers['count']} {numbers['max']} {numbers['sum']}"
        return blake2b(state.encode(), digest_size=12).hexdigest()

    def count(self, query: Query) -> int:
        """How many documents answer. No score is reckoned, as it would be for a list."""
        return int(self.searcher.aggregate(query, {"count": {"value_count": {"field": "key"}}})["count"]["value"])

    def live(self) -> int:
        """How many documents there are. A tombstone, which a shelf counts as one of its own, has no column but what tells it apart."""
        told = self.searcher.aggregate(Query.all_query(), {"live": {"value_count": {"field": "n_pid"}}})
        return int(told["live"]["value"])

    def read(self, address: tantivy.DocAddress) -> tuple[str, bytes]:
        """Pid and JSON of a document."""
        stored = self.searcher.doc(address)
        return undigits(stored.get_first("pid") or ""), stored.get_first("raw") or b""

    def words(self, address: tantivy.DocAddress) -> dict[str, str]:
        """The words of a document that is not public, by text field."""
        stored: bytes = self.searcher.doc(address).get_first("words") or b""
        return dict(zip(WEIGHTS, stored.decode("utf-8", "surrogatepass").split(WORDS_PART), strict=True))

    def stored(self, pids: Sequence[str], groups: frozenset[str] | None = None) -> dict[str, bytes]:
        """The JSON by pid of those of the documents that exist (and that the groups may see, when groups are given)."""
        query = self.questions.pids(pids)
        if groups is not None:
            query = all_of([query, self.questions.open_to(groups)])
        found = self.searcher.search(query, limit=max(1, len(pids)), count=False)
        return dict(self.read(address) for _, address in found.hits)

    def versions(self, pids: Sequence[str]) -> dict[int, int]:
        """The versions held of these documents and tombstones, by the identity of the pid."""
        hits = self.searcher.search(self.questions.pids(pids), limit=max(1, len(pids)), count=False).hits
        addresses = [address for _, address in hits]
        keys = self.searcher.fast_field_values("key", addresses)
        versions = self.searcher.fast_field_values("version", addresses)
        return {int(key or 0): int(version or 0) for key, version in zip(keys, versions, strict=True)}


class Shelf:
    """A directory that is read and, by one process, written. Only the writer's thread calls the writing methods."""

    def __init__(self, folder: Path, *, public: bool) -> None:
        self.public = public
        folder.mkdir(parents=True, exist_ok=True)
        self._index = tantivy.Index(schema(), path=str(folder))
        self._index.config_reader("manual")
        self._writer: tantivy.IndexWriter | None = None
        self._pending: dict[int, int] = {}
        self.dirty = False
        self._doubtful = False
        self.reload()

    def reload(self) -> None:
        """See what has been committed."""
        self._index.reload()
        self.view = View(self._index, public=self.public)
        self._doubtful = False

    def versions(self, pids: Sequence[str]) -> dict[int, int]:
        """The versions held, written ones that are not committed yet included (-1: deleted)."""
        if self._doubtful:
            self.reload()
        held = self.view.versions(pids) if self.view.searcher.num_docs else {}
        if self._pending:
            keys = [identity(pid) for pid in pids]
            held |= {key: self._pending[key] for key in keys if key in self._pending}
        return held

    def remove(self, pid: str) -> None:
        """Delete a document or tombstone."""
        self._open().delete_documents_by_term("pid", digits(pid))
        self._pending[identity(pid)] = -1
        self.dirty = True

    def add(self, pid: str, version: int, cells: dict[str, object]) -> None:
        """Add a row; what was there of the pid must have been removed."""
        self._open().add_document(tantivy.Document.from_dict(cells, self._index.schema))
        self._pending[identity(pid)] = version
        self.dirty = True

    def commit(self) -> None:
        """Make what was written durable and seen."""
        if self.dirty:
            self._open().commit()
            self.dirty = False
            self._pending.clear()
        self.reload()

    def give_up(self) -> None:
        """Forget what was not committed; the next write opens a new writer (the same one would go on failing) and looks first what is
        there: a commit that failed at its last step has been made all the same."""
        self._writer, self.dirty, self._doubtful = None, False, True
        self._pending.clear()

    def settle(self) -> None:
        """Let merges end, and close the writer."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.wait_merging_threads()

    def _open(self) -> tantivy.IndexWriter:
        if self._writer is None:
            self._writer = self._index.writer(HEAP, 1)
            self._writer.garbage_collect_files()  # files of a killed writer would wedge the next commit
        return self._writer
