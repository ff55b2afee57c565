"""What goes wrong with the search engine, on real servers: it is killed and comes back, it is asked too much, a node of it hangs.

Each time all that was owed is done within 120 s, and the index equals that of a run that nothing disturbed.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import requests
from canonical import difference, index_of
from doubles.tollgate import AWAY, BUSY, CUT, HANG, ITEMS, PASS, Asked, Tollgate, bulks, searches, tollgate
from parted_house import PartedHouse, Program, figure, settled
from servers.elasticsearch import Elasticsearch
from servers.postgresql import Postgresql
from servers.redis import Redis
from small_federation import SECRETS, SmallFederation
from waiting import until

from pangate.house import House
from pangate.loops import Loops
from pangate.projection import Projection
from pangate.wake import Waker
from pangate.work import Work
from schema.activities import HarvestMode, HarvestState
from schema.errors import Unavailable
from schema.records import encode

pytestmark = [pytest.mark.elasticsearch, pytest.mark.postgresql, pytest.mark.crash, pytest.mark.timeout(600)]
SOURCES = ("freya/scicat", "skadi/icat")
HEALED_S = 120
SEARCH = {"query": '{ datasets(query: "neutron", first: 5) { totalCount } }'}
LEDGER = {"query": "{ sources { asOf } }"}


@pytest.fixture(autouse=True)
def alive(elasticsearch: Elasticsearch) -> Iterator[None]:
    """Whatever a test does to the node, the next one finds it well."""
    yield
    try:
        requests.get(f"{elasticsearch.url}/_cluster/health", timeout=30).raise_for_status()
    except requests.RequestException:
        elasticsearch.kill()
        elasticsearch.start()


def told(house: House) -> dict[str, Any]:
    """What truth and index hold, without numbers and times of our own."""
    documents = sorted(house.truth.walk(), key=lambda each: (each.record.kind.value, each.record.pid))
    rows = [[each.record.kind.value, each.record.pid] for each in documents]
    assert house.index.mark() == house.truth.head()
    found = index_of(house, rows)
    assert len(found["documents"]) == len(rows)
    return {"records": [encode(each.record) for each in documents], **found}


@pytest.fixture(scope="module")
def uncut(
    tmp_path_factory: pytest.TempPathFactory,
    postgresql: Postgresql,
    elasticsearch: Elasticsearch,
    world: SmallFederation,
) -> tuple[PartedHouse, dict[str, Any]]:
    """A house that was harvested and projected without any fault, and what it holds."""
    folder = tmp_path_factory.mktemp("uncut")
    name = f"uncut{time.monotonic_ns()}"
    settings = {
        "PANGATE_FEDERATION": str(world.file(folder)),
        "PANGATE_DATA": str(folder / "data"),
        "PANGATE_DATABASE": postgresql.database(name),
        "PANGATE_INDEX": elasticsearch.url,
        "PANGATE_INDEX_PREFIX": name,
        "PANGATE_RATE_LIMIT": "false",
    }
    house = PartedHouse(folder, settings, SECRETS)
    with house.opened(write_index=True) as inside:
        harvest(inside)
        inside.projector.project()
        return house, told(inside)


def harvest(house: House) -> None:
    for source in SOURCES:
        done = Work(house).harvest(source, HarvestMode.FULL)
        assert done is not None
        assert done.state is HarvestState.DONE


def ask(gateway: Program, question: dict[str, str] = SEARCH, client: int = 1) -> str:
    """The stable code of the answer to a question, "ok" when it is one."""
    from_whom = {"X-Forwarded-For": f"192.0.2.{client}"}
    answer = requests.post(f"http://127.0.0.1:{gateway.port}/graphql", json=question, headers=from_whom, timeout=30)
    errors = answer.json().get("errors")
    return str(errors[0]["extensions"]["code"]) if errors else "ok"


def readiness(gateway: Program) -> tuple[int, dict[str, str]]:
    answer = requests.get(f"http://127.0.0.1:{gateway.port}/readyz", timeout=30)
    return answer.status_code, answer.json()["parts"]


@contextmanager
def always_asking(gateway: Program) -> Iterator[Counter[str]]:
    """Somebody who searches all the time, and the codes of the answers."""
    codes: Counter[str] = Counter()
    done = threading.Event()

    def search() -> None:
        while not done.wait(0.05):
            codes[ask(gateway)] += 1

    thread = threading.Thread(target=search)
    thread.start()
    try:
        yield codes
    finally:
        done.set()
        thread.join(40)


@pytest.mark.redis
def test_database_and_search_engine_fail_while_a_harvest_is_written_and_searched(
    parted: Any,
    redis: Redis,
    postgresql: Postgresql,
    elasticsearch: Elasticsearch,
    uncut: tuple[Any, dict[str, Any]],
    world: SmallFederation,
) -> None:
    house: PartedHouse = parted(redis.url, elasticsearch.url, page=2)
    gateway, worker = house.start("serve"), house.start("worker", "--queues", "harvests,maintenance")
    house.ready(gateway, worker)
    with house.opened() as inside, always_asking(gateway) as codes:

        def wake() -> None:
            for source in SOURCES:
                Waker(inside.settings).harvest(source, HarvestMode.FULL)

        with world.in_the_middle(wake, lambda source: pages(inside, source), 8):
            postgresql.stop()
            postgresql.start()
            until(lambda: inside.index.mark() > 30, 120, worker.said)
            elasticsearch.kill()
            assert not finished(inside), "it was cut in the middle"
        until(lambda: ask(gateway) == "UNAVAILABLE", 120, gateway.said)
        late = house.start("serve")
        until(lambda: _lives(late), 120, late.said)
        for each in (gateway, late):
            until(lambda: misses_the_index_alone(each), 60, each.said)  # noqa: B023 (called within the turn)
            assert ask(each, LEDGER) == "ok", "what needs no search engine is answered"
        doctor = house.run("doctor", "--json")
        assert "does not answer" in doctor.stdout, doctor.stdout + doctor.stderr
        until(lambda: finished(inside), HEALED_S, worker.said)  # the truth needs no search engine
        seen = codes["ok"]
        elasticsearch.start()
        began = time.monotonic()
        until(lambda: settled(inside) and all(healed(each) for each in (gateway, late)), HEALED_S, worker.said)
        took = time.monotonic() - began
        until(lambda: codes["ok"] > seen, 120, gateway.said)
        assert difference(uncut[1], told(inside)) == ""
    assert took < HEALED_S
    assert set(codes) == {"ok", "UNAVAILABLE"}, codes
    for program in house.programs:
        assert "Traceback" not in program.said(), program.said()[-3000:]


def misses_the_index_alone(gateway: Program) -> bool:
    """Whether /readyz tells just that; a part that is well may be looked at for longer than a second where the machine is busy."""
    status, parts = readiness(gateway)
    well = (parts["records"], parts["broker"]) == ("ok", "ok")
    return status == 503 and well and "does not answer (" in parts["index"]


def pages(house: House, source: str) -> int:
    """How many of its pages are committed."""
    return sum(run.figures.pages for run in house.harvests.harvests(source, 9, None))


def finished(house: House) -> bool:
    runs = {run.source: run.state for run in house.harvests.harvests(None, 9, None)}
    return all(runs.get(source) is HarvestState.DONE for source in SOURCES)


def healed(gateway: Program) -> bool:
    """Whether everything is well, every change is found, and searches are answered."""
    status, parts = readiness(gateway)
    return status == 200 and set(parts.values()) == {"ok"} and ask(gateway) == "ok"


def _lives(gateway: Program) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{gateway.port}/livez", timeout=30).status_code == 200
    except requests.RequestException:
        return False


class Storm:
    """Bulks meet, in turn: 429 and 503 as a whole, 429 for every second item, a connection that breaks when the work is done; whatever
    else is asked meets 429 and 503. After so many blows it is over."""

    def __init__(self, blows: int) -> None:
        self._left, self._turns = blows, {True: count(), False: count()}
        self.met: Counter[str] = Counter()

    def __call__(self, asked: Asked) -> str:
        if self._left <= 0 or asked.method == "GET":
            return PASS
        bulk = bulks(asked)
        kinds = (BUSY, ITEMS, AWAY, CUT, PASS) if bulk else (BUSY, PASS, AWAY, PASS)
        met = kinds[next(self._turns[bulk]) % len(kinds)]
        self._left -= met != PASS
        self.met[met] += 1
        return met


def test_storms_of_429_and_503_delay_the_index_and_nothing_else(
    tmp_path: Path, postgresql: Postgresql, uncut: tuple[PartedHouse, dict[str, Any]], elasticsearch: Elasticsearch
) -> None:
    storm, name = Storm(16), f"storm{time.monotonic_ns()}"
    with tollgate(elasticsearch.url, storm) as gate:
        own = {"PANGATE_INDEX": gate.url, "PANGATE_INDEX_PREFIX": name, "PANGATE_DATABASE": postgresql.database(name)}
        house = PartedHouse(tmp_path, {**uncut[0].settings, **own}, SECRETS)
        with house.opened(write_index=True) as inside, Loops(Projection(inside).loops()).running():
            began = time.monotonic()
            harvest(inside)
            until(lambda: inside.truth.head() == _mark(inside), HEALED_S)
            assert time.monotonic() - began < HEALED_S
            assert {BUSY, AWAY, ITEMS, CUT} <= set(storm.met), storm.met
            storm._left = 0
            assert difference(uncut[1], told(inside)) == ""


def _mark(house: House) -> int:
    """The mark, 0 while the storm keeps it from us."""
    try:
        return house.index.mark()
    except Unavailable:
        return 0


@pytest.mark.redis
def test_a_node_that_hangs_keeps_few_waiting_and_searches_that_hang_keep_nobody(
    redis: Redis, elasticsearch: Elasticsearch, uncut: tuple[PartedHouse, dict[str, Any]]
) -> None:
    rule = {"sick": PASS}

    def sick(asked: Asked) -> str:
        return rule["sick"] if rule["sick"] != PASS else stuck(asked)

    with tollgate(elasticsearch.url, sick) as one, tollgate(elasticsearch.url, stuck) as other:
        own = {"PANGATE_INDEX": f"{one.url},{other.url}", "PANGATE_INDEX_CALLS": "200", "PANGATE_BROKER": redis.url}
        house = PartedHouse(uncut[0].folder, {**uncut[0].settings, **own}, SECRETS)
        try:
            gateway = house.start("serve")
            house.ready(gateway)
            done = threading.Event()
            with ThreadPoolExecutor(150) as stuck_ones, ThreadPoolExecutor(40) as crowd:
                hanging = [stuck_ones.submit(stuck_pages, gateway, done) for _ in range(150)]
                until(lambda: one.hanging + other.hanging >= 60, 120, gateway.said)
                assert ask(gateway, LEDGER) == "ok"
                until(lambda: ask(gateway) == "ok", 60)  # each has its two seconds, and others make the processor busy
                until(lambda: one.hanging + other.hanging > 0, 10)  # all that while others hang
                assert _lives(gateway)
                until(lambda: readiness(gateway)[0] == 200, 30)
                done.set()
                assert set().union(*(each.result() for each in hanging)) == {503}
                until(lambda: one.hanging + other.hanging == 0, 60)
                assert one.left + other.left >= 60, "a search that nobody waits for any longer is ended"

                def asked(count: int) -> Counter[str]:
                    return Counter(crowd.map(lambda client: ask(gateway, client=client // 6), range(count)))

                rule["sick"] = HANG
                found = asked(200)
                assert found["ok"] >= 150, found
                assert set(found) <= {"ok", "UNAVAILABLE"}, found
                again = [
                    asked(60)["ok"] for _ in range(3)
                ]  # where the machine stands still for two seconds all of a time are late
                assert max(again) >= 58, "it is left alone but for a trial now and then"
                until(lambda: readiness(gateway)[0] == 200, 30)
            rule["sick"] = PASS
            before, left = figure(gateway, "pangate_requests_left_total"), 0
            until(lambda: one.hanging + other.hanging == 0, 60)
            while left < 5:
                left += leaves(gateway, one, other)
            until(lambda: figure(gateway, "pangate_requests_left_total") == before + 5, 60)
            assert gateway.end() == 0
            assert "Traceback" not in gateway.said(), gateway.said()[-3000:]
            assert "Unclosed" not in gateway.said()
        finally:
            house.end()


def stuck(asked: Asked) -> str:
    """Searches for one word are never answered."""
    return HANG if searches(asked) and b"stuck" in asked.body else PASS


def stuck_pages(gateway: Program, done: threading.Event) -> set[int]:
    """Ask for a search that hangs again and again; the statuses."""
    found = {page(gateway, "stuck")}
    while not done.is_set():
        found.add(page(gateway, "stuck"))
    return found


def page(gateway: Program, word: str) -> int:
    """The status of the page of a search."""
    return requests.get(f"http://127.0.0.1:{gateway.port}/search?q={word}", timeout=60).status_code


def leaves(gateway: Program, *gates: Tollgate) -> bool:
    """Ask for a search that hangs, and go while it does; False when it was given up before we went."""
    with socket.create_connection(("127.0.0.1", gateway.port), 60) as caller:
        caller.sendall(f"GET /search?q=stuck HTTP/1.1\r\nHost: 127.0.0.1:{gateway.port}\r\n\r\n".encode())
        until(lambda: any(gate.hanging for gate in gates) or _told(caller))
        told = _told(caller)
    until(lambda: not any(gate.hanging for gate in gates))
    return not told


def _told(caller: socket.socket) -> bool:
    return bool(select.select([caller], [], [], 0)[0])
