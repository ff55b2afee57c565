"""Two small facilities and a hub on the loopback, and a federation file that names them: this file is what the whole-house tests live in.

The stand-ins are the demo's (SciCat 5.2, ICAT 6.2.0), the hub is tests/doubles/jupyterhub.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from doubles import jupyterhub
from waiting import until

from demo.icat import content
from demo.icat import server as icat_server
from demo.icat.store import Store as IcatStore
from demo.scicat import freya
from demo.scicat import server as scicat_server
from demo.scicat.engine import Page
from demo.scicat.store import INGESTOR
from demo.scicat.store import Store as ScicatStore

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SOURCES = ("freya/scicat", "skadi/icat")
SECRETS = {
    "SCICAT_PASSWORD": INGESTOR.password,
    "ICAT_PASSWORD": "reader-secret",
    "HUB_TOKEN": jupyterhub.Hub().token,
    "PANGATE_SECRET": "s" * 48,
}

_FILE = """
facilities:
  - id: freya
    name: Freya Light Source
    shortName: Freya
    url: https://freya.example.org
    prefixes: ["20.500.99001", "10.82001"]
    groups:
      - {{ claim: groups, pattern: 'freya-(staff|p-\\d{{4}}-\\d{{3}})', group: '\\1' }}
    sources:
      - {{ id: scicat, kind: scicat, url: '{scicat}/api/v3', login: {{ username: ingestor, password: SCICAT_PASSWORD }},
          interval: 1 h, full: 7 d, rate: null, allowPrivateAddress: true, pageSize: {page} }}
    triggers:
      - &hub
        id: hub
        kind: jupyterhub
        name: Freya's JupyterHub
        url: {hub}
        login: {{ token: HUB_TOKEN }}
        delegation: service
        user: preferred_username
        procedures: [{{ id: inspect, name: Look inside, default: true }}, {{ id: plot, name: First plot }}]
        environments: [{{ id: python, name: Python, default: true }}]
        limits: {{ lifetime: 4 h, start: 2 h, open: 5, daily: 50, concurrent: 5 }}
        allowPrivateAddress: true
  - id: skadi
    name: Skadi Neutron Source
    shortName: Skadi
    url: https://skadi.example.org
    prefixes: ["10.82002"]
    groups:
      - {{ claim: groups, pattern: 'skadi-(staff)', group: '\\1' }}
    sources:
      - {{ id: icat, kind: icat, url: '{icat}', login: {{ plugin: db, username: reader, password: ICAT_PASSWORD }},
          interval: 1 h, full: 7 d, rate: null, allowPrivateAddress: true, pageSize: {page} }}
    triggers:
      - {{ <<: *hub, name: Skadi's JupyterHub }}
"""


def federation_file(folder: Path, addresses: Mapping[str, str], page: int = 25) -> Path:
    """Write a federation file that names these addresses (scicat, icat, hub); its place."""
    path = folder / "federation.yaml"
    path.write_text(_FILE.format(**addresses, page=page), encoding="utf-8")
    return path


@dataclass
class StillTime:
    """A time that moves only when told."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now


@dataclass
class SmallFederation:
    """The running stand-ins; tests reach into their stores."""

    scicat: ScicatStore
    icat: IcatStore
    hub: jupyterhub.Hub
    time: StillTime | None
    addresses: dict[str, str] = field(default_factory=dict)

    def file(self, folder: Path, page: int = 25) -> Path:
        """Write the federation file; its place."""
        return federation_file(folder, self.addresses, page)

    @contextmanager
    def in_the_middle(
        self, wake: Callable[[], None], pages: Callable[[str], int], least: int = 2, sources: Sequence[str] = SOURCES
    ) -> Iterator[None]:
        """While it lasts the harvests of these sources that `wake` begins have `least` pages committed, and do not come to their end,
        however late one looks: from then on each answer takes seconds."""
        self._answers_take(0.1, *SOURCES)
        try:
            wake()
            until(lambda: {self._held(source, pages(source) >= least) for source in sources} == {True})
            yield
        finally:
            self._answers_take(0.0, *SOURCES)

    def _held(self, source: str, enough: bool) -> bool:
        if enough:
            self._answers_take(3.0, source)
        return enough

    def _answers_take(self, seconds: float, *sources: str) -> None:
        if SOURCES[0] in sources:
            self.scicat.latency = seconds
        if SOURCES[1] in sources:
            self.icat.costs.query = seconds

    def live_on(self) -> None:
        """What happens at both facilities in an hour: new, changed, renamed, published, hidden and deleted things."""
        if self.time is not None:
            self.time.now += timedelta(hours=1)
        self._live_on_at_freya()
        self._live_on_at_skadi()

    def _live_on_at_freya(self) -> None:
        datasets = sorted(doc["pid"] for doc in self.scicat.engine.find("Dataset", {}, _everything()))
        for number, pid in enumerate(datasets[:20]):
            if number % 5 == 0:
                self.scicat.delete_dataset(pid)
            else:
                changes = (
                    {},
                    {"datasetName": f"Renamed {number}"},
                    {"isPublished": number < 10},
                    {"keywords": ["crash", str(number)]},
                    {"accessGroups": ["nobody"], "isPublished": False},
                )
                self.scicat.put_dataset(pid=pid, **changes[number % 5])
        for number in range(6):
            new = {"datasetName": f"New {number}", "isPublished": number % 2 == 0, "proposalId": "none"}
            self.scicat.put_dataset(pid=f"{freya.PREFIX}/new-{number}", **new)
        for doc in list(self.scicat.engine.find("Instrument", {}, _everything()))[:2]:
            self.scicat.put_instrument(pid=doc["pid"], name=f"{doc['name']} upgraded")

    def _live_on_at_skadi(self) -> None:
        rows = sorted(self.icat.table("Dataset").rows)
        for number, row in enumerate(rows[:15]):
            if number % 5 == 0:
                self.icat.delete("Dataset", row)
            else:
                self.icat.update("Dataset", row, description=f"Looked at again {number}")
        investigations = sorted(self.icat.table("Investigation").rows)
        self.icat.update("Investigation", investigations[1], title="Another title of the same")
        self.icat.update("Investigation", investigations[-1], releaseDate=NOON - timedelta(days=1))
        self.icat.update("Instrument", min(self.icat.table("Instrument").rows), fullName="Renamed instrument")


def _publish_half(scicat: ScicatStore, icat: IcatStore) -> None:
    """In a world this small everything is under embargo: that of every other record ends."""
    for pid in sorted(doc["pid"] for doc in scicat.engine.find("Dataset", {}, _everything()))[::2]:
        scicat.edit_database(pid, isPublished=True)
    for row in sorted(icat.table("Investigation").rows)[::2]:
        icat.update("Investigation", row, releaseDate=NOON - timedelta(days=30))


def _everything() -> Page:
    return Page()


@contextmanager
def small_federation(
    datasets: int = 60, *, real_time: bool = False, seed: int = 7, hub: jupyterhub.Hub | None = None
) -> Iterator[SmallFederation]:
    """Serve both facilities and the hub until the context ends; their time stands still at NOON unless it is real."""
    time = None if real_time else StillTime()
    scicat = ScicatStore(prefix=freya.PREFIX, **({} if time is None else {"clock": time}))
    icat = IcatStore(**({} if time is None else {"now": time}))
    freya.fill(scicat, datasets, seed)
    content.fill(icat, seed, datasets)
    _publish_half(scicat, icat)
    with ExitStack() as open_:
        told = open_.enter_context(jupyterhub.running(hub or jupyterhub.Hub(spawn_takes=0.05)))
        addresses = {
            "scicat": open_.enter_context(scicat_server.serve(scicat)),
            "icat": open_.enter_context(icat_server.serve(icat)),
            "hub": told.url,
        }
        yield SmallFederation(scicat, icat, told, time, addresses)
