"""Every server hangs (the real ones, stopped by SIGSTOP): a process that is told to end is gone in time all the same, and when the servers
answer again nothing that was under way is lost or done twice."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
import requests
from launching import ask, starts
from parted_house import PartedHouse, Program
from servers.daemon import frozen
from servers.elasticsearch import Elasticsearch
from servers.postgresql import Postgresql
from small_federation import SOURCES, SmallFederation
from soak import ALONE
from waiting import until

from pangate.house import House
from pangate.wake import Waker
from pangate.work import Work
from schema.activities import HarvestMode, HarvestState, LaunchState

pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.elasticsearch,
    pytest.mark.crash,
    pytest.mark.timeout(600),
]
GRACE_S = 8
END_S = 3 if ALONE else 15
"""What the end of four processes takes beside that, where nobody else works on the machine, and else; a server that is waited for would
take half a minute at least."""
OURS = "Task cancelled, timeout graceful shutdown exceeded"
"""What uvicorn logs of each reader whom it leaves without an answer when the time for that is over."""
SEARCH = {"query": '{ datasets(query: "neutron", first: 5) { totalCount } }'}
LEDGER = {"query": "{ sources { asOf } }"}


@pytest.mark.parametrize(
    "broker", [pytest.param("redis", marks=pytest.mark.redis), pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)]
)
def test_servers_that_hang_keep_no_process_from_its_end_and_nothing_is_lost(
    broker: str,
    request: pytest.FixtureRequest,
    parted: Any,
    postgresql: Postgresql,
    elasticsearch: Elasticsearch,
    world: SmallFederation,
    clean_hub: None,
) -> None:
    server = request.getfixturevalue(broker)
    house: PartedHouse = parted(server.url, elasticsearch.url, page=2, PANGATE_GRACE=str(GRACE_S))
    gateway, harvester = house.start("serve"), house.start("worker", "--queues", "harvests,maintenance")
    launcher, beat = house.start("worker", "--queues", "launches"), house.start("beat", "--every", "1")
    house.ready(gateway, harvester, launcher, beat)
    with house.opened() as inside, ThreadPoolExecutor(8) as readers, ExitStack() as slow:
        waker = Waker(inside.settings)
        ids = [ask(inside, number, f"user{number % 10}") for number in range(20)]

        def wake() -> None:
            for source in SOURCES:
                waker.harvest(source, HarvestMode.FULL)

        slow.enter_context(world.in_the_middle(wake, lambda source: pages(inside, source)))
        for id in ids:
            waker.launch(id)
        until(lambda: starts(world), 120, launcher.said)
        with frozen(server, postgresql, elasticsearch):
            waiting = [readers.submit(left_alone, gateway, question) for question in (SEARCH, LEDGER) * 4]
            until(lambda: unready(gateway) == {"records", "index", "projection", "broker"}, 60)
            assert requests.get(f"http://127.0.0.1:{gateway.port}/livez", timeout=30).status_code == 200
            took = gone(gateway, harvester, launcher, beat)
            assert all(each.result() for each in waiting), (
                "whoever was waiting is told so, or hears that nobody is there"
            )
        assert took < GRACE_S + END_S
        cut = {source: pages(inside, source) for source in SOURCES}
    with house.opened(write_index=True, later=timedelta(minutes=5)) as inside:  # their leases have run out
        whole(inside, cut)
        assert finished(inside, ids)
    asked = starts(world)
    assert (len(asked), len(set(asked))) == (20, 20), "0 lost, 0 started twice"
    for program in house.programs:
        broken = [line for line in program.said().splitlines() if "Traceback" in line and OURS not in line]
        assert not broken, broken[-1][:3000]


def pages(house: House, source: str) -> int:
    """How many pages of its harvest are committed."""
    return sum(run.figures.pages for run in house.harvests.harvests(source, 9, None))


def unready(gateway: Program) -> set[str]:
    """What /readyz says does not answer, once it refuses; what it has found is kept for a moment."""
    told = requests.get(f"http://127.0.0.1:{gateway.port}/readyz", timeout=30)
    waited = {part for part, state in told.json()["parts"].items() if state == "does not answer in time"}
    return waited if told.status_code == 503 else set()


def gone(*programs: Program) -> float:
    """Tell them to end; the seconds until the last one has."""
    begun = time.monotonic()
    for program in programs:
        program.process.send_signal(signal.SIGTERM)
    for program in programs:
        assert program.process.wait(GRACE_S + 60) in (0, 1)
    return time.monotonic() - begun


def left_alone(gateway: Program, question: dict[str, str]) -> bool:
    """Whether a question that nobody can answer comes to an end for who asked it: an error of ours, or a connection that ends."""
    try:
        answer = requests.post(f"http://127.0.0.1:{gateway.port}/graphql", json=question, timeout=60)
    except requests.ConnectionError:
        return True
    return answer.status_code >= 500 or bool(answer.json().get("errors"))


def whole(house: House, cut: dict[str, int]) -> None:
    """Each harvest goes on where it was cut, to its end; the index has all of it."""
    for source in SOURCES:
        done = Work(house).harvest(source, HarvestMode.FULL)
        assert done is not None
        assert done.state is HarvestState.DONE
        (run,) = house.harvests.harvests(source, 9, None)
        assert run.figures.pages > cut[source]
        # the instruments, with which every walk begins, and a page: its worker may have begun anew too
        assert run.figures.unchanged <= 3 * 12, run
    assert sum(run.figures.added for run in house.harvests.harvests(None, 9, None)) == sum(
        state.records for state in house.harvests.states()
    )
    house.projector.project()
    assert house.index.mark() == house.truth.head()


def finished(house: House, ids: list[str]) -> bool:
    """Take every launch on to where its session is ready."""
    work = Work(house)

    def all_ready() -> bool:
        for id in ids:
            work.advance(id)
        states = {house.launches.launch(id).state for id in ids}  # type: ignore[union-attr]
        assert LaunchState.FAILED not in states
        return states == {LaunchState.READY}

    return bool(until(all_ready))
