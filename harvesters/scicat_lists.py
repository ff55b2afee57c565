"""This file is how SciCat's lists are read to their end: keyset pages in the order of a key, and records by their ids.

Portable filters only (harvest-sources reference, 1.4 and 1.6). Texts that look like dates become dates in a 5.x `where`, and then
match nothing: where that could be, the same question is put as a regular expression, which stays a text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from harvesters.bounds import ending
from harvesters.scicat_session import SciCatSession
from schema.crosswalks import scicat, scicat_published
from schema.crosswalks.place import Place
from schema.crosswalks.reading import text
from schema.errors import StopHarvest
from schema.records import AnyRecord, Kind, Reject

IDS_AT_ONCE = 100
_IDS_LENGTH = 4_000
_REGEX_LENGTH = 200
_DATED = re.compile(r"\d{4}-\d{2}-\d{2}")


class Route(msgspec.Struct, frozen=True):
    """One list of the backend: where it is, what orders it, which field is the record's id, whether it filters by time, and whether a
    record is asked for by the key that orders (published data: its DOI is its `_id`, and no field of its own in the database)."""

    kind: Kind
    path: str
    key: str
    id: str
    crosswalk: Callable[[Place, object], AnyRecord | Reject]
    dated: bool = True
    keyed: bool = False

    @property
    def asked(self) -> str:
        """The field by which records are asked for by their ids."""
        return self.key if self.keyed else self.id


ROUTES = (
    Route(Kind.INSTRUMENT, "/instruments", "_id", "pid", scicat.instrument, dated=False),
    Route(Kind.INVESTIGATION, "/proposals", "_id", "proposalId", scicat.proposal),
    Route(Kind.SAMPLE, "/samples", "_id", "sampleId", scicat.sample),
    Route(Kind.PUBLICATION, "/publisheddata", "_id", "doi", scicat_published.published, keyed=True),
    Route(Kind.DATASET, "/datasets", "pid", "pid", scicat.dataset),
)


class Slice(msgspec.Struct, frozen=True):
    """A piece of a list: the records as sent, the key reached, and the key and revision of a record too large to be sent, if that is
    it."""

    raws: list[Any]
    reached: str
    too_large: str | None = None
    revision: str | None = None


class Lists:
    """Reads lists through a session."""

    def __init__(self, session: SciCatSession) -> None:
        self._session = session

    def pages(
        self, route: Route, after: str, limit: int, where: Mapping[str, Any], fields: Sequence[str] = ()
    ) -> Iterator[Slice]:
        """Everything beyond `after`. The page shrinks when an answer is too large, down to one record, which is then named only.

        Raises StopHarvest when the list is not in order, repeats itself or does not end.
        """
        return ending(self._pages(route, after, limit, where, fields), route.path)

    def _pages(
        self, route: Route, after: str, limit: int, where: Mapping[str, Any], fields: Sequence[str]
    ) -> Iterator[Slice]:
        size = limit
        while True:
            try:
                raws = self._beyond(route, after, size, where, fields)
            except StopHarvest as error:
                if error.reason != "too-large":
                    raise
                if size > 1:
                    size = max(1, size // 4)
                    continue
                raws = self._beyond(route, after, 1, where, (route.key, "updatedAt"))
                after = _last(raws, route, after)
                yield Slice([], after, too_large=after, revision=revision(raws[-1]))
                continue
            if not raws:
                return
            after = _last(raws, route, after)
            yield Slice(raws, after)
            size = min(limit, size * 2)

    def named(self, route: Route, ids: Iterable[str]) -> Iterator[Slice]:
        """The records of those ids that there are."""
        for batch in _batches(ids):
            yield from self._batch(route, batch)

    def _batch(self, route: Route, ids: Sequence[str]) -> Iterator[Slice]:
        try:
            raws = self._list(route, {route.asked: {"$in": list(ids)}}, len(ids), ())
            there = {raw.get(route.id) for raw in raws if isinstance(raw, Mapping)}
            missing = [id for id in ids if id not in there]
            if missing:
                pattern = "|".join(re.escape(id) for id in missing)
                raws += self._list(route, {route.asked: {"$regex": f"^(?:{pattern})$"}}, len(missing), ())
        except StopHarvest as error:
            if error.reason != "too-large":
                raise
            if len(ids) == 1:
                raws = self._list(route, {route.asked: {"$in": list(ids)}}, 1, (route.id, "updatedAt"))
                yield Slice([], ids[0], too_large=ids[0], revision=revision(raws[-1]) if raws else None)
                return
            half = len(ids) // 2
            yield from self._batch(route, ids[:half])
            yield from self._batch(route, ids[half:])
            return
        yield Slice(raws, ids[-1])

    def _beyond(
        self, route: Route, after: str, limit: int, where: Mapping[str, Any], fields: Sequence[str]
    ) -> list[Any]:
        if not after:
            return self._list(route, where, limit, fields)
        if not _DATED.match(after) or len(after) > _REGEX_LENGTH:
            raws = self._list(route, {**where, route.key: {"$gt": after}}, limit, fields)
            if raws or len(after) > _REGEX_LENGTH:
                return raws
        return self._list(route, {**where, route.key: {"$regex": beyond(after)}}, limit, fields)

    def _list(self, route: Route, where: Mapping[str, Any], limit: int, fields: Sequence[str]) -> list[Any]:
        return self._session.list(route.path, where, order=f"{route.key}:asc", limit=limit, fields=fields)


def revision(raw: object) -> str | None:
    """What the backend tells of a record's state: when it was changed last."""
    return text(raw.get("updatedAt"), 64) if isinstance(raw, Mapping) else None


def beyond(after: str) -> str:
    """A regular expression of every text that comes after that one in the order of code points (and so of UTF-8)."""
    pattern = r"[\s\S]"
    for sign in reversed(after):
        greater = f"|[{_escaped(chr(ord(sign) + 1))}-\U0010ffff]" if ord(sign) < 0x10FFFF else ""
        pattern = f"{re.escape(sign)}(?:{pattern}){greater}"
    return f"^(?:{pattern})"


def _escaped(sign: str) -> str:
    if "\ud800" <= sign <= "\udfff":
        return "\ue000"
    return f"\\{sign}" if sign in "\\]^-[&~|" else sign


def _last(raws: list[Any], route: Route, after: str) -> str:
    """The highest key of a page. Raises StopHarvest when the page cannot be gone on from."""
    keys = [raw[route.key] for raw in raws if isinstance(raw, Mapping) and isinstance(raw.get(route.key), str)]
    if not keys:
        raise StopHarvest("no-keys", f"{route.path} sent a page without a single {route.key} after {after[:80]!r}.")
    if keys != sorted(keys) or keys[0] <= after:
        raise StopHarvest("no-order", f"{route.path} is not sent in the order of {route.key}; it cannot be walked.")
    return str(keys[-1])


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    """At most 100 ids, and no more than a request line holds."""
    batch: list[str] = []
    length = 0
    for id in ids:
        size = len(quote(id, safe="")) + 10
        if batch and (len(batch) == IDS_AT_ONCE or length + size > _IDS_LENGTH):
            yield batch
            batch, length = [], 0
        batch.append(id)
        length += size
    if batch:
        yield batch
