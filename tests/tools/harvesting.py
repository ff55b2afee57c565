"""A source harvested into a truth in a temporary file, in this process, without pauses; and what came of it, to compare."""

from collections.abc import Callable, Generator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import truths
from msgspec.structs import replace

from catalogue.ports import Harvest
from demo.scicat.store import Store
from harvesters.arrival import Patience
from harvesters.harvest import harvest
from harvesters.ports import End, Order, Step
from harvesters.registry import KINDS
from schema.activities import HarvestMode, HarvestState
from schema.federation import Facility, Source
from schema.records import Kind, encode

LOGIN = {"username": "ingestor", "password": "PASSWORD"}
FULL, INCREMENTAL = HarvestMode.FULL, HarvestMode.INCREMENTAL
QUICK = Patience(tries=3, base_s=0.001, cap_s=0.002, first_byte_s=5, total_s=20)
Dump = dict[tuple[str, str], bytes]


class Given:
    """Secrets by name."""

    def __init__(self, **values: str) -> None:
        self.values = values

    def secret(self, name: str) -> str:
        return self.values[name]


class Site:
    """A source of a facility, and the truth it is harvested into. `clock` is the harvester's own; `call` another way to the source than
    by sockets (inprocess.py)."""

    def __init__(
        self,
        kind: str,
        url: str,
        folder: Path,
        login: dict[str, str] | None = None,
        world: truths.World | None = None,
        **more: Any,
    ) -> None:
        self.facility = Facility(id="home", name="Home")
        fields = {"id": "one", "kind": kind, "url": url, "rate": None, "allowPrivateAddress": True, "login": login}
        self.source = Source(**fields | more)
        self.secrets = Given(PASSWORD="")
        self.clock: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.patience = QUICK
        self.folder = folder
        self.orders: list[Order] = []
        self.between: Callable[[Step | End], None] = lambda _step: None
        self.call: Any = None
        self.world = world or truths.World(folder / "truth.db")

    @property
    def name(self) -> str:
        return f"{self.facility.id}/{self.source.id}"

    def opened(self) -> Any:
        """The harvester, impatient."""
        made = KINDS[self.source.kind](self.facility, self.source, self.secrets, self.clock)
        made._http.patience = self.patience  # type: ignore[attr-defined]
        if self.call is not None:
            made._http._call = self.call  # type: ignore[attr-defined]
        return made

    def walk(self, order: Order) -> Generator[Step | End, None, None]:
        """What the child would do, here; `between` is called after each step."""
        self.orders.append(order)
        with closing(self.opened()) as harvester:
            for step in harvester.walk(order):
                yield step
                self.between(step)

    def harvest(self, mode: HarvestMode = FULL, walk: Any = None) -> Harvest:
        """One harvest, whatever comes of it."""
        run = harvest(self.name, mode, walk or self.walk, self.world.harvests, "test")
        assert run is not None
        return run

    def done(self, mode: HarvestMode = FULL) -> Harvest:
        """One harvest, which must be done."""
        run = self.harvest(mode)
        assert run.state is HarvestState.DONE, run.message
        return run

    def dump(self) -> Dump:
        """Every live document by kind and pid, without what only says how it came here."""
        self.world.ripen()
        found = self.world.records.walk()
        return {
            (each.record.kind.value, each.record.pid): encode(replace(each.record, revision=None)) for each in found
        }

    def ids(self, kind: Kind) -> set[str]:
        """The ids of the live records of a kind."""
        return {each.record.id for each in self.world.records.walk(kind)}

    def fresh(self, name: str) -> "Site":
        """The same source with an empty truth."""
        folder = self.folder / name
        folder.mkdir()
        other = Site.__new__(Site)
        other.__dict__.update(self.__dict__ | {"folder": folder, "orders": [], "between": lambda _step: None})
        other.world = truths.World(folder / "truth.db")
        return other


class SciCatSite(Site):
    """A SciCat stand-in and a truth."""

    def __init__(self, store: Store, url: str, folder: Path, *, login: bool = True) -> None:
        super().__init__("scicat", f"{url}/api/v3", folder, LOGIN if login else None, pageSize=7)
        self.secrets.values["PASSWORD"] = "harvest-secret"
        self.store = store


def differences(one: Dump, other: Dump) -> dict[Any, tuple[bytes | None, bytes | None]]:
    """What is not the same in two dumps."""
    return {key: (one.get(key), other.get(key)) for key in one.keys() | other.keys() if one.get(key) != other.get(key)}
