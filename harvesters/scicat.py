"""This file is the harvester of SciCat backends 4.x and 5.x over API v3 (harvest-sources reference, section 1).

Keyset walks by identifier; incremental by the server's clock with an overlap; an identifier sweep finds deletions. A place
in the walk counts as reached only after the server has confirmed again who we are there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from harvesters.arrival import briefly
from harvesters.converted import converted, told
from harvesters.http import PoliteSession
from harvesters.ports import Clock, End, Order, Probe, Secrets, Step
from harvesters.scicat_lists import ROUTES, Lists, Route, Slice, revision
from harvesters.scicat_session import Distrusted, SciCatSession
from schema.activities import Bookmark, HarvestMode
from schema.crosswalks.naming import reject
from schema.crosswalks.place import Place
from schema.crosswalks.reading import text
from schema.errors import Misconfigured, RetryLater, StopHarvest
from schema.federation import Facility, Source
from schema.records import AnyRecord, Reject
from schema.techniques import Vocabulary, default
from schema.text import fold

OVERLAP = timedelta(minutes=10)
PAGE = 200
IDS_PAGE = 5_000
TRUST_EVERY = 20
ATTEMPTS = 3
SAMPLE = 200
KINDS = tuple(route.kind for route in ROUTES)
_SOMEBODY_ELSE = (
    "We are somebody else at the source than last time (user or groups changed); nothing is removed in this harvest."
)


class Course(msgspec.Struct, frozen=True):
    """What holds for a whole walk: who we are, the server's time when it began, and since when (None: everything)."""

    identity: str
    started: str
    cursor: str | None

    def stages(self) -> Iterator[tuple[bool, int]]:
        """(names only, number of the route), in order."""
        yield from ((False, number) for number in range(len(ROUTES)))
        if self.cursor is not None:
            yield from ((True, number) for number in range(len(ROUTES)))


class SciCat:
    """One SciCat source, opened."""

    def __init__(
        self, facility: Facility, source: Source, secrets: Secrets, clock: Clock, vocabulary: Vocabulary | None = None
    ) -> None:
        self._http = PoliteSession(source.url, private=source.allowPrivateAddress, rate=source.rate, clock=clock)
        self._session = SciCatSession(self._http, source.login, secrets, clock)
        self._lists = Lists(self._session)
        self._clock = clock
        self._overlap = source.overlap or OVERLAP
        self._page = source.pageSize or PAGE
        self._trusted = Bookmark()
        self.place = Place(
            facility=facility.id,
            source=f"{facility.id}/{source.id}",
            vocabulary=vocabulary or default(),
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
            identity = self._session.identity()
            yield from self._fetch(order)
            self._confirm(identity)  # else what is missing may only be hidden from whom we became
            yield End(complete=False, kinds=(), next=Bookmark())
            return
        identity = self._session.identity()
        resume = order.resume if order.resume.state.get("identity") == identity else Bookmark()
        started = str(resume.state.get("started") or self._server_time().isoformat())
        since = order.since.state
        same = not since or since.get("identity") == identity
        cursor = since.get("cursor") if order.mode is HarvestMode.INCREMENTAL and same else None
        course = Course(identity, started, str(cursor) if cursor else None)
        yield from self._persisting(course, resume)
        yield End(
            complete=same,
            kinds=KINDS,
            next=Bookmark(
                {"cursor": _zulu(datetime.fromisoformat(started) - self._overlap), "identity": identity},
            ),
            warnings=() if same else (_SOMEBODY_ELSE,),
        )

    def probe(self) -> Probe:
        """As harvesters.ports.Harvester.probe."""
        self._http.patience = briefly(self._http.patience)
        try:
            return self._looked()
        except (RetryLater, StopHarvest, Misconfigured) as error:
            return Probe(ok=False, message=error.message)

    def _looked(self) -> Probe:
        """A look at each list. One dataset is also asked for by pyscicat's own call."""
        identity = self._session.identity()
        counts = {route.kind.value: found for route in ROUTES if (found := self._session.count(route.path)) is not None}
        records: list[AnyRecord] = []
        rejects: list[Reject] = []
        for route in ROUTES:
            for piece in self._lists.pages(route, "", min(self._page, SAMPLE), {}):
                good, bad = self._converted(route, piece)
                records += good
                rejects += bad
                break
        first = next((each.id for each in records if each.kind is ROUTES[-1].kind), None)
        if first is not None:
            self._session.single().datasets_get_one(first)
        return Probe(True, "The source answers.", "", identity, counts, tuple(records), tuple(rejects))

    def _server_time(self) -> datetime:
        return self._session.clock() or self._clock()

    def _persisting(self, course: Course, resume: Bookmark) -> Iterator[Step]:
        """The walk; where trust is lost it goes on from the last trusted place, a few times."""
        begin = Bookmark(
            {"started": course.started, "identity": course.identity, "route": 0, "after": "", "ids": False}
        )
        self._trusted = resume if resume.state else begin
        for attempt in range(1, ATTEMPTS + 1):
            try:
                yield from self._walked(course)
            except Distrusted:
                if attempt == ATTEMPTS:
                    raise
                self._confirm(course.identity)
            else:
                return

    def _walked(self, course: Course) -> Iterator[Step]:
        state = self._trusted.state
        begin = (bool(state.get("ids")), int(state.get("route") or 0))
        for names, number in course.stages():
            if (names, number) < begin:
                continue
            after = str(state.get("after") or "") if (names, number) == begin else ""
            place = {"started": course.started, "identity": course.identity, "route": number, "ids": names}
            route = ROUTES[number]
            pages = self._names(route, after) if names else self._records(route, after, course.cursor)
            yield from self._trusting(pages, place, course.identity)

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
        if not self._session.authenticated:
            return
        if self._session.identity() != identity:
            raise RetryLater(
                "Our user or groups at the source changed during the harvest; it goes on from the last trusted place."
            )
        self._session.renew_if_due()

    def _records(self, route: Route, after: str, cursor: str | None) -> Iterator[Step]:
        where = {"updatedAt": {"$gte": cursor}} if cursor and route.dated else {}
        for piece in self._lists.pages(route, after, self._page, where):
            records, rejects = self._converted(route, piece)
            place = Bookmark({"after": piece.reached})
            yield Step(records=records, rejects=rejects, bookmark=place, message=f"{route.kind.value}s")

    def _names(self, route: Route, after: str) -> Iterator[Step]:
        fields = tuple(dict.fromkeys([route.key, route.id, "updatedAt"]))
        for piece in self._lists.pages(route, after, IDS_PAGE, {}, fields):
            seen = tuple(
                (route.kind, id, revision(raw))
                for raw in piece.raws
                if isinstance(raw, Mapping) and (id := text(raw.get(route.id)) or text(raw.get("_id"))) is not None
            )
            place = Bookmark({"after": piece.reached})
            yield Step(seen=seen, bookmark=place, message=f"names of {route.kind.value}s")

    def _fetch(self, order: Order) -> Iterator[Step]:
        for route in ROUTES:
            for piece in self._lists.named(route, [id for kind, id in order.ids if kind is route.kind]):
                records, rejects = self._converted(route, piece)
                yield Step(records=records, rejects=rejects, message="late ones")

    def _converted(self, route: Route, piece: Slice) -> tuple[tuple[AnyRecord, ...], tuple[Reject, ...]]:
        if piece.too_large is not None:
            message = "The record is larger than a whole answer may be."
            refused = reject(self.place, route.kind, piece.too_large, "too-large", message, None)
            return converted([told(refused, piece.revision)])
        return converted(told(route.crosswalk(self.place, raw), revision(raw)) for raw in piece.raws)


def _zulu(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
