"""This file is the line from the truth to an index: changes above its high-water mark, in batches, again after any crash.

Whatever is written twice does no harm: every entry carries its change number, and an index skips what is not newer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import TypeVar

from catalogue.database import At, nothing
from catalogue.ports import Entry, Index, Truth
from catalogue.several import Several

BATCH = 1_000  # changes that are read at a time
RIPENED = 500  # records of one transaction that does what time has brought
Going = Callable[[], bool]
T = TypeVar("T")


def _always() -> bool:
    """Nobody takes the duty away."""
    return True


class Projector:
    """The one who writes to an index. Projecting and the last step of a rebuild take turns, so that no index gets a mark beyond
    what it holds; several processes that share an index take a lease ("projector") before they call."""

    def __init__(self, truth: Truth, index: Index, at: At = nothing) -> None:
        self.truth = truth
        self.index = index
        self.at = at
        self._turn = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """While it lasts nobody else writes to the index."""
        with self._turn:
            yield

    def project(self, limit: int = BATCH, going: Going = _always) -> int:
        """Do what time has brought, then bring the index to the truth's head; how many documents were written or removed. When it is
        not `going` on any more (the lease is lost) no further batch is begun."""
        with self.turn():
            while going() and self.truth.ripen(min(limit, RIPENED)):
                self.at("project: ripened")
            return project(self.truth, self.index, limit, self.at, going)


def project(truth: Truth, index: Index, limit: int = BATCH, at: At = nothing, going: Going = _always) -> int:
    """Move the index from its mark to the truth's head, while it is `going` on; how many entries were applied."""
    done = 0
    with Several(index.apply, index.at_once) as several:
        for entries, mark in ahead(changes(truth, index.mark(), limit)):
            if not going():
                break
            at("project: before apply")
            several.apply(entries, mark)
            at("project: after apply")
            done += len(entries)
    return done


def changes(truth: Truth, mark: int, limit: int) -> Iterator[tuple[list[Entry], int]]:
    """Batches of entries above `mark`, each with the mark it reaches, until the head."""
    while news := truth.news(mark, limit):
        mark = news[-1].version
        yield news, mark


def batches(entries: Iterable[Entry], limit: int) -> Iterator[list[Entry]]:
    """The entries, so many at a time."""
    left = iter(entries)
    while batch := list(islice(left, limit)):
        yield batch


def ahead(steps: Iterator[T]) -> Iterator[T]:
    """The same steps, each made by another thread while the one before is being used: reading the truth while an index writes."""
    end = object()
    step = next(steps, end)
    if step is end:
        return
    with ThreadPoolExecutor(1, "ahead") as pool:
        while step is not end:
            coming = pool.submit(next, steps, end)
            yield step  # type: ignore[misc]
            step = coming.result()
