"""This file is how documents are written to Elasticsearch: in bulks, each item judged by its own result.

The public index is the authority: for every pid ever written it holds the newest version, as a document, or as a
tombstone when the pid is hidden or gone (a document without content: the engine forgets a real deletion after a
minute, and an older write would revive it). So an entry is first written there, under its change number as external
version, and goes to the restricted index only if that did not find something newer. What is hidden thus leaves the
public index before it appears in the other; and what the public index meets for the first time, the other never held.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum
from itertools import chain
from typing import Any, NamedTuple

import msgspec

from catalogue.index.elastic_client import Absent, Busy, Cluster, Refused, Request, T, Unsure, cause, looked, refusal
from catalogue.index.elastic_generations import Generation, write_alias
from catalogue.index.elastic_mapping import identity, row
from catalogue.index.vocabulary import Techniques
from catalogue.ports import Entry
from schema.errors import Unavailable
from schema.records import Kind, Reject

CHUNK = 250  # entries of one bulk: while some are under way the next one is made
CHUNK_BYTES = 5 * 1024 * 1024
RAW_LENGTH = 256 * 1024  # of a reported document
TRIES, INSIST = 8, 6
BASE_SECONDS, CAP_SECONDS = 0.5, 30.0
_PARAMETERS = {"require_alias": "true"}  # and the answer whole: to filter it costs the engine more than to send it
_LOOKED_UP = "docs._id,docs.found,docs.error.type"
_TOMBSTONE = b"{}"


class Outcome(Enum):
    """What became of an item."""

    FIRST = "first"  # done, and nothing of this pid was there before
    DONE = "done"
    STALE = "stale"  # something as new or newer is there
    BAD = "bad"  # the engine cannot take this document, whatever is done


TAKEN = (Outcome.FIRST, Outcome.DONE)


class Item(NamedTuple):
    """One write: the entry it is of, and its content. `again`: one of the same version is written over."""

    entry: Entry
    content: bytes
    again: bool

    def lines(self) -> tuple[bytes, bytes]:
        """Its two lines of a bulk. Names of ours need no escaping."""
        how = b"external_gte" if self.again else b"external"
        id = identity(self.entry.kind, self.entry.pid).encode()
        return b'{"index":{"_id":"%s","version":%d,"version_type":"%s"}}' % (id, self.entry.version, how), self.content


class Judged(NamedTuple):
    """An item and what became of it; `reason` when it is bad."""

    item: Item
    outcome: Outcome
    reason: str = ""


Report = Callable[[Reject], None]
Retried = Callable[[str], None]
"""Is told each time that something is asked again, and why: "busy" (429 or 503), "silent" (no answer, or one cut off), "put off" (some
documents of a bulk were not taken yet)."""


def untold(_why: str) -> None:
    """Nobody counts."""


class PutOff(Busy):
    """Some documents of a bulk must be sent again."""


class Writer:
    """Writes to one generation. Safe for several threads that write different pids.

    `report` gets what the engine cannot take (it never blocks the rest), `pause` waits for seconds, `retried` is told of retries.
    `refused` names what it cannot take as it is at its newest version.
    """

    def __init__(
        self,
        cluster: Cluster,
        generation: Generation,
        techniques: Techniques,
        report: Report,
        *,
        pause: Callable[[float], None] = time.sleep,
        retried: Retried = untold,
    ) -> None:
        self.generation = generation
        self.refused: set[tuple[Kind, str]] = set()
        self._cluster = cluster
        self._again = Again(pause, retried)
        self._techniques = techniques
        self._report = report

    def rows(self, entries: Sequence[Entry]) -> list[Item]:
        """The entries ready to be written. The costly part; needs no server."""
        return [self._item(entry) for entry in entries]

    def write(self, items: Sequence[Item]) -> None:
        """Write them. Raises Unavailable when the engine takes none for long; what was written does no harm then."""
        hidden = [item for item in items if item.entry.make is not None and not item.entry.public]
        shown = [item if item.entry.public else item._replace(content=_TOMBSTONE, again=True) for item in items]
        judged = self._bulk(self.generation.public, shown)
        became = {id(one.item.entry): one.outcome for one in judged}
        rest = [item for item in hidden if became[id(item.entry)] in TAKEN]
        self._note([item for item in items if became[id(item.entry)] in TAKEN])
        left = [item for item in items if item.entry.public or item.entry.make is None]
        rest += self._left_behind([item for item in left if became[id(item.entry)] is not Outcome.FIRST])
        judged += self._bulk(self.generation.restricted, rest)
        for one in judged:
            if one.outcome is Outcome.BAD:
                self._quarantine(one)

    def _note(self, taken: Iterable[Item]) -> None:
        """What is newest now is refused no more, unless only a tombstone could be made of it."""
        for item in taken:
            unwritable = item.entry.make is not None and item.content is _TOMBSTONE
            (self.refused.add if unwritable else self.refused.discard)((item.entry.kind, item.entry.pid))

    def _item(self, entry: Entry) -> Item:
        if entry.make is None:
            return Item(entry, _TOMBSTONE, True)
        document = entry.make()
        try:
            return Item(entry, row(document, self._techniques, public=entry.public), False)
        except ValueError as error:  # text that is not Unicode cannot be written as JSON
            self._tell(entry, f"It cannot be written as JSON ({type(error).__name__}).")
            return Item(entry, _TOMBSTONE, True)

    def _left_behind(self, items: Sequence[Item]) -> list[Item]:
        """Tombstones for those that the restricted index holds something of."""
        if not items:
            return []
        ids = {identity(item.entry.kind, item.entry.pid): item for item in items}
        path = f"/{self.generation.restricted}/_mget"
        request = Request(
            "POST", path, {"ids": list(ids)}, {"_source": "false", "filter_path": _LOOKED_UP}, patient=True
        )
        try:
            found = self._again(lambda: looked(self._cluster.send(request)["docs"]), TRIES)
        except Absent:
            raise _gone(self.generation.restricted) from None
        except Refused as error:
            raise refusal(error) from None
        held = [ids[one["_id"]] for one in found if one.get("found") is True]
        return [item._replace(content=_TOMBSTONE, again=False) for item in held]

    def _bulk(self, index: str, items: Sequence[Item]) -> list[Judged]:
        """Write to one index until every item is judged."""
        judged: list[Judged] = []
        for part in parts(items):
            judged += self._part(index, part)
        return judged

    def _part(self, index: str, items: list[Item]) -> list[Judged]:
        judged: list[Judged] = []
        left = items

        def sent() -> None:
            nonlocal left
            answer = self._cluster.send(self._request(index, left))
            results, left = sorted_out(left, answer["items"])
            judged.extend(results)
            if left:
                raise PutOff("Elasticsearch put documents off.")

        try:
            self._again(sent, TRIES)
        except (Busy, Unsure):
            raise Unavailable(f"Elasticsearch took {len(left)} documents not in {TRIES} tries.") from None
        except Refused as error:
            return judged + self._halves(index, left, error)
        except Absent:
            raise _gone(index) from None
        return judged

    def _halves(self, index: str, items: list[Item], error: Refused) -> list[Judged]:
        """A bulk that is refused as a whole (too large, say) is tried in smaller ones, to find the item that is at fault."""
        if len(items) == 1:
            return [Judged(items[0], Outcome.BAD, f"{error.kind}: {error.reason}")]
        half = len(items) // 2
        return self._part(index, items[:half]) + self._part(index, items[half:])

    def _request(self, index: str, items: Iterable[Item]) -> Request:
        body = b"\n".join([*chain.from_iterable(item.lines() for item in items), b""])
        return Request("POST", f"/{write_alias(index)}/_bulk", body, _PARAMETERS, patient=True)

    def _quarantine(self, one: Judged) -> None:
        """Report it, and let nothing older of it be seen."""
        index = self.generation.public if one.item.entry.public else self.generation.restricted
        (left,) = self._part(index, [one.item._replace(content=_TOMBSTONE, again=True)])
        if left.outcome is not Outcome.STALE:
            self.refused.add((one.item.entry.kind, one.item.entry.pid))
        self._tell(one.item.entry, one.reason)

    def _tell(self, entry: Entry, reason: str) -> None:
        assert entry.make is not None
        record = entry.make().record
        raw = str(msgspec.to_builtins(record))[:RAW_LENGTH]
        self._report(Reject(record.source, entry.kind.value, record.id, "index.refused", reason[:500], raw))


class Again:
    """What is tried again when a server is busy or silent: after growing pauses, and not sooner than it wishes."""

    def __init__(self, pause: Callable[[float], None], retried: Retried) -> None:
        self._pause = pause
        self._retried = retried

    def __call__(self, attempt: Callable[[], T], tries: int, of: tuple[type[Unavailable], ...] = (Busy, Unsure)) -> T:
        """What the attempt gives, made at most so many times while it raises one `of` these."""
        for number in range(1, tries):
            try:
                return attempt()
            except of as error:
                self._retried(_why(error))
                self._pause(max(delay(number), wished(error)))
        return attempt()


def _why(error: Unavailable) -> str:
    return "put off" if isinstance(error, PutOff) else "busy" if isinstance(error, Busy) else "silent"


class Insistent:
    """A cluster that is asked again for some seconds what may take long (an index made, refreshed, swapped), when it is busy."""

    def __init__(self, cluster: Cluster, pause: Callable[[float], None], retried: Retried = untold) -> None:
        self._cluster = cluster
        self._again = Again(pause, retried)

    def send(self, request: Request) -> Any:
        """As Cluster.send."""
        return self._again(lambda: self._cluster.send(request), INSIST if request.patient else 1, (Busy,))


def newest(entries: Iterable[Entry]) -> list[Entry]:
    """The newest entry of each document."""
    found: dict[tuple[str, str], Entry] = {}
    for entry in entries:
        held = found.get((entry.kind, entry.pid))
        if held is None or held.version < entry.version:
            found[entry.kind, entry.pid] = entry
    return list(found.values())


def parts(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Items in bulks of at most CHUNK_BYTES (a longer item alone)."""
    part: list[Item] = []
    size = 0
    for item in items:
        if part and size + len(item.content) > CHUNK_BYTES:
            yield part
            part, size = [], 0
        part.append(item)
        size += len(item.content) + 150
    if part:
        yield part


def sorted_out(items: Sequence[Item], results: Sequence[dict[str, Any]]) -> tuple[list[Judged], list[Item]]:
    """The items that are settled, and those to be sent again. Raises Unavailable when the index is gone or blocked."""
    judged: list[Judged] = []
    left: list[Item] = []
    for item, result in zip(items, results, strict=True):
        told = next(iter(result.values()))
        status = int(told["status"])
        if status < 300:
            judged.append(Judged(item, Outcome.FIRST if status == 201 else Outcome.DONE))
        elif status == 409:
            judged.append(Judged(item, Outcome.STALE))
        elif status == 429 or status >= 500:
            left.append(item)
        elif status in (403, 404):
            raise Unavailable(f"Elasticsearch writes to this index no more ({cause(told)[0]}).")
        else:
            judged.append(Judged(item, Outcome.BAD, ": ".join(cause(told))))
    return judged, left


def _gone(index: str) -> Unavailable:
    return Unavailable(f"The index {index} is gone; another one has taken its place.")


def wished(error: Unavailable) -> float:
    """Seconds that the server wants to be left alone."""
    return error.after if isinstance(error, Busy) else 0.0


def delay(attempt: int) -> float:
    """Seconds before the next try: anything up to a limit that doubles (full jitter)."""
    return random.uniform(0, min(CAP_SECONDS, BASE_SECONDS * 2**attempt))  # noqa: S311 - no secret depends on it
