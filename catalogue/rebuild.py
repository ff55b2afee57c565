"""This file is how an index is built anew from the truth, aside, while searches and projection go on, and then swapped in."""

from __future__ import annotations

from collections.abc import Callable

from catalogue.ports import Held, Rebuild, Truth
from catalogue.project import BATCH, Projector, ahead, batches, changes
from catalogue.several import Several
from schema.errors import Unavailable
from schema.records import Kind

Told = Callable[[int, int], None]


def _silent(done: int, total: int) -> None:
    """Nobody watches."""


def rebuild(projector: Projector, limit: int = BATCH, told: Told = _silent) -> int:
    """Build the index anew, catch up by change number, verify the count, swap; how many documents it holds. `told` gets (done, total).

    Raises Unavailable when the engine holds another number than it should: the new index is thrown away and the old one stays.
    """
    aside = projector.index.rebuild()
    try:
        handed = _Handed(projector.truth, aside, projector.index.at_once)
        handed.fill(limit, told)
        projector.at("rebuild: filled")
        handed.catch_up(limit)
        projector.at("rebuild: caught up")
        with projector.turn():
            handed.catch_up(limit)
            due = handed.due(limit)
            count = _verified(aside.held(), due)
            projector.at("rebuild: before swap")
            aside.swap()
    except BaseException:  # whatever ends it, an index half built must not stay on the disk
        aside.abandon()
        raise
    projector.at("rebuild: after swap")
    return count


def _verified(held: Held, due: int) -> int:
    """How many documents the engine holds. Raises Unavailable when they and those that it refused are not as many as are due."""
    missing = due - held.live - held.refused
    if missing:
        wrong = f"lacks {missing}" if missing > 0 else f"has {-missing} too many"
        raise Unavailable(
            f"The rebuilt index {wrong} of {due} documents (it holds {held.live} and refused {held.refused}); the old one stays."
        )
    return held.live


class _Handed:
    """What was handed to an index being built aside: its mark, and a number for each document."""

    def __init__(self, truth: Truth, aside: Rebuild, at_once: int) -> None:
        self._truth = truth
        self._aside = aside
        self._at_once = at_once
        self._mark = truth.head()
        self._names: set[int] = set()

    @property
    def count(self) -> int:
        return len(self._names)

    def fill(self, limit: int, told: Told) -> None:
        """Every document, as it is when its turn comes: changes since the beginning are caught up with afterwards."""
        total = self._truth.count()
        with Several(self._aside.apply, self._at_once) as several:
            for entries in ahead(batches(self._truth.entries(), limit)):
                several.apply(entries, 0)
                self._names.update(_name(entry.kind, entry.pid) for entry in entries)
                told(min(self.count, total), total)

    def catch_up(self, limit: int) -> None:
        """All changes until now."""
        for entries, mark in ahead(changes(self._truth, self._mark, limit)):
            self._aside.apply(entries, mark)
            for entry in entries:
                name = _name(entry.kind, entry.pid)
                (self._names.discard if entry.make is None else self._names.add)(name)
            self._mark = mark
        self._aside.apply((), self._mark)

    def due(self, limit: int) -> int:
        """How many documents must be there: as many as the truth holds at the mark. A harvest may leave no moment at which the two can be
        compared: then as many as were handed over."""
        for _ in range(10):
            count = self._truth.count()
            if self._truth.head() == self._mark:
                return count
            self.catch_up(limit)
        return self.count


def _name(kind: Kind, pid: str) -> int:
    return hash((kind.value, pid))
