"""The second profile end to end: two gateways behind nginx, two workers, a beat, on real PostgreSQL, Elasticsearch and either broker.

With Redis the platform is a real JupyterHub and a cell is run in the session; with RabbitMQ the hub is a stand-in
(tests/doubles/jupyterhub.py) that tells what it was asked, and the index is rebuilt beside it all.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import requests
from kernel import run_cell
from parted_house import PartedHouse, figure, shown
from servers.daemon import free_port
from small_federation import SECRETS, SmallFederation
from visitor import Visitor
from waiting import until

from demo.children import end, start, wait_ready
from demo.hub import Hub, hub_child
from demo.identity import Client, identity
from demo.people import PEOPLE

pytestmark = [
    pytest.mark.journey,
    pytest.mark.nginx,
    pytest.mark.postgresql,
    pytest.mark.elasticsearch,
    pytest.mark.oidc,
    pytest.mark.timeout(600),
]
BOHR = PEOPLE[1]
SEARCH = "{ datasets(first: 100) { totalCount nodes { pid facility { key } } } }"
ANALYSE = "mutation($i: AnalyseInput!) { analyse(input: $i) { created launch { id state } } }"
FOLLOW = "subscription($id: ID!) { launch(id: $id) { state message failure { code message } } }"
HUB_PACKAGES = ("jupyterhub", "jupyterlab", "oauthenticator", "configurable_http_proxy", "ipykernel")
OPEN = "query($id: ID!) { launch(id: $id) { openUrl } }"
STOP = "mutation($i: StopLaunchInput!) { stopLaunch(input: $i) { launch { state } } }"


class Stage(NamedTuple):
    """What stands around pangate: its client at the identity server, that server's address, a real hub if there is one, and
    the wait for it."""

    client: Client
    issuer: str
    hub: Hub | None
    ready: Callable[[], None]


@contextmanager
def staged(broker: str, folder: Path, url: str) -> Iterator[Stage]:
    """The identity server, and beside Redis a hub, which starts while pangate's processes do."""
    client, port = Client("pangate", (f"{url}/login/callback",)), free_port()
    issuer = f"http://127.0.0.1:{port}"
    real = Hub(folder / "hub", token=SECRETS["HUB_TOKEN"], issuer=issuer) if broker == "redis" else None
    with ExitStack() as open_:
        open_.enter_context(identity([client, *([real.client] if real else [])], port))
        if real is None:
            yield Stage(client, issuer, None, lambda: None)
            return
        running = start(hub_child(real), real.folder)
        open_.callback(end, running)
        yield Stage(client, issuer, real, lambda: wait_ready(running))


def lead_to(hub: Hub, house: PartedHouse, world: SmallFederation) -> None:
    """Have the federation file name that hub in the stand-in's place."""
    path = Path(house.settings["PANGATE_FEDERATION"])
    text = path.read_text("utf-8")
    stand_in = f"url: {world.addresses['hub']}\n"
    assert stand_in in text
    path.write_text(text.replace(stand_in, f"url: {hub.url}\n        apiUrl: {hub.api}\n"), "utf-8")


@pytest.mark.parametrize(
    "broker",
    [
        pytest.param("redis", marks=[pytest.mark.redis, pytest.mark.jupyterhub]),
        pytest.param("rabbitmq", marks=pytest.mark.rabbitmq),
    ],
)
def test_harvest_search_and_a_session_over_two_gateways_and_two_workers(
    broker: str,
    request: pytest.FixtureRequest,
    parted: Any,
    proxied: Any,
    elasticsearch: Any,
    world: SmallFederation,
    tmp_path: Path,
) -> None:
    missing = [name for name in HUB_PACKAGES if importlib.util.find_spec(name) is None]
    if missing and broker == "redis":
        pytest.skip(f"the demo's JupyterHub is not installed ({', '.join(missing)}): make install")
    ports = (free_port(), free_port())
    url = proxied(ports).url
    with staged(broker, tmp_path, url) as stage:
        house: PartedHouse = parted(
            request.getfixturevalue(broker).url,
            elasticsearch.url,
            PANGATE_URL=url,
            PANGATE_OIDC_ISSUER=stage.issuer,
            PANGATE_OIDC_CLIENT_ID="pangate",
            PANGATE_OIDC_CLIENT_SECRET=stage.client.secret,
        )
        if stage.hub:
            lead_to(stage.hub, house, world)
        journey(house, ports, Visitor(url), stage, world)


def journey(house: PartedHouse, ports: tuple[int, int], visitor: Visitor, stage: Stage, world: SmallFederation) -> None:
    """Everything from the start of the processes to their end."""
    gateways = [house.start("serve", port=port) for port in ports]
    harvester = house.start("worker", "--queues", "harvests,maintenance")
    launcher = house.start("worker", "--queues", "launches")
    stage.ready()  # beat has the platforms looked at, and again only half a minute later
    beat = house.start("beat")
    house.ready(*gateways, harvester, launcher, beat)
    with house.opened() as inside:
        shown(inside, harvester.said)
    found = both_facilities(visitor)
    assert found["totalCount"] > 20
    visitor.sign_in(BOHR.name, BOHR.password)
    session(visitor, stage.hub or world, found["nodes"][0]["pid"])
    asked = [figure(gateway, 'pangate_http_request_seconds_count{route="/graphql"}') for gateway in gateways]
    assert min(asked) > 1, "both gateways were asked"
    assert figure(harvester, "pangate_harvests_ended_total") == 2
    assert figure(launcher, "pangate_launch_moves_total") >= 3
    until(lambda: figure(harvester, "pangate_projector_distance") == 0)
    until(lambda: figure(beat, "pangate_broker_up") == 1)
    told = house.run("doctor", "--json")
    assert '"what": "broker"' in told.stdout, told.stdout + told.stderr
    assert '"grade": "fault"' not in told.stdout, told.stdout
    if stage.hub is None:  # no matter of the broker: once is enough
        again = house.run("rebuild", "--json")
        assert again.returncode == 0, again.stderr
        assert both_facilities(visitor)["totalCount"] == found["totalCount"]
    assert [program.end() for program in (beat, launcher, harvester)] == [0, 0, 0]
    assert {gateway.end() for gateway in gateways} == {0}, "an end that was asked for is no failure"
    for program in house.programs:
        assert "Traceback" not in program.said(), program.said()[-3000:]


def both_facilities(visitor: Visitor) -> dict[str, Any]:
    """What is found, which agrees with what is told of the facilities."""
    found = dict(visitor.ask(SEARCH)["datasets"])
    told = visitor.ask("{ sources { asOf } facilities { key datasetCount } }")
    assert all(each["asOf"] for each in told["sources"])
    counts = {each["key"]: each["datasetCount"] for each in told["facilities"]}
    assert all(counts.values()), counts
    assert sum(counts.values()) == found["totalCount"]
    return found


def session(visitor: Visitor, platform: Hub | SmallFederation, pid: str) -> None:
    """Press the button, wait until it is ready, open it, work in it, end it; the hub was asked once."""
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
    assert len(servers(platform)) == 1
    page = visitor.ask(OPEN, id=launch)["launch"]["openUrl"].removeprefix(visitor.url)
    opened = visitor.press(page, page)  # either gateway may take the ticket that the other one has made
    steps = [step.url for step in (*opened.history, opened)]
    assert any(f"/user/{BOHR.name}/" in step for step in steps), steps
    assert not any("/auth/" in step or "password" in step for step in steps), f"a second login: {steps}"
    if isinstance(platform, Hub):
        assert opened.status_code == 200
        server = opened.url.split("/lab")[0] + "/"
        assert run_cell(visitor.browser, server, "import os; print(os.environ['DATASET_PID'])") == f"{pid}\n"
    visitor.ask(STOP, i={"launch": launch})
    *_, last = visitor.follow(FOLLOW, id=launch)
    assert last["data"]["launch"]["state"] == "STOPPED"
    assert not servers(platform)


def servers(platform: Hub | SmallFederation) -> list[str]:
    """What runs for bohr as the hub itself tells it (the server without a name is never started)."""
    if isinstance(platform, SmallFederation):
        return list(platform.hub.users[BOHR.name])
    told = requests.get(
        f"{platform.api}/users/{BOHR.name}?include_stopped_servers",
        headers={"Authorization": f"token {platform.token}"},
        timeout=30,
    )
    return [name for name in told.json()["servers"] if name]
