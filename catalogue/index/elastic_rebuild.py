"""This file is an index being built aside in Elasticsearch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from catalogue.index.elastic_bulk import Writer
from catalogue.index.elastic_generations import Generation
from catalogue.ports import Entry, Held


class ElasticRebuild:
    """An index being built aside (see catalogue.ports.Rebuild)."""

    def __init__(
        self,
        writer: Writer,
        write: Callable[[Writer, Sequence[Entry]], None],
        live: Callable[[Generation], int],
        adopt: Callable[[Generation, int], None],
        abandon: Callable[[Generation], None],
    ) -> None:
        self._writer = writer
        self._write = write
        self._live = live
        self._adopt = adopt
        self._abandon = abandon
        self._mark = 0

    def apply(self, entries: Sequence[Entry], mark: int) -> None:
        """As Index.apply, into the new one."""
        self._write(self._writer, entries)
        self._mark = max(self._mark, mark)

    def held(self) -> Held:
        """How many documents both indexes have, and how many they would not take. Raises Unavailable, also when a shard is away."""
        return Held(self._live(self._writer.generation), len(self._writer.refused))

    def swap(self) -> None:
        """From now on searches use the new index; the one before is kept until the next swap or `drop_old`."""
        self._adopt(self._writer.generation, self._mark)

    def abandon(self) -> None:
        """Throw the new one away."""
        self._abandon(self._writer.generation)
