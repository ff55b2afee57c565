"""The second profile end to end: two gateways behind nginx, two workers, a beat, on real PostgreSQL, Elasticsearch and either broker."""

from __future__ import annotations

from typing import Any

import pytest
from parted_house import PartedHouse, figure
from servers.daemon import free_port
from small_federation import SmallFederation
from visitor import Visitor
from waiting import until

from demo.identity import Client, identity
from demo.people import PEOPLE

pytestmark = [
    pytest.mark.journey,
    pytest.mark.nginx,
    pytest.mark.postgresql,
    pytest.mark.elasticsearch,
    pytest.mark.oidc,
    pytest.mark.timeout(480),
]
BOHR = PEOPLE[1]
SEARCH = "{ datasets(first: 100) { totalCount nodes { pid facility { key } } } }"
ANALYSE = "mutation($i: AnalyseInput!) { analyse(input: $i) { created launch { id state } } }"
FOLLOW = "subscription($id: ID!) { launch(id: $id) { state message failure { code message } } }"
OPEN = "query($id: ID!) { launch(id: $id) { openUrl } }"
STOP = "mutation($i: StopLaunchInput!) { stopLaunch(input: $i) { launch { state } } }"


@pytest.mark.parametrize(
    "broker", [pytest.param("redis", marks=pytest.mark.redis), pytest.param("rabbitmq", marks=pytest.mark.rabbitmq)]
)
def test_harvest_search_and_a_session_over_two_gateways_and_two_workers(
    broker: str, request: pytest.FixtureRequest, parted: Any, proxied: Any, elasticsearch: Any, world: SmallFederation
) -> None:
    ports = (free_port(), free_port())
    url = proxied(ports).url
    client = Client("pangate", (f"{url}/login/callback",))
    with identity([client]) as issuer:
        house: PartedHouse = parted(
            request.getfixturevalue(broker).url,
            elasticsearch.url,
            PANGATE_URL=url,
            PANGATE_OIDC_ISSUER=issuer,
            PANGATE_OIDC_CLIENT_ID="pangate",
            PANGATE_OIDC_CLIENT_SECRET=client.secret,
        )
        gateways = [house.start("serve", port=port) for port in ports]
        harvester = house.start("worker", "--queues", "harvests,maintenance")
        launcher = house.start("worker", "--queues", "launches")
        beat = house.start("beat")
        house.ready(*gateways, harvester, launcher, beat)
        visitor = Visitor(url)
        found = until(lambda: both_facilities(visitor), 120, harvester.said)
        assert found["totalCount"] > 20
        visitor.sign_in(BOHR.name, BOHR.password)
        session(visitor, world, found["nodes"][0]["pid"])
        asked = [figure(gateway, 'pangate_http_request_seconds_count{route="/graphql"}') for gateway in gateways]
        assert min(asked) > 1, "both gateways were asked"
        assert figure(harvester, "pangate_harvests_ended_total") == 2
        assert figure(launcher, "pangate_launch_moves_total") >= 3
        until(lambda: figure(harvester, "pangate_projector_distance") == 0, 30)
        until(lambda: figure(beat, "pangate_broker_up") == 1, 30)
        told = house.run("doctor", "--json")
        assert '"what": "broker"' in told.stdout, told.stdout + told.stderr
        assert '"grade": "fault"' not in told.stdout, told.stdout
        again = house.run("rebuild", "--json")
        assert again.returncode == 0, again.stderr
        assert until(lambda: both_facilities(visitor), 30)["totalCount"] == found["totalCount"]
        assert [program.end() for program in (beat, launcher, harvester)] == [0, 0, 0]
        assert {gateway.end() for gateway in gateways} == {0}, "an end that was asked for is no failure"
        for program in house.programs:
            assert "Traceback" not in program.said(), program.said()[-3000:]


def both_facilities(visitor: Visitor) -> dict[str, Any] | None:
    """The answer, once both facilities are harvested whole; the first searches of a new node may take too long."""
    answer = visitor.answer(SEARCH)
    if "errors" in answer:
        assert {error["extensions"]["code"] for error in answer["errors"]} == {"UNAVAILABLE"}, answer
        return None
    found = dict(answer["data"]["datasets"])
    sources = visitor.ask("{ sources { asOf } facilities { key datasetCount } }")
    counts = {each["key"]: each["datasetCount"] for each in sources["facilities"]}
    whole = all(counts.values()) and all(each["asOf"] for each in sources["sources"])
    return found if whole and sum(counts.values()) == found["totalCount"] else None


def session(visitor: Visitor, world: SmallFederation, pid: str) -> None:
    """Press the button, wait until it is ready, open it, end it; the hub was asked once."""
    asked = [visitor.ask(ANALYSE, i={"dataset": pid, "key": "journey"})["analyse"] for _ in range(3)]
    assert [each["created"] for each in asked] == [True, False, False]
    (launch,) = {each["launch"]["id"] for each in asked}
    seen = []
    for payload in visitor.follow(FOLLOW, id=launch):
        now = payload["data"]["launch"]
        assert now["failure"] is None, now
        seen.append(now["state"])
        if now["state"] == "READY":
            break
    assert seen[-1] == "READY"
    servers = world.hub.users[BOHR.name]
    assert len(servers) == 1
    page = visitor.ask(OPEN, id=launch)["launch"]["openUrl"].removeprefix(visitor.url)
    opened = visitor.press(page, page)  # either gateway may take the ticket that the other one has made
    assert any(f"/user/{BOHR.name}/" in step.url for step in (*opened.history, opened)), opened.url
    visitor.ask(STOP, i={"launch": launch})
    *_, last = visitor.follow(FOLLOW, id=launch)
    assert last["data"]["launch"]["state"] == "STOPPED"
    assert not world.hub.users[BOHR.name]
