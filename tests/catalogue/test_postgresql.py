"""The same truth on a real PostgreSQL: tables, sequences without gaps, fences, tickets."""

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from many_names import HIDDEN, has_room_for, indexed, measured
from paper_index import PaperIndex
from sqlalchemy import text
from truths import SOURCE, Clock, World, at_instrument, changed, dataset, instrument

from catalogue import leases, names
from catalogue.launches import Launches
from catalogue.ports import Lease, Page, Session
from catalogue.project import Projector
from catalogue.sessions import Sessions
from catalogue.tables import metadata
from schema.access import Viewer, Visibility
from schema.activities import HarvestMode, LaunchEvent, LaunchRequest, LaunchState
from schema.errors import LeaseLost
from schema.records import InstrumentPart, Kind, Reject

pytestmark = pytest.mark.postgresql
PLACES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def _as_postgres(*command: str) -> None:
    own = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    subprocess.run([*own, *command], check=True, capture_output=True, timeout=240, cwd="/tmp")


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of a server of our own, on a socket in a folder."""
    if not PLACES or (os.geteuid() == 0 and shutil.which("runuser") is None):
        pytest.skip("PostgreSQL is not installed (on Debian: apt install postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="pangate-pg-", dir="/tmp"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    binaries = PLACES[-1]
    _as_postgres(str(binaries / "initdb"), "-D", f"{folder}/data", "-A", "trust", "-U", "pangate", "-E", "UTF8")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    start = [str(binaries / "pg_ctl"), "-D", f"{folder}/data", "-o", options, "-l", f"{folder}/log", "-w"]
    _as_postgres(*start, "start")
    try:
        yield f"postgresql://pangate@/postgres?host={folder}"
    finally:
        _as_postgres(*start, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def world(server: str, tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, url=server)
    with world.database.write("empty") as connection:
        for table in metadata.sorted_tables:
            if table.name == "sequences":
                connection.execute(table.update().values(value=0))
            else:
                connection.execute(table.delete())
    yield world
    world.database.close()


def test_the_migrations_build_the_tables(world: World) -> None:
    with world.database.write("compare") as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_a_database_of_the_revision_before_is_brought_along_with_what_it_has(world: World, tmp_path: Path) -> None:
    world.harvests.request(SOURCE, HarvestMode.FULL, "me")
    parts = {"instruments": (InstrumentPart(name="surf"),), "parameters": (measured("One"),)}
    world.put(instrument("i", name="SURF"), dataset("a", **parts), dataset("h", **parts, visibility=HIDDEN))
    back = (
        "DELETE FROM links",
        "DROP TABLE parameter_names",
        "ALTER TABLE harvests DROP COLUMN left_out",
        "DROP TABLE arrears",
        "ALTER TABLE rejects DROP COLUMN revision",
        "ALTER TABLE sources DROP COLUMN bookmark_by",
        "UPDATE alembic_version SET version_num = '0002'",
    )
    with world.database.write("back to revision 2") as connection:
        for statement in back:
            connection.execute(text(statement))
    again = World(tmp_path, url=world.url)
    with again.database.read() as connection:
        assert connection.execute(text("SELECT source, bookmark_by FROM sources")).all() == [(SOURCE, None)]
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == "0005"
        known = connection.execute(text("SELECT facility, public, name FROM parameter_names ORDER BY public")).all()
        assert known == [("ill", False, "one"), ("ill", True, "one")]
    assert again.harvests.owing(SOURCE, 9) == []
    head = again.records.head()
    again.put(instrument("i", name="SURF-2"))
    assert {pid for _, _, pid in changed(again.records, head, 9)} >= {"ill/dataset/a"}, "it was linked by its name"
    again.database.close()


def test_a_harvest_its_deaths_and_embargoes_reach_the_index(world: World) -> None:
    later = Visibility(public=False, groups=("ill:x",), public_from=world.clock() + timedelta(days=1))
    follower = Projector(world.records, PaperIndex())
    reject = Reject(SOURCE, "dataset", "bad", "no-title", "It has no title.", "nul \0 and \ud800")
    world.harvest(Page((dataset("a", instruments=at_instrument("i")), dataset("h", visibility=later)), (reject,)))
    world.put(instrument("i", name="D17 \u0394"))
    follower.project()
    world.clock.forward(days=2)
    world.harvest(
        Page((dataset("a", title="Other", instruments=at_instrument("i")),), (reject,)),
        mode=HarvestMode.FULL,
        sweep=[Kind.INSTRUMENT],
    )
    follower.project()
    assert follower.index.live() == {  # type: ignore[attr-defined]
        (document.record.kind, document.record.pid): (document, True) for document in world.records.walk()
    }
    assert (world.records.count(), len(world.harvests.rejects(None, 9, None))) == (2, 1)
    assert world.harvests.states()[0].records == 2
    assert world.records.realign() == 0


def test_writers_at_once_give_every_number_once_and_readers_meet_no_gap(world: World, server: str) -> None:
    worlds = [World(world.path, url=server) for _ in range(3)]
    done = threading.Event()
    gaps: list[list[int]] = []

    def work(one: World, source: str) -> None:
        one.harvest(*(Page(tuple(dataset(f"{p}-{n}", source) for n in range(9))) for p in range(15)), source=source)

    def watch() -> None:
        mark = 0
        while not done.is_set() or mark < world.records.head():
            numbers = [number for number, _, _ in changed(world.records, mark, 50)]
            if numbers != list(range(mark + 1, mark + 1 + len(numbers))):
                gaps.append(numbers)
            mark = numbers[-1] if numbers else mark

    threads = [threading.Thread(target=work, args=(one, f"f{n}/s")) for n, one in enumerate(worlds)]
    reader = threading.Thread(target=watch)
    for thread in (*threads, reader):
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    reader.join()
    assert gaps == []
    assert [number for number, _, _ in changed(world.records, 0, 999)] == list(range(1, 406))
    for one in worlds:
        one.database.close()


def test_of_many_that_want_a_lease_at_the_same_moment_one_has_it(world: World, server: str) -> None:
    worlds = [World(world.path, url=server) for _ in range(6)]
    try:
        with ThreadPoolExecutor(len(worlds)) as pool:
            for turn in range(40):
                name = f"source:{turn // 2}"  # free at first, then held by one whose time has run out
                together = threading.Barrier(len(worlds))

                def want(own: int, name: str = name, together: threading.Barrier = together) -> Lease | None:
                    ledger = worlds[own].harvests
                    together.wait(120)
                    return ledger.acquire(name, f"machine {own}", 9)

                had = [lease for lease in pool.map(want, range(len(worlds))) if lease is not None]
                assert [lease.fence for lease in had] == [1 + turn % 2]
                for one in worlds:
                    one.clock.forward(seconds=10)
    finally:
        for one in worlds:
            one.database.close()


def test_nobody_takes_a_lease_while_what_it_allows_is_being_written(world: World) -> None:
    lease = world.harvests.acquire("source:x", "one", 9)
    assert lease is not None
    free = text("SELECT name FROM leases FOR UPDATE SKIP LOCKED")
    with world.database.write("a page") as connection:
        leases.check(connection, lease)
        with world.database.write("look") as other:
            assert other.execute(free).all() == []
    with world.database.write("look") as other:
        assert other.execute(free).all() == [("source:x",)]


@pytest.mark.parametrize("count", [4_999, 5_000, 5_001])
def test_a_facility_has_five_thousand_names(world: World, count: int) -> None:
    has_room_for(world, count)


def test_sources_of_one_facility_that_fill_the_last_places_at_once_stay_within_them(
    world: World, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "LIMIT", 20)
    worlds = [World(world.path, url=server) for _ in range(3)]

    def work(one: World, of: int) -> None:
        own = f"ill/s{of}"
        pages = (
            dataset(f"{n}", own, pid=f"ill/dataset/{of}-{n}", parameters=(measured(f"{of} {n}"),)) for n in range(15)
        )
        one.harvest(*(Page((each,)) for each in pages), source=own)

    threads = [threading.Thread(target=work, args=(one, of)) for of, one in enumerate(worlds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(run.figures.left_out for run in world.harvests.harvests(None, 9, None)) == 3 * 15 - 20
    with world.database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM parameter_names")).scalar_one() == 20
    for one in worlds:
        one.database.close()


def test_names_of_any_length_and_signs_are_kept(world: World) -> None:
    long = "\U00020000" * 511
    world.put(dataset("a", parameters=tuple(map(measured, (long + "x", long + "y", "w" * 256, "nul \0 and \u202e")))))
    assert len(indexed(world, "a")) == 4


def test_fences_launches_tickets_and_sessions(world: World) -> None:
    clock: Clock = world.clock
    ledger, store = Launches(world.database), Sessions(world.database)
    request = LaunchRequest("i#anna", "Anna", "ill", "ill/hub", "10.1/x", "A title", None, "anna", None, None)
    until = clock() + timedelta(hours=1)
    found: list[str] = []
    threads = [
        threading.Thread(target=lambda: found.append(ledger.request(request, "k", False, until)[0].id))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 8
    (launch,) = ledger.owed(clock(), 9)
    old = ledger.acquire("launch:x", "one", 1)
    assert old is not None
    clock.forward(seconds=2)
    assert ledger.acquire("launch:x", "two", 9) is not None
    event = LaunchEvent(0, clock(), LaunchState.CHECKED, "Checked.")
    with pytest.raises(LeaseLost):
        ledger.record(old, launch, event, due=None)
    for state in (LaunchState.CHECKED, LaunchState.READY):
        launch = ledger.record(None, launch, LaunchEvent(0, clock(), state, "News."), due=None)
    assert ledger.typical_seconds("ill/hub") == 2
    ticket = ledger.ticket(launch.id, "i#anna", "s", until)
    assert ledger.redeem(ticket, "i#anna", "s", clock()) == launch.id
    assert ledger.redeem(ticket, "i#anna", "s", clock()) is None
    store.put(Session("h", Viewer("i", "anna"), "csrf", b"\0tokens", until, clock()))
    assert store.refresh_lock("h", "one", 5)
    kept = store.get("h", clock())
    assert kept is not None
    assert kept.tokens == b"\0tokens"
    store.put_state("s", b"nonce", until)
    assert (store.take_state("s", clock()), store.take_state("s", clock())) == (b"nonce", None)
