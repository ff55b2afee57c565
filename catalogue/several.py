"""This file is how several batches are written to an index at once, while its mark moves in their order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from catalogue.ports import Entry

Apply = Callable[[Sequence[Entry], int], None]


class Several:
    """At most `count` batches under way; a context manager, which waits for them all. With one batch it is `apply` and nothing more.

    The mark of a batch is given to the index when it and all before it are written. Batches that write the same document are not under
    way together: what an index does about one that changes worlds takes several steps.
    """

    def __init__(self, apply: Apply, count: int) -> None:
        self._apply = apply
        self._count = count
        self._pool = ThreadPoolExecutor(count, "batch") if count > 1 else None
        self._under_way: deque[tuple[Future[None], int, set[tuple[str, str]]]] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            while self._under_way and error is None:
                self._land()
        finally:
            if self._pool is not None:
                self._pool.shutdown()

    def apply(self, entries: Sequence[Entry], mark: int) -> None:
        """Begin to write a batch; wait for the oldest when there are enough. Raises what that one met."""
        if self._pool is None:
            self._apply(entries, mark)
            return
        names = {(entry.kind.value, entry.pid) for entry in entries}
        while len(self._under_way) >= self._count or any(names & held for _, _, held in self._under_way):
            self._land()
        self._under_way.append((self._pool.submit(self._apply, entries, 0), mark, names))

    def _land(self) -> None:
        future, mark, _ = self._under_way.popleft()
        future.result()
        self._apply((), mark)
