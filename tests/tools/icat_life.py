"""What can happen at an ICAT: this file is the acts of random histories, on the stand-in with its zone, clock, sessions and restarts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import truths
from harvesting import Site
from histories import Name, Time

from demo.icat.content import fill
from demo.icat.errors import Refusal
from demo.icat.moments import digits
from demo.icat.rows import Row
from demo.icat.server import app
from demo.icat.store import Store
from demo.icat.transactions import Transaction
from harvesters import icat_rows
from schema.records import Kind

VERSIONS = ("6.2.0", "6.0.1", "5.0.1", "4.10.0", "6.2.0")
ZONES = ("Europe/Berlin", "UTC", "Europe/London", "America/New_York", "Asia/Tokyo")
SIZES = (2, 4, 8, 15, 30, 30)
TABLES = {
    "Instrument": Kind.INSTRUMENT,
    "Investigation": Kind.INVESTIGATION,
    "Sample": Kind.SAMPLE,
    "Dataset": Kind.DATASET,
    "DataPublication": Kind.PUBLICATION,
}
WEIGHTS = {
    "create": 6,
    "change": 8,
    "investigation": 5,
    "delete": 5,
    "delete cascade": 3,
    "visibility": 6,
    "group": 5,
    "owner": 4,
    "child": 5,
    "child deleted": 4,
    "shared": 4,
    "doi": 4,
    "foreign doi": 2,
    "late commit": 6,
    "late commit ends": 4,
    "late import": 5,
    "id reuse": 4,
    "ties": 4,
    "publication": 3,
    "zone": 3,
    "sessions lost": 2,
}


class IcatLife:
    """An icat.server 4.10 to 6.2 that is read by a reader of everything, or by anybody."""

    def __init__(self, setup: int, time: Time) -> None:
        self.version = VERSIONS[setup % 5]
        self.anonymous = setup // 5 % 3 == 0
        self._size = SIZES[setup // 15 % 6]
        self.time = time
        self.off = timedelta()
        entities = (10_000, 10_000, 10_000, 60)[setup // 90 % 4]
        self.store = Store(
            now=lambda: time() + self.off, version=self.version, zone=ZONES[setup // 360 % 5], max_entities=entities
        )
        self.app = app(self.store)
        fill(self.store, seed=1 + setup % 3, datasets=8)
        self.store.update("Investigation", 1, releaseDate="2020-01-01T00:00:00+00:00")
        self._open: list[Transaction] = []
        self._acts: dict[str, Callable[[int], Any]] = {
            "create": self._create,
            "change": lambda n: self.store.update("Dataset", self._row("Dataset", n), description=f"changed {n}"),
            "investigation": lambda n: self._change("Investigation", n, title=f"Title {n}", summary=f"Summary {n}"),
            "delete": lambda n: self.store.delete("Dataset", self._row("Dataset", n)),
            "delete cascade": lambda n: self._delete(("Sample", "Investigation")[n % 2], n // 2),
            "visibility": self._visibility,
            "group": self._group,
            "owner": lambda n: self._change(
                "Dataset", n, investigation=self._row("Investigation", n // 7), sample=None
            ),
            "child": self._child,
            "child deleted": lambda n: self._delete(
                ("DatasetParameter", "Keyword", "InvestigationUser")[n % 3], n // 3
            ),
            "shared": self._shared,
            "doi": lambda n: self._change("Dataset", n, doi=("10.82002/same", f"10.82002/{n}", None)[n // 97 % 3]),
            "foreign doi": lambda n: self._change("Dataset", n, doi=f"10.9999/{n % 3}"),
            "late commit": self._late,
            "late commit ends": lambda _n: self._commit(),
            "late import": self._import,
            "id reuse": self._reuse,
            "ties": self._ties,
            "publication": self._publication,
            "zone": lambda n: self.store.restart(zone=ZONES[n % 5]),
            "sessions lost": lambda _n: self.store.sessions.open.clear(),
        }
        self.acts: dict[str, Callable[[int], None]] = {name: self._allowed(act) for name, act in self._acts.items()}

    def site(self, folder: Path, world: truths.World) -> Site:
        """As histories.Life."""
        login = None if self.anonymous else {"plugin": "db", "username": "reader", "password": "PASSWORD"}
        made = Site("icat", "http://127.0.0.1:1/icat", folder, login, world, pageSize=self._size)
        made.secrets.values["PASSWORD"] = "reader-secret"
        return made

    def present(self) -> dict[Name, datetime | None]:
        """As histories.Life."""
        return {
            (kind, str(row.id)): datetime.fromisoformat(self.store.rendered[row.modTime])
            for entity, kind in TABLES.items()
            for row in (self.store.tables[entity].rows.values() if entity in self.store.tables else ())
            if self._readable(entity, row)
        }

    def skew(self, hours: int) -> None:
        """As histories.Life."""
        self.off = timedelta(hours=hours)

    def restart(self, number: int) -> None:
        """Sessions stay; the container answers HTML for a while; every fourth comes back in another zone."""
        zone = ZONES[number // 4 % 5] if number % 4 == 0 else None
        self.store.restart(zone=zone, html_404s=number // 20 % 3)
        if number % 3 == 0:
            self.store.sessions.expire_all()

    def tells_ties(self) -> bool:
        """Not while the clock is behind what it wrote before: an ICAT tells no time but that of its rows, so a row that is changed twice
        within a second, and read in between, has moved for nobody (a full harvest finds it)."""
        newest = max(
            row.modTime for entity in TABLES if entity in self.store.tables for row in self.store.tables[entity].all()
        )
        return newest <= self.store.moment()

    def patches(self) -> Iterable[tuple[Any, str, int]]:
        """As histories.Life."""
        return ((icat_rows, "AT_ONCE", 7),)

    def calm(self) -> None:
        """As histories.Life."""
        self.store.faults = type(self.store.faults)()
        while self._open:
            with suppress(Refusal):
                self._commit()

    def _allowed(self, act: Callable[[int], Any]) -> Callable[[int], None]:
        """The act; what the server refuses (a twin, a parent that is gone) does not happen."""

        def tried(number: int) -> None:
            with suppress(Refusal):
                act(number)

        return tried

    def _readable(self, entity: str, row: Row) -> bool:
        if not self.anonymous or entity in ("Instrument", "DataPublication"):
            return True
        if entity == "Sample":
            return False
        release = (row.investigation if entity == "Dataset" else row).releaseDate
        now = self.store.now().astimezone(UTC).replace(tzinfo=None)
        return release is not None and release < now

    def _row(self, entity: str, number: int) -> int:
        ids = self.store.tables[entity].ids if entity in self.store.tables else []
        return ids[number % len(ids)] if ids else 0

    def _change(self, entity: str, number: int, **fields: Any) -> None:
        self.store.update(entity, self._row(entity, number), **fields)

    def _delete(self, entity: str, number: int) -> None:
        if self.store.tables.get(entity):
            self.store.delete(entity, self._row(entity, number))

    def _new(self, number: int) -> dict[str, Any]:
        name = f"new {self.time.moments} {number}"
        return {"name": name, "complete": True, "investigation": self._row("Investigation", number), "type": 1}

    def _create(self, number: int) -> None:
        start = datetime(2026, 1 + number % 12, 3, 12)
        self.store.create("Dataset", **self._new(number), startDate=start, sample=self._row("Sample", number) or None)

    def _visibility(self, number: int) -> None:
        """An embargo that is over, that ends soon, that ends late, or no word of it."""
        days = (-400, 3, 30, None)[number % 4]
        release = None if days is None else self.store.now() + timedelta(days=days)
        self._change("Investigation", number // 4, releaseDate=release)

    def _group(self, number: int) -> None:
        """A person or a group comes to an investigation, by REST or behind its back."""
        create = (self.store.create, self.store.soap_create)[number % 2]
        investigation = self._row("Investigation", number // 2)
        if number // 8 % 2:
            create(
                "InvestigationUser", role=f"r{number % 9}", user=self._row("User", number), investigation=investigation
            )
        else:
            grouping = self.store.create("Grouping", name=f"group {self.time.moments}")
            create("InvestigationGroup", role="team", grouping=grouping, investigation=investigation)

    def _child(self, number: int) -> None:
        """A parameter or a keyword that does not move its parent's time."""
        if number % 2:
            self.store.soap_create(
                "Keyword", name=f"word {number}", investigation=self._row("Investigation", number // 2)
            )
        else:
            row = self._row("DatasetParameter", number // 2)
            self.store.soap_update("DatasetParameter", row, rangeTop=float(number))

    def _shared(self, number: int) -> None:
        """What many point to."""
        entity, name = (
            ("User", "fullName"),
            ("Instrument", "fullName"),
            ("ParameterType", "description"),
            ("SampleType", "molecularFormula"),
            ("InvestigationType", "description"),
        )[number % 5]
        self.store.soap_update(entity, self._row(entity, number // 5), **{name: f"shared {number}"})

    def _late(self, number: int) -> None:
        """A long transaction begins: its rows have ids and times, and are seen when it ends."""
        transaction = Transaction(self.store, "simple/root")
        transaction.create("Dataset", **self._new(number))
        if number % 2:
            transaction.create("Keyword", name=f"late {number}", investigation=self._row("Investigation", number))
        self._open.append(transaction)

    def _commit(self) -> None:
        if self._open:
            self._open.pop(0).commit()

    def _import(self, number: int) -> None:
        """Root brings rows with times of long ago."""
        born = digits(self.store.now() - timedelta(hours=1 + number % 9_000), self.store.rendered.zone)
        self.store.load("Dataset", **self._new(number), createTime=born, modTime=born)

    def _reuse(self, number: int) -> None:
        """A row is gone and another has its id, as after an import of a dump."""
        old = self._row("Dataset", number)
        new = self._new(number)
        self.store.delete("Dataset", old)
        with suppress(Refusal):
            born = digits(self.store.now() - timedelta(hours=number % 9_000), self.store.rendered.zone)
            self.store.load("Dataset", id=old, **new, createTime=born, modTime=born)

    def _ties(self, number: int) -> None:
        """Several rows changed within the same second."""
        with ExitStack() as stack:
            stack.enter_context(suppress(Refusal))
            for more in range(4):
                self._change("Dataset", number + more, description=f"tied {number}")
            self._change("Investigation", number, summary=f"tied {number}")

    def _publication(self, number: int) -> None:
        if "DataPublication" not in self.store.tables:
            return
        if number % 3:
            self._change("DataPublication", number // 3, title=f"Published {number}")
        elif number % 2:
            self._delete("DataPublication", number // 6)
        else:
            row = self._row("DataPublicationUser", number // 6)
            self.store.soap_update("DataPublicationUser", row, fullName=f"Author {number}")
