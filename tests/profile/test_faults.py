"""What goes wrong on several machines: the database restarts, the broker forgets, a worker is told to end."""

from __future__ import annotations

import os
import signal
import time
from typing import Any
from urllib.parse import urlsplit

import pytest
from launching import ask, ready, starts
from parted_house import PartedHouse
from servers.daemon import free_port
from servers.postgresql import Postgresql
from servers.rabbitmq import Rabbitmq
from servers.redis import Redis
from small_federation import SmallFederation
from waiting import until

from pangate.house import House
from pangate.settings import Settings
from pangate.tasks import depths
from pangate.wake import Waker
from schema.activities import HarvestMode, HarvestState
from schema.errors import PangateError, Unavailable

pytestmark = [pytest.mark.postgresql, pytest.mark.crash, pytest.mark.timeout(600)]
SOURCES = ("freya/scicat", "skadi/icat")


SWEEP_S = 60 if os.environ.get("PANGATE_SOAK") else 10
"""Seconds between beat's looks: 60 in operation. Where it looks more often, what it would have waited longer is added to what it took."""


@pytest.mark.parametrize(
    "broker", [pytest.param("redis", marks=pytest.mark.redis), pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)]
)
def test_a_broker_killed_and_emptied_with_fifty_tasks_owed_loses_time_and_nothing_else(
    broker: str, request: pytest.FixtureRequest, parted: Any, world: SmallFederation, clean_hub: None
) -> None:
    server: Redis | Rabbitmq = request.getfixturevalue(broker)
    house: PartedHouse = parted(server.url)
    beat = house.start("beat", "--every", str(SWEEP_S))
    house.ready(beat)
    with house.opened() as inside:
        waker = Waker(inside.settings)
        ids = [ask(inside, number, f"user{number % 10}") for number in range(50)]
        for id in ids:
            waker.launch(id)
        until(lambda: (waiting(waker) or 0) >= 50)
        # beat must not send all of it anew before we have seen that all was lost
        beat.process.send_signal(signal.SIGSTOP)
        server.kill()
        if isinstance(server, Rabbitmq):
            server.forget()  # Redis without persistence has forgotten by itself
        server.start()
        until(lambda: waiting(waker) == 0)
        beat.process.send_signal(signal.SIGCONT)
        begun = time.monotonic()
        for _ in range(2):
            house.start("worker", "--queues", "launches")
        until(lambda: ready(inside, ids), 240, house.programs[-1].said)
        took = time.monotonic() - begun
    asked = starts(world)
    assert (len(asked), len(set(asked))) == (50, 50), "0 lost, 0 started twice"
    assert took + 60 - SWEEP_S < 120, f"it took {took:.0f} s"


@pytest.mark.parametrize(
    "broker", [pytest.param("redis", marks=pytest.mark.redis), pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)]
)
def test_a_broker_that_refuses_us_or_is_not_there_is_told_with_the_remedy(
    broker: str, request: pytest.FixtureRequest
) -> None:
    right = urlsplit(request.getfixturevalue(broker).url)
    where = f"127.0.0.1:{right.port}"
    told = {
        f"{right.scheme}://guest:not-the-password@{where}{right.path}": "refuses us",
        f"{right.scheme}://guest:guest@127.0.0.1:{free_port()}{right.path}": "See that it runs, or correct PANGATE_BROKER.",
    }
    if broker == "rabbitmq":
        told[f"amqp://guest:guest@{where}/of-nobody"] = "refuses us"
    for url, words in told.items():
        with pytest.raises(Unavailable, match=words) as refused:
            depths(Waker(Settings(broker=url)).app)
        assert "PANGATE_BROKER" in refused.value.message
        assert "not-the-password" not in refused.value.message


def waiting(waker: Waker) -> int | None:
    """Wake-ups of launches that wait; None while the broker does not answer."""
    try:
        return depths(waker.app)["launches"]
    except PangateError:
        return None


@pytest.mark.redis
def test_a_database_restarted_in_the_middle_of_a_harvest_ends_nothing(
    parted: Any, redis: Redis, postgresql: Postgresql, world: SmallFederation
) -> None:
    house: PartedHouse = parted(redis.url, page=2)
    worker = house.start("worker", "--queues", "harvests")
    house.ready(worker)
    with house.opened() as inside:
        waker = Waker(inside.settings)

        def wake() -> None:
            for source in SOURCES:
                waker.harvest(source, HarvestMode.FULL)

        with world.in_the_middle(wake, lambda source: committed(inside).get(source, 0)):
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


@pytest.mark.redis
def test_a_worker_told_to_end_stops_between_pages_and_another_goes_on(
    parted: Any, redis: Redis, world: SmallFederation
) -> None:
    house: PartedHouse = parted(redis.url, page=2)
    first = house.start("worker", "--queues", "harvests")
    house.ready(first)
    source = SOURCES[0]
    with house.opened() as inside:

        def wake() -> None:
            Waker(inside.settings).harvest(source, HarvestMode.FULL)

        with world.in_the_middle(wake, lambda source: committed(inside).get(source, 0), sources=[source]):
            assert first.end(patience=60) == 0, first.said()
        cut = inside.harvests.harvests(source, 1, None)[0]
        assert cut.state is HarvestState.RUNNING, "it was cut in the middle"
        assert inside.harvests.owed(inside.clock()) == [(source, HarvestMode.FULL)], "its lease was given back"
        second = house.start("worker", "--queues", "harvests")  # woken by what the first one sent when it stopped
        until(lambda: last(inside, source) is HarvestState.DONE, 180, second.said)
        (whole,) = inside.harvests.harvests(source, 9, None)
        assert whole.id == cut.id
        assert whole.figures.unchanged <= 10, "but the instruments, with which every walk begins, no page came twice"
        assert whole.figures.added == inside.harvests.states()[0].records
    assert "Traceback" not in first.said() + second.said()
