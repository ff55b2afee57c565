"""This file is the harvester of icat.server 4.10 to 6.2 over REST (harvest-sources reference, section 2).

Plain entities by keyset, relations as columns, never INCLUDE. Incremental: what moved since the newest modTime of the last run less an
overlap longer than the longest write transaction, the parents of moved children, then a sweep of ids with revisions.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from harvesters.http import PoliteSession
from harvesters.icat_assembly import Assembly, Entity, Shared
from harvesters.icat_clock import SUMMER, anchor, literal, newest, zone_changed
from harvesters.icat_rows import Rows, Span
from harvesters.icat_session import IcatSession, Version
from harvesters.icat_tables import DATASET, INVESTIGATION, ROOTS, SAMPLE, Root
from harvesters.ports import Clock, End, Order, Probe, Secrets, Step
from schema.activities import Bookmark, HarvestMode
from schema.crosswalks import icat, icat_publications
from schema.crosswalks.place import Place
from schema.errors import RetryLater, StopHarvest
from schema.federation import Facility, Source
from schema.records import AnyRecord, Kind, Reject
from schema.techniques import default
from schema.text import fold

OVERLAP = timedelta(minutes=15)
PAGE = 1_500
AT_ONCE = 100
_OWNED = {SAMPLE.kind, DATASET.kind}


class Icat:
    """One ICAT source, opened."""

    def __init__(self, facility: Facility, source: Source, secrets: Secrets, clock: Clock) -> None:
        self._http = PoliteSession(source.url, private=source.allowPrivateAddress, rate=source.rate, clock=clock)
        self._session = IcatSession(self._http, source.login, secrets, clock)
        self._rows = Rows(self._session, source.pageSize or PAGE)
        self._clock = clock
        self._overlap = (source.overlap or OVERLAP) + SUMMER
        self._investigations: dict[int, Entity] = {}
        self._version: Version = ()
        self.place = Place(
            facility=facility.id,
            source=f"{facility.id}/{source.id}",
            vocabulary=default(),
            authenticated=self._session.authenticated,
            rule=facility.records,
            parameters={fold(name): standard for name, standard in source.parameters.items()},
        )

    def close(self) -> None:
        """Log out and let go of the connection."""
        self._session.close()
        self._http.close()

    def walk(self, order: Order) -> Iterator[Step | End]:
        """As harvesters.ports.Harvester.walk."""
        self._open()
        if order.ids:
            yield from self._asked(order.ids)
            yield End(complete=False, kinds=(), next=Bookmark())
            return
        since, here = order.since.state, anchor(self._session)
        shifted = zone_changed(since.get("anchor"), here)
        identity = self._session.identity()
        same = since.get("identity") == identity or not since
        reached = order.resume.state.get("newest") or newest(self._session, self._clock(), str(here[1]) if here else "")
        last = str(since.get("newest") or "")
        if order.mode is HarvestMode.INCREMENTAL and same and not shifted and last:
            yield from self._moved(last)
            yield from self._sweep()
        else:
            yield from self._everything(order.resume, str(reached))
        if self._session.identity() != identity:
            raise RetryLater("Our user at the source changed during the harvest; it will be done again.")
        yield End(
            complete=same,
            kinds=(Kind.INSTRUMENT, *(root.kind for root in self._roots())),
            next=Bookmark({"newest": reached, "anchor": here, "identity": identity}),
            warnings=tuple(self._warnings(shifted=shifted, same=same)),
        )

    def probe(self) -> Probe:
        """As harvesters.ports.Harvester.probe."""
        try:
            self._open()
            identity = self._session.identity()
            counts = {
                root.kind.value: int(rows[0])
                for root in self._roots()
                if (rows := self._session.query(f"SELECT COUNT(x) FROM {root.entity} x")) and isinstance(rows[0], int)
            }
            page = next(self._rows.entities(DATASET.entity, page=20), [])
            steps = self._records(DATASET, page, Span(0, int(page[-1]["id"]))) if page else ((), ())
        except (RetryLater, StopHarvest) as error:
            return Probe(ok=False, message=error.message)
        version = ".".join(str(number) for number in self._version)
        return Probe(True, "The source answers.", version, identity, counts, sample=steps[0], rejects=steps[1])

    def _open(self) -> None:
        self._version = self._session.version()
        self._session.read_properties()
        self._shared = Shared(self._rows, self._version)

    def _roots(self) -> tuple[Root, ...]:
        return tuple(root for root in ROOTS if self._version >= root.since)

    def _instruments(self) -> Step:
        """All instruments, each time: the table is small, and nobody tells of its changes."""
        made = [icat.instrument(self.place, row) for row in self._shared.table("Instrument").values()]
        return _step(made, "instruments", Bookmark())

    def _everything(self, resume: Bookmark, reached: str) -> Iterator[Step]:
        yield self._instruments()
        begin, after = int(resume.state.get("root") or 0), int(resume.state.get("after") or 0)
        for number, root in enumerate(self._roots()):
            if number < begin:
                continue
            low = after if number == begin else 0
            for page in self._rows.entities(root.entity, after=low):
                high = int(page[-1]["id"])
                records, rejects = self._records(root, page, Span(low, high))
                place = Bookmark({"root": number, "after": high, "newest": reached})
                yield Step(records=records, rejects=rejects, bookmark=place, message=f"{root.kind.value}s")
                low = high

    def _moved(self, last: str) -> Iterator[Step]:
        """What the server says has moved, and the parents of moved children."""
        yield self._instruments()
        since = f"x.modTime >= {literal(last, self._overlap)}"
        for root in self._roots():
            ids = {int(row[0]) for page in self._rows.columns(root.entity, ["modTime"], since) for row in page}
            for child in root.children:
                if self._version >= child.since:
                    pages = self._rows.columns(child.entity, [f"{child.parent}.id"], since)
                    ids |= {int(row[1]) for page in pages for row in page}
            yield from self._by_ids(root, sorted(ids))

    def _sweep(self) -> Iterator[Step]:
        """Every id with its revision, so that the line has fetched what moved without telling and removes what is gone."""
        for root in self._roots():
            low = 0
            for page in self._rows.columns(root.entity, ["modTime"]):
                modified = {int(row[0]): str(row[1]) for row in page}
                span = Span(low, max(modified))
                extra = self._extra(root, span)
                found = Assembly(root, self._rows, self._shared, self._version).revisions(modified, span, extra)
                seen = tuple((root.kind, str(id), revision) for id, revision in found.items())
                yield Step(seen=seen, message=f"names of {root.kind.value}s")
                low = span.high

    def _asked(self, ids: tuple[tuple[Kind, str], ...]) -> Iterator[Step]:
        for root in self._roots():
            yield from self._by_ids(root, sorted(int(id) for kind, id in ids if kind is root.kind and id.isdigit()))

    def _by_ids(self, root: Root, ids: list[int]) -> Iterator[Step]:
        for start in range(0, len(ids), AT_ONCE):
            span = Span(ids=tuple(ids[start : start + AT_ONCE]))
            entities = [row for page in self._rows.entities(root.entity, span.condition("x.id")) for row in page]
            records, rejects = self._records(root, entities, span)
            yield Step(records=records, rejects=rejects, message=f"{root.kind.value}s")

    def _records(self, root: Root, page: list[Entity], span: Span) -> tuple[tuple[AnyRecord, ...], tuple[Reject, ...]]:
        nested = Assembly(root, self._rows, self._shared, self._version).nested(page, span, self._extra(root, span))
        if root is INVESTIGATION:
            self._investigations.update({int(row["id"]): row for row in nested})
        for row in nested:
            if root.kind in _OWNED and isinstance(row.get("investigation"), dict):
                row["investigation"] = self._investigations.get(int(row["investigation"]["id"]), row["investigation"])
        made = [self._record(root, row) for row in nested]
        return tuple(each for each in made if not isinstance(each, Reject)), tuple(
            each for each in made if isinstance(each, Reject)
        )

    def _record(self, root: Root, row: Entity) -> AnyRecord | Reject:
        if root.kind is Kind.PUBLICATION:
            return icat_publications.publication(self.place, row)
        return icat.record(self.place, root.kind, row)

    def _extra(self, root: Root, span: Span) -> dict[int, object]:
        """What the revision of a dataset or sample owes to its investigation, which decides who sees it."""
        if root.kind not in _OWNED:
            return {}
        owners = self._rows.link(root.entity, "investigation", span)
        missing = sorted(set(owners.values()) - set(self._investigations))
        for start in range(0, len(missing), AT_ONCE):
            some = Span(ids=tuple(missing[start : start + AT_ONCE]))
            rows = [row for page in self._rows.entities(INVESTIGATION.entity, some.condition("x.id")) for row in page]
            nested = Assembly(INVESTIGATION, self._rows, self._shared, self._version).nested(rows, some)
            self._investigations.update({int(row["id"]): row for row in nested})
        return {id: self._shown(self._investigations.get(owner)) for id, owner in owners.items()}

    def _shown(self, investigation: Entity | None) -> object:
        """As much of an investigation as its datasets show or obey; its own modTime moves with every new dataset and is left out."""
        if investigation is None:
            return None
        found = icat.investigation(self.place, investigation)
        if isinstance(found, Reject):
            return None
        people = [[person.name, person.orcid, person.role, person.affiliation] for person in found.people]
        seen = [found.visibility.groups, investigation.get("releaseDate")]
        return [seen, people, found.keywords, [[each.id, each.name] for each in found.instruments]]

    def _warnings(self, *, shifted: bool, same: bool) -> Iterator[str]:
        if shifted:
            yield "The server's time zone changed: every time shifted, so everything was harvested again. Please check the server."
        if not same:
            yield "We are somebody else at the source than last time; nothing is removed in this harvest."
        for name, missing in sorted(self._rows.vanished.items()):
            yield f"{missing} rows of {name} lead to something our account may not read."


def _step(made: list[Any], message: str, bookmark: Bookmark) -> Step:
    records = tuple(each for each in made if not isinstance(each, Reject))
    rejects = tuple(each for each in made if isinstance(each, Reject))
    return Step(records=records, rejects=rejects, bookmark=bookmark, message=message)
