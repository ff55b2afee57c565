"""What goes wrong on several machines: the database restarts, the broker forgets, everybody is woken twice. PANGATE_TRIALS: how often."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from parted_house import PartedHouse, until
from servers.postgresql import Postgresql
from servers.redis import Redis
from small_federation import SmallFederation

from pangate.house import House
from pangate.tasks import depths
from pangate.wake import Waker
from schema.activities import HarvestMode, HarvestState, LaunchRequest, LaunchState
from schema.records import Kind

pytestmark = [pytest.mark.postgresql, pytest.mark.redis, pytest.mark.crash, pytest.mark.timeout(480)]
TRIALS = int(os.environ.get("PANGATE_TRIALS") or (400 if os.environ.get("PANGATE_SOAK") else 10))
SOURCES = ("freya/scicat", "skadi/icat")


@pytest.fixture
def clean_hub(world: SmallFederation) -> Iterator[None]:
    """The hub as new, but that it knows the people: a first start would be asked for, refused, and asked for again."""
    world.hub.users.clear()
    world.hub.users.update({user: {} for user in ("bohr", *(f"user{number}" for number in range(10)))})
    world.hub.calls.clear()
    yield
    world.hub.users.clear()


def ask(house: House, number: int, user: str) -> str:
    """A launch in the table, and nobody woken."""
    request = LaunchRequest(
        principal=f"https://id.example.org#{user}",
        viewer_name=user.title(),
        facility="freya",
        trigger="freya/hub",
        dataset=f"20.500.99001/{number}",
        dataset_title=f"Dataset {number}",
        path=None,
        user=user,
        procedure="inspect",
        environment="python",
    )
    until_when = datetime.now(UTC) + timedelta(hours=4)
    return house.launches.request(request, f"key {number}", False, until_when)[0].id


def starts(world: SmallFederation) -> list[str]:
    """Every start the hub was asked for, by the path of the server's name."""
    return [path for method, path, _ in world.hub.calls if method == "POST" and "/servers/" in path]


def ready(house: House, ids: list[str]) -> bool:
    states = [house.launches.launch(id).state for id in ids]  # type: ignore[union-attr]
    assert LaunchState.FAILED not in states
    return all(state is LaunchState.READY for state in states)


def test_a_broker_killed_and_emptied_with_fifty_tasks_owed_loses_time_and_nothing_else(
    parted: Any, redis: Redis, world: SmallFederation, clean_hub: None
) -> None:
    house: PartedHouse = parted(redis.url)
    house.ready(house.start("beat"))  # its sweeps come every 60 s, as in operation
    with house.opened() as inside:
        waker = Waker(inside.settings)
        ids = [ask(inside, number, f"user{number % 10}") for number in range(50)]
        for id in ids:
            waker.launch(id)
        assert depths(waker.app)["launches"] >= 50
        redis.kill()
        redis.start()
        assert depths(waker.app)["launches"] == 0
        begun = time.monotonic()
        for _ in range(2):
            house.start("worker", "--queues", "launches")
        until(lambda: ready(inside, ids), 240, house.programs[-1].said)
        took = time.monotonic() - begun
    asked = starts(world)
    assert (len(asked), len(set(asked))) == (50, 50), "0 lost, 0 started twice"
    assert took < 120, f"it took {took:.0f} s"


def test_a_database_restarted_in_the_middle_of_a_harvest_ends_nothing(
    parted: Any, redis: Redis, postgresql: Postgresql
) -> None:
    house: PartedHouse = parted(redis.url, page=2)
    worker = house.start("worker", "--queues", "harvests")
    house.ready(worker)
    with house.opened() as inside:
        waker = Waker(inside.settings)
        for source in SOURCES:
            waker.harvest(source, HarvestMode.FULL)
        until(lambda: len(pages := committed(inside)) == 2 and min(pages.values()) >= 2, 60, worker.said)
        postgresql.stop()
        postgresql.start()
        cut = committed(inside)
        until(lambda: all(last(inside, source) is HarvestState.DONE for source in SOURCES), 200, worker.said)
        assert all(cut[source] < pages for source, pages in committed(inside).items()), "it was cut in the middle"
        assert {source: len(inside.harvests.harvests(source, 9, None)) for source in SOURCES} == dict.fromkeys(
            SOURCES, 1
        )
        counts = {source: inside.harvests.harvests(source, 1, None)[0].figures.added for source in SOURCES}
        assert sum(counts.values()) == sum(state.records for state in inside.harvests.states())
        assert "Traceback" not in worker.said()


def committed(house: House) -> dict[str, int]:
    return {run.source: run.figures.pages for run in house.harvests.harvests(None, 9, None)}


def last(house: House, source: str) -> HarvestState:
    return house.harvests.harvests(source, 1, None)[0].state


def test_everybody_woken_twice_does_everything_once(
    parted: Any, redis: Redis, world: SmallFederation, clean_hub: None
) -> None:
    house: PartedHouse = parted(redis.url)
    gateways = [house.start("serve") for _ in range(2)]
    workers = [house.start("worker", "--queues", "harvests,launches,maintenance") for _ in range(2)]
    beats = [house.start("beat", "--every", "1") for _ in range(2)]
    house.ready(*gateways, *workers, *beats)
    with house.opened() as inside:
        until(
            lambda: all(last_or_none(inside, source) is HarvestState.DONE for source in SOURCES), 120, workers[0].said
        )
        waker = Waker(inside.settings)
        for trial in range(TRIALS):
            once(inside, waker, world, trial)
        for source in SOURCES:
            assert_one_at_a_time(inside, source)
        assert len(starts(world)) == len(set(starts(world))) == TRIALS
        assert inside.truth.count() == len(inside.truth.changed(0, 10_000)) - gone(inside)
    found = {requests.get(f"http://127.0.0.1:{one.port}/livez", timeout=9).status_code for one in house.programs}
    assert found == {200}
    for program in house.programs:
        assert "Traceback" not in program.said(), program.said()[-3000:]


def once(house: House, waker: Waker, world: SmallFederation, trial: int) -> None:
    """The same launch asked for by several at once, its worker woken by many; a harvest asked for and woken by many."""
    ids: set[str] = set()
    askers = [threading.Thread(target=lambda: ids.add(ask(house, trial, "bohr"))) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    (id,) = ids
    source = SOURCES[trial % 2]
    before = len(house.harvests.harvests(source, 1000, None))
    house.harvests.request(source, HarvestMode.INCREMENTAL, "test")
    for _ in range(6):
        waker.launch(id)
        waker.harvest(source, HarvestMode.INCREMENTAL)
    until(lambda: ready(house, [id]), 60)
    until(lambda: len(house.harvests.harvests(source, 1000, None)) > before, 60)
    house.launches.want(id, "stop")
    waker.launch(id)
    until(lambda: house.launches.launch(id).state is LaunchState.STOPPED, 60)  # type: ignore[union-attr]


def last_or_none(house: House, source: str) -> HarvestState | None:
    runs = house.harvests.harvests(source, 1, None)
    return runs[0].state if runs else None


def assert_one_at_a_time(house: House, source: str) -> None:
    """No two harvests of a source overlap."""
    runs = sorted(house.harvests.harvests(source, 10_000, None), key=lambda run: run.id)
    for first, second in itertools.pairwise(runs):
        assert first.ended is not None
        assert first.ended <= second.started


def gone(house: House) -> int:
    """Documents that lived once."""
    pids = [(kind, pid) for _, kind, pid in house.truth.changed(0, 10_000)]
    live = {(document.record.kind, document.record.pid) for document in house.truth.walk()}
    assert all(isinstance(kind, Kind) for kind, _ in pids)
    return len([key for key in pids if key not in live])


def test_a_worker_told_to_end_stops_between_pages_and_another_goes_on(parted: Any, redis: Redis) -> None:
    house: PartedHouse = parted(redis.url, page=2)
    first = house.start("worker", "--queues", "harvests")
    house.ready(first)
    source = SOURCES[0]
    with house.opened() as inside:
        Waker(inside.settings).harvest(source, HarvestMode.FULL)
        until(lambda: committed(inside).get(source, 0) >= 2, 60, first.said)
        assert first.end(patience=40) == 0, first.said()
        cut = inside.harvests.harvests(source, 1, None)[0]
        assert cut.state is HarvestState.RUNNING, "it was cut in the middle"
        assert inside.harvests.owed(inside.clock()) == [(source, HarvestMode.FULL)], "its lease was given back"
        second = house.start("worker", "--queues", "harvests")  # woken by what the first one sent when it stopped
        until(lambda: last(inside, source) is HarvestState.DONE, 90, second.said)
        (whole,) = inside.harvests.harvests(source, 9, None)
        assert whole.id == cut.id
        assert whole.figures.unchanged <= 10, "but the instruments, with which every walk begins, no page came twice"
        assert whole.figures.added == inside.harvests.states()[0].records
    assert "Traceback" not in first.said() + second.said()
