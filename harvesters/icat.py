"""This file is the harvester of icat.server 4.10 to 6.2 over REST (harvest-sources reference, section 2).

Plain entities by keyset, relations as columns, never INCLUDE. Incremental: what moved since the newest modTime of the last run less an
overlap longer than the longest write transaction, the parents of moved children, then a sweep of ids with revisions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from harvesters.arrival import briefly
from harvesters.converted import converted, told
from harvesters.http import PoliteSession
from harvesters.icat_assembly import Assembly, Entity, Shared
from harvesters.icat_clock import SUMMER, literal, newest, still_known, zone, zone_changed
from harvesters.icat_investigations import Investigations, Owner
from harvesters.icat_rows import Rows, Span, spans
from harvesters.icat_session import IcatSession, Version
from harvesters.icat_tables import DATASET, INVESTIGATION, ROOTS, SAMPLE, Root
from harvesters.ports import Clock, End, Order, Probe, Secrets, Step
from schema.activities import Bookmark, HarvestMode
from schema.crosswalks import icat, icat_publications
from schema.crosswalks.place import Place
from schema.errors import Misconfigured, RetryLater, StopHarvest
from schema.federation import Facility, Source
from schema.records import AnyRecord, Kind, Reject
from schema.techniques import Vocabulary, default
from schema.text import fold

OVERLAP = timedelta(minutes=15)
PAGE = 1_500
PROBED = 100
_OWNED = {SAMPLE.kind, DATASET.kind}


class Icat:
    """One ICAT source, opened."""

    def __init__(
        self, facility: Facility, source: Source, secrets: Secrets, clock: Clock, vocabulary: Vocabulary | None = None
    ) -> None:
        self._http = PoliteSession(source.url, private=source.allowPrivateAddress, rate=source.rate, clock=clock)
        self._session = IcatSession(self._http, source.login, secrets, clock)
        self._rows = Rows(self._session, source.pageSize or PAGE)
        self._clock = clock
        self._overlap = (source.overlap or OVERLAP) + SUMMER
        self._version: Version = ()
        self.place = Place(
            facility=facility.id,
            source=f"{facility.id}/{source.id}",
            vocabulary=vocabulary or default(),
            authenticated=self._session.authenticated,
            rule=facility.records,
            parameters={fold(name): standard for name, standard in source.parameters.items()},
        )
        self._owners = Investigations(self.place, self._investigations)

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
        since, here = order.since.state, zone(self._session, self._clock())
        shifted = zone_changed(since.get("zone"), here)
        identity = self._session.identity()
        same = not since or since.get("identity") == identity
        readable = self._readable()
        begun = order.resume.state
        goes_on = begun.get("identity") == identity and not zone_changed(begun.get("zone"), here)
        resume = order.resume if goes_on else Bookmark()
        reached = str(resume.state.get("newest") or newest(self._session, self._clock(), here))
        fixed = {"newest": reached, "identity": identity, "zone": still_known(since.get("zone"), here)}
        last = str(since.get("newest") or "")
        if order.mode is HarvestMode.INCREMENTAL and same and not shifted and last:
            yield from self._moved(last, resume)
            yield from self._sweep(resume, fixed)
        else:
            yield from self._everything(resume, fixed)
        if self._session.identity() != identity:
            raise RetryLater("Our user at the source changed during the harvest; it will be done again.")
        if zone_changed(here, zone(self._session, self._clock())):
            raise RetryLater("The server's time zone changed during the harvest; it will be done again.")
        readable &= self._readable()
        yield End(
            complete=same,
            kinds=tuple(sorted(readable)),
            next=Bookmark(fixed),
            warnings=tuple(self._warnings(readable, shifted=shifted, same=same)),
        )

    def probe(self) -> Probe:
        """As harvesters.ports.Harvester.probe."""
        self._http.patience = briefly(self._http.patience)
        try:
            return self._looked()
        except (RetryLater, StopHarvest, Misconfigured) as error:
            return Probe(ok=False, message=error.message)

    def _looked(self) -> Probe:
        self._open()
        identity = self._session.identity()
        counts: dict[str, int] = {}
        instruments = self._instruments()
        records, rejects = [*instruments.records], [*instruments.rejects]
        for root in self._roots():
            found = self._session.query(f"SELECT COUNT(x) FROM {root.entity} x")
            if found and isinstance(found[0], int):
                counts[root.kind.value] = found[0]
            page = next(self._rows.entities(root.entity, page=PROBED), [])
            if page:
                good, bad = self._records(root, page, Span(0, int(page[-1]["id"])))
                records += good
                rejects += bad
        version = ".".join(str(number) for number in self._version)
        return Probe(True, "The source answers.", version, identity, counts, tuple(records), tuple(rejects))

    def _open(self) -> None:
        self._version = self._session.version()
        self._session.read_properties()
        self._shared = Shared(self._rows, self._version)
        self._owners.forget()

    def _roots(self) -> tuple[Root, ...]:
        return tuple(root for root in ROOTS if self._version >= root.since)

    def _readable(self) -> set[Kind]:
        """The kinds that our account has a rule for at all. Without one, everything looks gone and no error is told."""
        tables = [(Kind.INSTRUMENT, "Instrument"), *((root.kind, root.entity) for root in self._roots())]
        return {kind for kind, entity in tables if self._rows.may_read(entity)}

    def _instruments(self) -> Step:
        """All instruments, each time: the table is small, and nobody tells of its changes."""
        rows = self._shared.table("Instrument").values()
        records, rejects = converted(icat.instrument(self.place, row) for row in rows)
        return Step(records=records, rejects=rejects, message="instruments")

    def _everything(self, resume: Bookmark, fixed: Mapping[str, object]) -> Iterator[Step]:
        yield self._instruments()
        begin, after = int(resume.state.get("root") or 0), int(resume.state.get("after") or 0)
        for number, root in enumerate(self._roots()):
            if number < begin:
                continue
            low = after if number == begin else 0
            for page in self._rows.entities(root.entity, after=low):
                high = int(page[-1]["id"])
                records, rejects = self._records(root, page, Span(low, high))
                place = Bookmark({**fixed, "root": number, "after": high})
                yield Step(records=records, rejects=rejects, bookmark=place, message=f"{root.kind.value}s")
                low = high

    def _moved(self, last: str, resume: Bookmark) -> Iterator[Step]:
        """What the server says has moved, and the parents of moved children; done already when a sweep is gone on with."""
        yield self._instruments()
        if "swept" in resume.state:
            return
        since = f"x.modTime >= {literal(last, self._overlap)}"
        for root in self._roots():
            ids = {int(row[0]) for page in self._rows.columns(root.entity, ["modTime"], since) for row in page}
            for child in root.children:
                if self._version >= child.since:
                    pages = self._rows.columns(child.entity, [f"{child.parent}.id"], since)
                    ids |= {int(row[1]) for page in pages for row in page}
            yield from self._by_ids(root, ids)

    def _sweep(self, resume: Bookmark, fixed: Mapping[str, object]) -> Iterator[Step]:
        """Every id with its revision, so that the line has fetched what moved without telling and removes what is gone."""
        begin, after = int(resume.state.get("sweep") or 0), int(resume.state.get("swept") or 0)
        for number, root in enumerate(self._roots()):
            if number < begin:
                continue
            low = after if number == begin else 0
            for page in self._rows.columns(root.entity, ["modTime"], after=low):
                modified = {int(row[0]): str(row[1]) for row in page}
                span = Span(low, max(modified))
                marks = {id: owner.mark for id, owner in self._owned(root, span).items()}
                found = Assembly(root, self._rows, self._shared, self._version).revisions(modified, span, marks)
                seen = tuple((root.kind, str(id), revision) for id, revision in found.items())
                place = Bookmark({**fixed, "sweep": number, "swept": span.high})
                yield Step(seen=seen, bookmark=place, message=f"names of {root.kind.value}s")
                low = span.high

    def _asked(self, ids: tuple[tuple[Kind, str], ...]) -> Iterator[Step]:
        for root in self._roots():
            yield from self._by_ids(root, (int(id) for kind, id in ids if kind is root.kind and id.isdecimal()))

    def _by_ids(self, root: Root, ids: Iterable[int]) -> Iterator[Step]:
        for span in spans(ids):
            entities = [row for page in self._rows.entities(root.entity, span.condition("x.id")) for row in page]
            records, rejects = self._records(root, entities, span)
            yield Step(records=records, rejects=rejects, message=f"{root.kind.value}s")

    def _records(self, root: Root, page: list[Entity], span: Span) -> tuple[tuple[AnyRecord, ...], tuple[Reject, ...]]:
        owners = self._owned(root, span)
        marks = {id: owner.mark for id, owner in owners.items()}
        nested = Assembly(root, self._rows, self._shared, self._version).nested(page, span, marks)
        if root is INVESTIGATION:
            self._owners.keep(nested)
        for row in nested:
            owner = owners.get(int(row["id"]))
            if owner is not None:
                row["investigation"] = owner.entity
        return converted(told(self._record(root, row), str(row["revision"])) for row in nested)

    def _record(self, root: Root, row: Entity) -> AnyRecord | Reject:
        if root.kind is Kind.PUBLICATION:
            return icat_publications.publication(self.place, row)
        return icat.record(self.place, root.kind, row)

    def _owned(self, root: Root, span: Span) -> dict[int, Owner]:
        """The investigation of each dataset or sample, which decides who sees it."""
        if root.kind not in _OWNED:
            return {}
        links = self._rows.link(root.entity, "investigation", span)
        owners = self._owners.of(links.values())
        return {id: owners[owner] for id, owner in links.items() if owner in owners}

    def _investigations(self, ids: list[int]) -> Iterator[Entity]:
        for span in spans(ids):
            rows = [row for page in self._rows.entities(INVESTIGATION.entity, span.condition("x.id")) for row in page]
            yield from Assembly(INVESTIGATION, self._rows, self._shared, self._version).nested(rows, span)

    def _warnings(self, readable: set[Kind], *, shifted: bool, same: bool) -> Iterator[str]:
        if shifted:
            yield "The server's time zone changed: every time shifted, so everything was harvested again. Please check the server."
        if not same:
            yield "We are somebody else at the source than last time; nothing is removed in this harvest."
        for kind in sorted({Kind.INSTRUMENT, *(root.kind for root in self._roots())} - readable):
            yield f"Our account has no right to read any {kind.value}; what we have of them is kept."
        for name, missing in sorted(self._rows.vanished.items()):
            yield f"{missing} rows of {name} lead to something our account may not read."
