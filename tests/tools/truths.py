"""A truth in a temporary SQLite file, with a clock that only moves when told, and records to put into it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from catalogue.assembly import Order
from catalogue.database import At, Database, nothing, open_database
from catalogue.harvests import Harvests
from catalogue.intake import Rules
from catalogue.ports import Harvest, Lease, Page
from catalogue.records import Records
from schema.activities import HarvestMode, HarvestState
from schema.records import AnyRecord, Dataset, Instrument, InstrumentPart, Investigation, InvestigationPart, Kind

SOURCE = "ill/scicat"


def changed(truth: Records, after: int, limit: int) -> list[tuple[int, Kind, str]]:
    """The news without the documents."""
    return [(entry.version, entry.kind, entry.pid) for entry in truth.news(after, limit)]


@dataclass
class Clock:
    """A time that stands still until told."""

    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Death:
    """A process that dies when it comes to the named point; "": it lives."""

    point: str = ""

    def __call__(self, name: str) -> None:
        if name == self.point:
            raise KeyboardInterrupt


@dataclass
class World:
    """A database with everything on it."""

    path: Path
    order: Mapping[str, Sequence[str]] = field(default_factory=dict)
    prefixes: Mapping[str, Sequence[str]] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    at: At = nothing
    url: str = ""

    def __post_init__(self) -> None:
        url = self.url or f"sqlite:///{self.path}"
        self.database: Database = open_database(url, clock=self.clock, at=self.at)
        order = Order(self.order)
        self.harvests = Harvests(self.database, Rules(order, self.prefixes))
        self.records = Records(self.database, order)

    def harvest(
        self,
        *pages: Page,
        source: str = SOURCE,
        mode: HarvestMode = HarvestMode.INCREMENTAL,
        sweep: Sequence[Any] = (),
    ) -> Harvest:
        """A whole harvest of those pages."""
        lease = self.lease(source)
        harvest = self.harvests.begin(lease, source, mode)
        for page in pages:
            harvest = self.harvests.commit(lease, harvest, page)
        while sweep and self.harvests.sweep(lease, harvest, sweep):
            pass
        return self.harvests.close(lease, harvest, HarvestState.DONE, "", None)

    def put(self, *records: AnyRecord) -> Harvest:
        """A harvest of one page."""
        return self.harvest(Page(records=records), source=records[0].source)

    def lease(self, name: str = SOURCE, owner: str = "test") -> Lease:
        lease = self.harvests.acquire(name, owner, 60)
        assert lease is not None
        return lease

    def ripen(self) -> None:
        """All owed work."""
        while self.records.ripen():
            pass


def dataset(id: str, source: str = SOURCE, **more: Any) -> Dataset:
    """A dataset of that id."""
    facility = source.split("/", maxsplit=1)[0]
    fields = {"title": f"Dataset {id}", "pid": f"{facility}/dataset/{id}"} | more
    return Dataset(source=source, id=id, facility=facility, **fields)


def investigation(id: str, source: str = SOURCE, **more: Any) -> Investigation:
    """An investigation of that id."""
    facility = source.split("/", maxsplit=1)[0]
    fields = {"title": f"Investigation {id}", "pid": f"{facility}/investigation/{id}"} | more
    return Investigation(source=source, id=id, facility=facility, **fields)


def instrument(id: str, source: str = SOURCE, **more: Any) -> Instrument:
    """An instrument of that id."""
    facility = source.split("/", maxsplit=1)[0]
    fields = {"name": f"Instrument {id}", "pid": f"{facility}/instrument/{id}"} | more
    return Instrument(source=source, id=id, facility=facility, **fields)


def at_instrument(id: str) -> tuple[InstrumentPart, ...]:
    """The parts of a dataset made with one instrument."""
    return (InstrumentPart(id=id),)


def in_investigation(id: str) -> InvestigationPart:
    """The part of a dataset that belongs to an investigation."""
    return InvestigationPart(id=id)
