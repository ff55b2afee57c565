"""Two gateways, two workers and two beats at once: what everybody asks for and is woken for is done once. PANGATE_TRIALS: how often.

A trial asks both gateways for the same session several times at the same moment, wakes the workers many times for it, and ends it; and it
asks for a harvest, and wakes the workers many times for that. Some sessions are under way at any moment, and a harvest of each source.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import requests
from launching import ready, starts
from parted_house import PartedHouse, figure, shown
from servers.daemon import free_port
from small_federation import SOURCES, SmallFederation
from soak import how_many, keep
from visitor import Visitor
from waiting import until

from demo.identity import Client, identity
from demo.people import OPERATORS, PEOPLE
from gateway.graphql.ids import decode
from pangate.house import House
from pangate.wake import Waker
from schema.activities import HarvestMode, HarvestState, LaunchState

TRIALS = how_many("PANGATE_TRIALS", 40, 400)
pytestmark = [
    pytest.mark.postgresql,
    pytest.mark.nginx,
    pytest.mark.crash,
    pytest.mark.oidc,
    pytest.mark.timeout(7_000 if TRIALS > 40 else 600),
]
ADA, BOHR = PEOPLE[0], PEOPLE[1]
SEARCH = '{ datasets(first: 100, filter: {facility: ["freya"]}) { nodes { pid } } }'
ANALYSE = "mutation($i: AnalyseInput!) { analyse(input: $i) { created launch { id } } }"
HARVEST = "mutation($i: HarvestNowInput!) { harvestNow(input: $i) { accepted } }"
AT_ONCE = 4


@dataclass
class Crowd:
    """The running processes, looked into, and two people signed in at them."""

    house: PartedHouse
    inside: House
    waker: Waker
    scientist: Visitor
    operator: Visitor
    datasets: list[str]


@contextmanager
def crowd(parted: Any, proxied: Any, broker: str) -> Iterator[Crowd]:
    """Two of everything behind a proxy, both sources harvested once."""
    ports = (free_port(), free_port())
    url = proxied(ports).url
    client = Client("pangate", (f"{url}/login/callback",))
    with identity([client]) as issuer:
        house: PartedHouse = parted(
            broker,
            PANGATE_URL=url,
            PANGATE_OIDC_ISSUER=issuer,
            PANGATE_OIDC_CLIENT_ID="pangate",
            PANGATE_OIDC_CLIENT_SECRET=client.secret,
            PANGATE_OPERATORS=OPERATORS,
        )
        programs = [house.start("serve", port=port) for port in ports]
        programs += [house.start("worker", "--queues", "harvests,launches,maintenance") for _ in range(2)]
        programs += [house.start("beat", "--every", "1") for _ in range(2)]
        house.ready(*programs)
        with house.opened() as inside:
            shown(inside, programs[2].said)
            people = [Visitor(url), Visitor(url)]
            for visitor, person in zip(people, (BOHR, ADA), strict=True):
                visitor.sign_in(person.name, person.password)
            found = people[0].ask(SEARCH)["datasets"]["nodes"]
            yield Crowd(house, inside, Waker(inside.settings), *people, [node["pid"] for node in found])
        counts = [figure(each, 'pangate_http_request_seconds_count{route="/graphql"}') for each in programs[:2]]
        assert min(counts) > 1, "both gateways were asked"
    assert {requests.get(f"http://127.0.0.1:{one.port}/livez", timeout=60).status_code for one in programs} == {200}
    for program in programs:
        assert "Traceback" not in program.said(), program.said()[-3000:]


@pytest.mark.parametrize(
    ("broker", "share"),
    [pytest.param("redis", 1, marks=pytest.mark.redis), pytest.param("rabbitmq", 5, marks=pytest.mark.rabbitmq)],
)
def test_everybody_asked_and_woken_at_once_does_everything_once(
    broker: str,
    share: int,
    request: pytest.FixtureRequest,
    parted: Any,
    proxied: Any,
    world: SmallFederation,
    clean_hub: None,
) -> None:
    trials = -(-TRIALS // share)
    lanes = {source: range(at, trials, len(SOURCES)) for at, source in enumerate(SOURCES)}
    with crowd(parted, proxied, request.getfixturevalue(broker).url) as here:
        with ThreadPoolExecutor(AT_ONCE + len(SOURCES)) as pool:
            done = [pool.submit(harvests, here, source, len(lane)) for source, lane in lanes.items()]
            done += [pool.submit(session, here, number) for number in range(trials)]
            for each in done:
                each.result()
        for source, lane in lanes.items():
            assert len(runs(here.inside, source)) == 1 + len(lane), "one harvest for each time it was asked for"
            assert_one_at_a_time(here.inside, source)
        assert len(starts(world)) == len(set(starts(world))) == trials
        assert not world.hub.users[BOHR.name], "every session was ended"
        keep(f"twice-{broker}", {"trials": trials})


def session(here: Crowd, number: int) -> None:
    """The same session asked for by several at once, its worker woken by many; then ended, its worker woken by many."""
    body = {"dataset": here.datasets[number % len(here.datasets)], "key": f"trial {number}"}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        told = list(pool.map(lambda _: here.scientist.ask(ANALYSE, i=body)["analyse"], range(AT_ONCE)))
    (node,) = {one["launch"]["id"] for one in told}
    _, id = decode(node) or ("", "")
    assert sorted(one["created"] for one in told) == [False] * (AT_ONCE - 1) + [True]
    for _ in range(6):
        here.waker.launch(id)
    until(lambda: ready(here.inside, [id]))
    here.inside.launches.want(id, "stop")
    for _ in range(3):
        here.waker.launch(id)
    until(lambda: here.inside.launches.launch(id).state is LaunchState.STOPPED)  # type: ignore[union-attr]


def harvests(here: Crowd, source: str, count: int) -> None:
    """So often, one after the other: a harvest asked for, and its workers woken by many."""
    for _ in range(count):
        before = len(runs(here.inside, source))
        assert here.operator.ask(HARVEST, i={"source": source})["harvestNow"]["accepted"]
        for _ in range(6):
            here.waker.harvest(source, HarvestMode.INCREMENTAL)
        until(lambda: len(runs(here.inside, source)) > before)  # noqa: B023 (called within the turn)


def runs(house: House, source: str) -> list[Any]:
    """The harvests of a source that have ended, oldest first; all must have ended well."""
    found = [run for run in house.harvests.harvests(source, 10_000, None) if run.state is not HarvestState.RUNNING]
    assert {run.state for run in found} <= {HarvestState.DONE}, found
    return sorted(found, key=lambda run: run.id)


def assert_one_at_a_time(house: House, source: str) -> None:
    """No two harvests of a source overlap."""
    for first, second in itertools.pairwise(runs(house, source)):
        assert first.ended is not None
        assert first.ended <= second.started
