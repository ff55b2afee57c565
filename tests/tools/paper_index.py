"""An index on paper: it keeps entries as the port says (older versions skipped, deletions remembered) and searches nothing."""

from collections.abc import Sequence

from catalogue.ports import Entry, Held
from schema.records import Document, Kind


class PaperIndex:
    """What an index keeps, in dictionaries."""

    at_once = 1

    def __init__(self) -> None:
        self.entries: dict[tuple[Kind, str], Entry] = {}
        self._mark = 0
        self.batches: list[int] = []

    def mark(self) -> int:
        return self._mark

    def apply(self, entries: Sequence[Entry], mark: int) -> None:
        for entry in entries:
            there = self.entries.get((entry.kind, entry.pid))
            if there is None or there.version < entry.version:
                self.entries[entry.kind, entry.pid] = entry
        self._mark = max(mark, self._mark)
        self.batches.append(len(entries))

    def rebuild(self) -> "PaperRebuild":
        return PaperRebuild(self)

    def live(self) -> dict[tuple[Kind, str], tuple[Document, bool]]:
        """The documents kept, and whether each is public."""
        return {name: (entry.make(), entry.public) for name, entry in self.entries.items() if entry.make is not None}


class PaperRebuild(PaperIndex):
    """A new one aside."""

    def __init__(self, target: PaperIndex) -> None:
        super().__init__()
        self._target = target
        self.abandoned = False

    def held(self) -> Held:
        return Held(len(self.live()))

    def swap(self) -> None:
        self._target.entries, self._target._mark = self.entries, self._mark

    def abandon(self) -> None:
        self.abandoned = True
