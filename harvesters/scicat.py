"""This file is the harvester of SciCat backends 4.x and 5.x over API v3 (harvest-sources reference, section 1).

Keyset walks by identifier; incremental by the server's clock with an overlap; an identifier sweep finds deletions. A place
in the walk counts as reached only after the server has confirmed again who we are there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from schema.techniques import default

from harvesters.http import PoliteSession
from harvesters.ports import Clock, End, Order, Probe, Secrets, Step
from harvesters.scicat_session import SciCatSession
from schema.activities import Bookmark, HarvestMode
from schema.crosswalks import scicat, scicat_published
from schema.crosswalks.naming import reject
from schema.crosswalks.place import Place
from schema.crosswalks.reading import text
from schema.errors import RetryLater, StopHarvest
from schema.federation import Facility, Source
from schema.records import AnyRecord, Kind, Reject
from schema.text import fold

OVERLAP = timedelta(minutes=10)
PAGE = 200
IDS_PAGE = 5_000
IDS_AT_ONCE = 100
TRUST_EVERY = 20


class Route(msgspec.Struct, frozen=True):
    """One list of the backend: where it is, what orders it, which field is the record's id, and whether it filters by time."""

    kind: Kind
    path: str
    key: str
    id: str
    crosswalk: Callable[[Place, object], AnyRecord | Reject]
    dated: bool = True


ROUTES = (
    Route(Kind.INSTRUMENT, "/instruments", "_id", "pid", scicat.instrument, dated=False),
    Route(Kind.INVESTIGATION, "/proposals", "_id", "proposalId", scicat.proposal),
    Route(Kind.SAMPLE, "/samples", "_id", "sampleId", scicat.sample),
    Route(Kind.PUBLICATION, "/publisheddata", "_id", "doi", scicat_published.published),
    Route(Kind.DATASET, "/datasets", "pid", "pid", scicat.dataset),
)
KINDS = tuple(route.kind for route in ROUTES)


class SciCat:
    """One SciCat source, opened."""

    def __init__(self, facility: Facility, source: Source, secrets: Secrets, clock: Clock) -> None:
        self._http = PoliteSession(source.url, private=source.allowPrivateAddress, rate=source.rate, clock=clock)
        self._session = SciCatSession(self._http, source.login, secrets, clock)
        self._clock = clock
        self._overlap = source.overlap or OVERLAP
        self._page = source.pageSize or PAGE
        self._trusted = Bookmark()
        self.place = Place(
            facility=facility.id,
            source=f"{facility.id}/{source.id}",
            vocabulary=default(),
            authenticated=source.login is not None,
            rule=facility.records,
            parameters={fold(name): standard for name, standard in source.parameters.items()},
            page=f"{source.url}/datasets/{{id}}",
        )

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def walk(self, order: Order) -> Iterator[Step | End]:
        """As harvesters.ports.Harvester.walk."""
        if order.ids:
            yield from self._fetch(order)
            return
        identity = self._session.identity()
        resumed = order.resume.state
        started = str(resumed.get("started") or self._server_time().isoformat())
        same = order.since.state.get("identity") == identity
        cursor = order.since.state.get("cursor") if order.mode is HarvestMode.INCREMENTAL and same else None
        self._trusted = (
            order.resume if resumed else Bookmark({"started": started, "route": 0, "after": "", "ids": False})
        )
        sweeping = cursor is not None
        for number, ids in [(n, False) for n in range(len(ROUTES))] + [
            (n, True) for n in range(len(ROUTES)) if sweeping
        ]:
            if (ids, number) < (bool(resumed.get("ids")), int(resumed.get("route") or 0)):
                continue
            here = (ids, number) == (bool(resumed.get("ids")), int(resumed.get("route") or 0))
            after = str(resumed.get("after") or "") if here else ""
            place = {"started": started, "route": number, "ids": ids}
            route = ROUTES[number]
            pages = self._ids(route, after) if ids else self._records(route, after, cursor if route.dated else None)
            yield from self._trusting(pages, place, identity)
        changed = order.mode is HarvestMode.INCREMENTAL and bool(order.since.state) and not same
        warnings = (
            "We are somebody else at the source than last time (user or groups changed); nothing is removed in this harvest.",
        )
        since = datetime.fromisoformat(started) - self._overlap
        yield End(
            complete=not changed,
            kinds=KINDS,
            next=Bookmark({"cursor": _zulu(since), "identity": identity}),
            warnings=warnings if changed else (),
        )

    def probe(self) -> Probe:
        """As harvesters.ports.Harvester.probe."""
        try:
            identity = self._session.identity()
            counts = {
                route.kind.value: found
                for route in ROUTES[-1:]
                if (found := self._session.count(route.path)) is not None
            }
            raws = self._session.list("/datasets", {}, order="pid:asc", limit=20)
            if raws and isinstance(raws[0], Mapping) and isinstance(raws[0].get("pid"), str):
                self._session.single().datasets_get_one(raws[0]["pid"])
        except (RetryLater, StopHarvest) as error:
            return Probe(ok=False, message=error.message)
        made = [scicat.dataset(self.place, raw) for raw in raws]
        records = tuple(each for each in made if not isinstance(each, Reject))
        rejects = tuple(each for each in made if isinstance(each, Reject))
        return Probe(
            ok=True, message="The source answers.", identity=identity, counts=counts, sample=records, rejects=rejects
        )

    def _server_time(self) -> datetime:
        return self._session.clock() or self._clock()

    def _trusting(self, pages: Iterator[Step], place: dict[str, Any], identity: str) -> Iterator[Step]:
        """The pages, with bookmarks that only move on after the server has confirmed that we are still who we were."""
        reached: Bookmark | None = None
        for number, page in enumerate(pages, start=1):
            reached = Bookmark({**place, **page.bookmark.state})
            if number % TRUST_EVERY == 0:
                self._confirm(identity)
                self._trusted = reached
            yield msgspec.structs.replace(page, bookmark=self._trusted)
        self._confirm(identity)
        if reached is not None:
            self._trusted = reached

    def _confirm(self, identity: str) -> None:
        if self._session.authenticated and self._session.identity() != identity:
            raise RetryLater(
                "Our user or groups at the source changed during the harvest; it goes on from the last trusted place."
            )

    def _records(self, route: Route, after: str, cursor: object) -> Iterator[Step]:
        limit = self._page
        while True:
            where: dict[str, Any] = {route.key: {"$gt": after}} if after else {}
            if cursor:
                where["updatedAt"] = {"$gte": cursor}
            try:
                raws = self._session.list(route.path, where, order=f"{route.key}:asc", limit=limit)
            except StopHarvest as error:
                if error.reason != "too-large":
                    raise
                if limit > 1:
                    limit = max(1, limit // 4)
                    continue
                raws = self._session.list(route.path, where, order=f"{route.key}:asc", limit=1, fields=[route.key])
                after = _last(raws, route.key, after)
                yield Step(rejects=(_too_large(self.place, route, after),), bookmark=Bookmark({"after": after}))
                continue
            if not raws:
                return
            reached = _last(raws, route.key, after)
            records, rejects = self._crosswalked(route, raws)
            yield Step(
                records=records, rejects=rejects, bookmark=Bookmark({"after": reached}), message=f"{route.kind.value}s"
            )
            if reached <= after:
                raise StopHarvest("no-progress", f"{route.path} repeats the same page; its order cannot be relied on.")
            after = reached

    def _ids(self, route: Route, after: str) -> Iterator[Step]:
        while True:
            where = {route.key: {"$gt": after}} if after else {}
            names = list(dict.fromkeys([route.key, route.id, "updatedAt"]))
            raws = self._session.list(route.path, where, order=f"{route.key}:asc", limit=IDS_PAGE, fields=names)
            if not raws:
                return
            reached = _last(raws, route.key, after)
            if reached <= after:
                raise StopHarvest("no-progress", f"{route.path} repeats the same page; its order cannot be relied on.")
            named = (raw for raw in raws if isinstance(raw, Mapping))
            seen = tuple(
                (route.kind, id, text(raw.get("updatedAt")))
                for raw in named
                if (id := text(raw.get(route.id)) or text(raw.get("_id"))) is not None
            )
            yield Step(seen=seen, bookmark=Bookmark({"after": reached}), message=f"names of {route.kind.value}s")
            after = reached

    def _fetch(self, order: Order) -> Iterator[Step | End]:
        identity = self._session.identity()
        for route in ROUTES:
            ids = [id for kind, id in order.ids if kind is route.kind]
            for start in range(0, len(ids), IDS_AT_ONCE):
                where = {route.id: {"$in": ids[start : start + IDS_AT_ONCE]}}
                raws = self._session.list(route.path, where, order=f"{route.key}:asc", limit=IDS_AT_ONCE)
                records, rejects = self._crosswalked(route, raws)
                yield Step(records=records, rejects=rejects, message="late ones")
        self._confirm(identity)
        yield End(complete=False, kinds=(), next=Bookmark())

    def _crosswalked(self, route: Route, raws: list[Any]) -> tuple[tuple[AnyRecord, ...], tuple[Reject, ...]]:
        made = [route.crosswalk(self.place, raw) for raw in raws]
        records = tuple(each for each in made if not isinstance(each, Reject))
        return records, tuple(each for each in made if isinstance(each, Reject))


def _last(raws: list[Any], key: str, after: str) -> str:
    """The highest key of a page. Raises StopHarvest when the page names none (its order cannot be relied on)."""
    keys = [raw[key] for raw in raws if isinstance(raw, Mapping) and isinstance(raw.get(key), str)]
    if not keys:
        raise StopHarvest("no-keys", f"The source sent a page without a single {key} after {after[:80]!r}.")
    return str(keys[-1])


def _too_large(place: Place, route: Route, id: str) -> Reject:
    return reject(place, route.kind, id, "too-large", "The record is larger than a whole answer may be.", None)


def _zulu(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
