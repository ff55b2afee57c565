"""One Elasticsearch index read both ways: this file asks the threads' and the event loop's reading half alike, and has them agree."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import msgspec

from catalogue.index.elastic import ElasticIndex
from catalogue.index.elastic_async import AsyncElasticIndex
from catalogue.index.elastic_rebuild import ElasticRebuild
from catalogue.ports import Entry, Held
from catalogue.query import Found, Search, Suggestion
from schema.records import Kind

T = TypeVar("T")
TRIES = 20
"""While an index is swapped again and again, two questions may be answered from two states."""


class Loop:
    """An event loop in a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T], seconds: float = 240) -> T:
        """The value of a coroutine."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    def end(self) -> None:
        """Stop it."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(120)
        self._loop.close()


class BothWays:
    """An Index (see catalogue.ports): written by its plain half, read by both. What the event loop's says is what is told."""

    def __init__(self, plain: ElasticIndex, awaited: AsyncElasticIndex, loop: Loop) -> None:
        self.plain, self.awaited, self._loop = plain, awaited, loop

    def search(self, search: Search) -> Found:
        return self._agreed(lambda: self.awaited.search(search), lambda: self.plain.search(search), _unnamed)

    def get(self, kind: Kind, pid: str, groups: frozenset[str]) -> bytes | None:
        return self._agreed(lambda: self.awaited.get(kind, pid, groups), lambda: self.plain.get(kind, pid, groups))

    def get_many(self, kind: Kind, pids: Sequence[str], groups: frozenset[str]) -> dict[str, bytes]:
        return self._agreed(
            lambda: self.awaited.get_many(kind, pids, groups), lambda: self.plain.get_many(kind, pids, groups)
        )

    def suggest(self, text: str, first: int) -> list[Suggestion]:
        return self._agreed(lambda: self.awaited.suggest(text, first), lambda: self.plain.suggest(text, first))

    def counts(self) -> dict[str, int]:
        return self._agreed(self.awaited.counts, self.plain.counts)

    def mark(self) -> int:
        plain = self.plain.mark()  # settles what was written
        assert self._loop.run(self.awaited.mark()) == plain
        return plain

    def apply(self, entries: Sequence[Entry], mark: int) -> None:
        self.plain.apply(entries, mark)
        self.look_anew()

    def rebuild(self) -> Swapped:
        return Swapped(self.plain.rebuild(), self)

    def look_anew(self) -> None:
        """Have what was written be seen now."""
        self.plain.mark()
        self.awaited.forget()

    def close(self) -> None:
        self._loop.run(self.awaited.close())
        self.plain.close()

    def _agreed(
        self, awaited: Callable[[], Coroutine[Any, Any, T]], plain: Callable[[], T], shape: Callable[[T], Any] = repr
    ) -> T:
        for _ in range(TRIES):
            found, other = self._loop.run(awaited()), plain()
            if shape(found) == shape(other):
                return found
        raise AssertionError(f"{found}\n{other}")


class Swapped:
    """A rebuild after whose swap everybody looks anew."""

    def __init__(self, rebuild: ElasticRebuild, index: BothWays) -> None:
        self._rebuild, self._index = rebuild, index

    def apply(self, entries: Sequence[Entry], mark: int) -> None:
        self._rebuild.apply(entries, mark)

    def held(self) -> Held:
        return self._rebuild.held()

    def swap(self) -> None:
        self._rebuild.swap()
        self._index.look_anew()

    def abandon(self) -> None:
        self._rebuild.abandon()


def _unnamed(found: Found) -> tuple[object, ...]:
    """An answer without what its state is called."""
    positions = [msgspec.structs.replace(hit.position, generation="") for hit in found.hits]
    hits = [(hit.raw, hit.score) for hit in found.hits]
    return found.total, found.more, found.facets, found.sources, hits, positions
