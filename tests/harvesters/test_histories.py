"""Incremental = full: after any history of changes at a source, an incremental harvest leaves what a first full one would bring."""

import tempfile
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from harvesting import FULL, INCREMENTAL, SciCatSite, Site, differences
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.icat import server as icat_server
from demo.icat.content import fill
from demo.icat.errors import Refusal
from demo.icat.store import Store as IcatStore
from demo.scicat import server as scicat_server
from demo.scicat.store import Store as ScicatStore
from schema.activities import HarvestMode, HarvestState

HISTORIES = settings.default.max_examples // 10 if settings.default else 10
NUMBERS = st.integers(0, 11)
WORDS = st.sampled_from(["one", "two", "", "2024-05-01", "N/A"])
Move = tuple[str, int, str]


def history(*names: str) -> st.SearchStrategy[list[Move]]:
    return st.lists(
        st.tuples(st.sampled_from([*names, "harvest", "harvest", "cut", "skew"]), NUMBERS, WORDS), max_size=25
    )


def lived(site: Site, moves: list[Move], act: Callable[[str, int, str], None]) -> None:
    """A history: acts at the source, harvests, harvests cut in the middle, a harvester's clock up to a day off."""
    base = site.clock
    for name, number, word in moves:
        if name == "harvest":
            good(site, INCREMENTAL)
        elif name == "cut":
            left = iter(range(number + 1, -1, -1))
            site.between = lambda _step, left=left: _stop() if next(left, 1) == 0 else None
            with suppress(ConnectionAbortedError):
                site.harvest(INCREMENTAL)
            site.between = lambda _step: None
        elif name == "skew":
            hours = (number - 6) * 4
            site.clock = lambda hours=hours: base() + timedelta(hours=hours)
        else:
            act(name, number, word)
    for _ in range(2):  # one that was cut may be gone on with first, from where it was
        good(site, INCREMENTAL)


def good(site: Site, mode: HarvestMode) -> None:
    """A harvest that walks all it set out to walk, however many records it refuses."""
    run = site.harvest(mode)
    assert run.state in (HarvestState.DONE, HarvestState.DEGRADED), run.message


def _stop() -> None:
    raise ConnectionAbortedError


def compared(site: Site) -> None:
    other = site.fresh("full")
    good(other, FULL)
    refused = {each[1].id for each in other.world.harvests.rejects(None, 100, None)}
    # Of what is refused now, the last good record stays; who comes new has none.
    left = {key: pair for key, pair in differences(site.dump(), other.dump()).items() if key[1] not in refused}
    assert left == {}


SCICAT = (
    "put",
    "late",
    "delete",
    "publish",
    "hide",
    "sample",
    "proposal",
    "instrument",
    "published",
    "bad",
    "server clock",
)


@given(moves=history(*SCICAT), version=st.sampled_from(["5.2", "4.25"]), login=st.booleans())
@settings(max_examples=HISTORIES)
def test_scicat_incremental_is_full(moves: list[Move], version: str, login: bool) -> None:
    store = ScicatStore(version=version)
    old = datetime(2021, 3, 4, tzinfo=UTC)

    def act(name: str, number: int, word: str) -> None:
        pid = f"20.500.99001/{number:02}"
        acts: dict[str, Callable[[], Any]] = {
            "put": lambda: store.put_dataset(
                pid=pid, datasetName=word, ownerGroup=f"g{number % 3}", isPublished=number % 2 == 0
            ),
            "late": lambda: store.put_dataset(
                pid=pid, description=word, updatedAt=old + timedelta(days=len(moves), hours=number)
            ),
            "delete": lambda: store.engine.delete("Dataset", pid),
            "publish": lambda: store.put_dataset(pid=pid, isPublished=True),
            "hide": lambda: store.put_dataset(pid=pid, isPublished=False),
            "sample": lambda: store.put_sample(sampleId=f"2024-05-{number + 1:02}", description=word, isPublished=True),
            "proposal": lambda: store.put_proposal(proposalId=f"p{number}", title=word, isPublished=number % 2 == 0),
            "instrument": lambda: store.put_instrument(pid=f"i{number}", name=word),
            "published": lambda: store.put_published(doi=f"10.82001/{number}", title=word, pidArray=[pid]),
            "bad": lambda: store.put_dataset(pid=pid, datasetName={"not": "a text"}),
            "server clock": lambda: setattr(store, "skew", timedelta(hours=(number - 6) * 4)),
        }
        acts[name]()

    # What is put with an old time must still differ from the state before, or nobody could tell: times are made distinct.
    with scicat_server.serve(store) as url, tempfile.TemporaryDirectory() as folder:
        site = SciCatSite(store, url, Path(folder), login=login)
        lived(site, moves, _distinct(store, act))
        compared(site)


def _distinct(store: ScicatStore, act: Callable[[str, int, str], None]) -> Callable[[str, int, str], None]:
    """Each act a second after the one before, by the server's clock."""
    base = store._clock
    acts = 0

    def later(name: str, number: int, word: str) -> None:
        nonlocal acts
        acts += 1
        store._clock = lambda: base() + timedelta(seconds=acts)
        act(name, number, f"{word} {acts}" if name == "late" else word)
        if name == "late":
            store.put_dataset(
                pid=f"20.500.99001/{number:02}", updatedAt=datetime(2021, 3, 4, tzinfo=UTC) + timedelta(minutes=acts)
            )

    return later


ICAT = ("update", "soap", "parameter", "new", "slow", "delete", "child", "keyword", "shared", "release", "zone", "time")


@given(moves=history(*ICAT), version=st.sampled_from(["6.2.0", "6.0.1", "5.0.1", "4.10.0"]), anonymous=st.booleans())
@settings(max_examples=HISTORIES)
def test_icat_incremental_is_full(moves: list[Move], version: str, anonymous: bool) -> None:
    now = [datetime(2026, 10, 24, 22, 0, tzinfo=UTC)]
    store = IcatStore(now=lambda: now[0], version=version)
    fill(store, datasets=12)
    store.update("Investigation", 1, releaseDate="2020-01-01T00:00:00+00:00")

    def row(entity: str, number: int) -> int:
        ids = store.tables[entity].ids
        return ids[number % len(ids)] if ids else 0

    def slow(word: str) -> None:
        with store.begin_slow_transaction() as transaction:
            transaction.create("Dataset", name=f"slow {now[0]} {word}", complete=True, investigation=1, type=1)
            now[0] += timedelta(hours=3)

    def act(name: str, number: int, word: str) -> None:
        now[0] += timedelta(minutes=7 + number)
        zones = ("Europe/Berlin", "UTC", "America/New_York")
        new = {"name": f"new {now[0]}", "complete": True, "investigation": row("Investigation", number), "type": 1}
        acts: dict[str, Callable[[], Any]] = {
            "update": lambda: store.update("Dataset", row("Dataset", number), description=word),
            "soap": lambda: store.soap_update(
                "DatasetParameter", row("DatasetParameter", number), rangeTop=float(number)
            ),
            "parameter": lambda: store.update(
                "InvestigationUser", row("InvestigationUser", number), role=f"role {word}"
            ),
            "new": lambda: store.create("Dataset", **new),
            "slow": lambda: slow(word),
            "delete": lambda: store.delete("Dataset", row("Dataset", number)),
            "child": lambda: store.delete("DatasetParameter", row("DatasetParameter", number)),
            "keyword": lambda: store.soap_create("Keyword", name=f"{word} {number}", investigation=1),
            "shared": lambda: store.soap_update("User", row("User", number), fullName=f"Name {word} {number}"),
            "release": lambda: store.update("Investigation", row("Investigation", number), releaseDate=now[0]),
            "zone": lambda: store.restart(zone=zones[number % 3]),
            "time": lambda: now.__setitem__(0, now[0] + timedelta(days=number * 20)),
        }
        with suppress(Refusal):
            acts[name]()

    with icat_server.serve(store) as url, tempfile.TemporaryDirectory() as folder:
        login = None if anonymous else {"plugin": "db", "username": "reader", "password": "PASSWORD"}
        site = Site("icat", url, Path(folder), login, pageSize=5)
        site.secrets.values["PASSWORD"] = "reader-secret"
        site.clock = lambda: now[0]
        lived(site, moves, act)
        compared(site)
