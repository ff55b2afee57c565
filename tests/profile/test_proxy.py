"""Two gateways behind a real nginx with deploy/nginx.conf, and TLS before: what passes, what does not, and what a reader notices when one
dies. The nginx is Debian's 1.22; the image of docker-compose.yml has 1.28 (servers.nginx says what that changes in the file)."""

from __future__ import annotations

import hashlib
import http.client
import itertools
import json
import signal
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import websocket
from certificates import Authority, authority
from parted_house import PartedHouse, Program, figure
from servers.daemon import Missing, free_port
from servers.elasticsearch import Elasticsearch
from servers.nginx import Nginx, alone, deployed
from servers.postgresql import Postgresql
from servers.redis import Redis
from small_federation import SECRETS, SmallFederation, small_federation
from visitor import Visitor
from waiting import until

from demo.identity import Client, identity
from demo.people import PEOPLE
from gateway.graphql.ids import decode
from pangate.house import House
from pangate.work import Work
from schema.activities import HarvestMode

pytestmark = [
    pytest.mark.nginx,
    pytest.mark.redis,
    pytest.mark.postgresql,
    pytest.mark.elasticsearch,
    pytest.mark.oidc,
    pytest.mark.crash,
    pytest.mark.timeout(600),
]
BOHR = PEOPLE[1]
MANY, READERS = 800, 8
LATE = (b"took too long", b"has not answered in")
SEARCH = '{ datasets(query: "neutron", first: 20) { totalCount nodes { pid title } } }'
ANALYSE = "mutation($i: AnalyseInput!) { analyse(input: $i) { launch { id state } } }"
STOP = "mutation($i: StopLaunchInput!) { stopLaunch(input: $i) { launch { state } } }"
FOLLOW = "subscription($id: ID!) { launch(id: $id) { state } }"
TLS = """
    map $http_upgrade $kind { default upgrade; '' close; }
    server {
        listen 127.0.0.1:PORT ssl; ssl_certificate FOLDER/pem; ssl_certificate_key FOLDER/key;
        location / {
            proxy_pass INNER; proxy_http_version 1.1; proxy_buffering off;
            proxy_set_header Host $http_host; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $kind;
            proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto https;
        }
    }
"""
"""What a site has before its catalogue, as docs/operator.md asks for it: what a client says of himself is replaced."""


@dataclass
class Site:
    """The federation behind the proxy. `url` is the public address, by https."""

    house: PartedHouse
    gateways: list[Program]
    proxy: Nginx
    front: Nginx
    trusted: Authority
    readers: Iterator[int]

    @property
    def url(self) -> str:
        """What people type."""
        return f"https://127.0.0.1:{self.front.port}"

    def visitor(self) -> Visitor:
        """Somebody with a browser that trusts our authority."""
        somebody = Visitor(self.url)
        somebody.browser.verify = str(self.trusted.file)
        return somebody

    def read(self, path: str, body: Any = None, reader: int | None = None, **headers: str) -> tuple[int, bytes]:
        """Status and body of a question to the inner proxy, by a reader with an address of his own."""
        number = next(self.readers) if reader is None else reader
        source = (f"127.1.{number // 250}.{number % 250 + 1}", 0)
        link = http.client.HTTPConnection("127.0.0.1", self.proxy.port, timeout=60, source_address=source)
        sent = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        link.request("GET" if sent is None else "POST", path, sent, {"Content-Type": "application/json", **headers})
        try:
            answer = link.getresponse()
            return answer.status, answer.read()
        finally:
            link.close()


@pytest.fixture(scope="module")
def crowded() -> Iterator[SmallFederation]:
    """A federation with more datasets than any buffer of a proxy holds."""
    with small_federation(MANY, real_time=True) as federation:
        yield federation


@pytest.fixture(scope="module")
def site(
    tmp_path_factory: pytest.TempPathFactory,
    postgresql: Postgresql,
    elasticsearch: Elasticsearch,
    crowded: SmallFederation,
) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    trusted, ports = authority(folder), [free_port(), free_port()]
    certificate, key = trusted.server("front", "127.0.0.1")
    with ExitStack() as open_:
        try:
            proxy = open_.enter_context(deployed(ports))
            front = open_.enter_context(Nginx(alone(TLS.replace("INNER", proxy.url)), {"pem": certificate, "key": key}))
            redis = open_.enter_context(Redis())
        except Missing as error:
            pytest.skip(str(error))
        house = _house(folder, postgresql, elasticsearch, crowded, redis, f"https://127.0.0.1:{front.port}", open_)
        open_.callback(house.end)
        with house.opened(write_index=True) as inside:
            Work(inside).harvest("freya/scicat", HarvestMode.FULL)
            inside.projector.project()
        gateways = [house.start("serve", port=port) for port in ports]
        house.ready(*gateways)
        yield Site(house, gateways, proxy, front, trusted, itertools.count())
        assert not [line for line in proxy.all_said().splitlines() if _grave(line)]


def _grave(line: str) -> bool:
    return any(word in line for word in ("[emerg]", "[alert]", "[crit]", "temporary file"))


def _house(
    folder: Path,
    postgresql: Postgresql,
    elasticsearch: Elasticsearch,
    world: SmallFederation,
    redis: Redis,
    url: str,
    open_: ExitStack,
) -> PartedHouse:
    name = f"site{free_port()}"
    client = Client("pangate", (f"{url}/login/callback",))
    issuer = open_.enter_context(identity([client]))
    settings = {
        "PANGATE_FEDERATION": str(world.file(folder, 500)),
        "PANGATE_DATA": str(folder / "data"),
        "PANGATE_DATABASE": postgresql.database(name),
        "PANGATE_INDEX": elasticsearch.url,
        "PANGATE_INDEX_PREFIX": name,
        "PANGATE_BROKER": redis.url,
        "PANGATE_URL": url,
        "PANGATE_OIDC_ISSUER": issuer,
        "PANGATE_OIDC_CLIENT_ID": "pangate",
        "PANGATE_OIDC_CLIENT_SECRET": client.secret,
    }
    return PartedHouse(folder, settings, SECRETS)


def test_a_person_signs_in_over_https_and_follows_a_session_by_events_and_by_web_socket(
    site: Site, crowded: SmallFederation
) -> None:
    visitor = site.visitor()
    visitor.sign_in(BOHR.name, BOHR.password)
    (cookie,) = [each for each in visitor.browser.cookies if each.name == "__Host-pangate"]
    assert cookie.secure
    (found,) = visitor.ask("{ datasets(first: 1) { nodes { pid } } }")["datasets"]["nodes"]
    launch = visitor.ask(ANALYSE, i={"dataset": found["pid"], "key": "proxy"})["analyse"]["launch"]
    with site.house.opened() as inside:
        socket = _socket(site, cookie.value or "")
        _say(socket, type="connection_init")
        assert _heard(socket) == {"type": "connection_ack"}
        _say(socket, type="subscribe", id="1", payload={"query": FOLLOW, "variables": {"id": launch["id"]}})
        events = visitor.follow(FOLLOW, id=launch["id"])
        now = launch["state"]
        while now != "STOPPED":  # each step is seen by both before the next is taken: nothing waits in a buffer
            while _state(next(events)) != now:
                pass
            while _state(_heard(socket)["payload"]) != now:
                pass
            if now == "READY":
                visitor.ask(STOP, i={"launch": launch["id"]})
            now = _step(inside, launch["id"])
            assert now != "FAILED"
        assert [_state(payload) for payload in events][-1] == now, "the stream ends by itself"
        while (heard := _heard(socket))["type"] == "next":
            pass
        assert heard == {"type": "complete", "id": "1"}
        socket.close()
    assert not crowded.hub.users[BOHR.name]


def _step(house: House, launch: str) -> str:
    """What the launch worker would do next, as soon as it is due; the state after it."""
    _, id = decode(launch) or ("", "")
    before = house.launches.launch(id)
    assert before is not None
    until(lambda: Work(house).advance(id) or house.launches.launch(id).state is not before.state)  # type: ignore[union-attr]
    return house.launches.launch(id).state.value  # type: ignore[union-attr]


def _socket(site: Site, session: str) -> websocket.WebSocket:
    made = websocket.create_connection(
        f"wss://127.0.0.1:{site.front.port}/graphql",
        timeout=120,
        subprotocols=["graphql-transport-ws"],
        origin=site.url,
        cookie=f"__Host-pangate={session}",
        sslopt={"context": ssl.create_default_context(cafile=str(site.trusted.file))},
    )
    assert made.getsubprotocol() == "graphql-transport-ws"
    return made


def _say(socket: websocket.WebSocket, **message: Any) -> None:
    socket.send(json.dumps(message))


def _heard(socket: websocket.WebSocket) -> Any:
    return json.loads(socket.recv())


def _state(payload: Any) -> str:
    return str(payload["data"]["launch"]["state"])


def test_the_whole_catalogue_streams_through_as_it_is_made(site: Site) -> None:
    direct = requests.get(f"http://127.0.0.1:{site.gateways[0].port}/dcat.ttl", timeout=60).content
    assert len(direct) > 1_500_000
    with requests.get(f"{site.url}/dcat.ttl", stream=True, timeout=60, verify=str(site.trusted.file)) as answer:
        assert answer.headers["Transfer-Encoding"] == "chunked"
        assert answer.headers["ETag"]
        told = hashlib.sha256(b"".join(answer.iter_content(8192)))
    assert told.digest() == hashlib.sha256(direct).digest()


def test_nobody_gets_round_the_rate_limit_by_naming_other_addresses(site: Site) -> None:
    broad = {"query": "{ datasets(first: 100) { nodes { pid } } }"}
    statuses = Counter[int]()
    for number in range(60):
        status, body = site.read("/graphql", broad, reader=1, **{"X-Forwarded-For": f"198.51.100.{number}"})
        statuses[status] += 1
        if status not in (200, 503):  # 503: it took longer than the two seconds of a search
            assert b"RATE_LIMITED" in body
            break
    assert statuses[429] == 1, statuses
    forged = {
        "X-Forwarded-For": "198.51.100.1, 127.0.0.1",
        "Forwarded": "for=198.51.100.2",
        "X-Real-IP": "198.51.100.3",
    }
    refused = [site.read("/graphql", broad, reader=1, **forged)[0] for _ in range(4)]
    assert 429 in refused, refused
    until(lambda: site.read("/graphql", broad, reader=2)[0] == 200, 30)  # others are served meanwhile


def test_what_is_too_large_or_not_for_readers_ends_at_the_proxy_or_right_behind_it(site: Site) -> None:
    status, body = site.read("/graphql", b" " * 100_000)
    assert (status, b"LIMIT_EXCEEDED" in body) == (413, True)
    assert site.read("/graphql", b" " * 200_000)[0] == 413
    assert site.read("/metrics")[0] == 404
    assert site.read("/livez")[0] == 200


def _told(status: int, body: bytes) -> str:
    """In a word what a question to /graphql came to; a search that took longer than its two seconds is the busy machine's."""
    if any(words in body for words in LATE):
        return "late"
    return "ok" if status == 200 and json.loads(body)["data"]["datasets"]["nodes"] else f"{status} {body[:200]!r}"


@contextmanager
def everybody_searches(site: Site) -> Iterator[Counter[str]]:
    """Readers at any moment, and what became of their questions; "cut": an answer ended before its time."""
    told: Counter[str] = Counter()
    done = threading.Event()

    def search() -> None:
        while not done.is_set():
            try:
                status, body = site.read("/graphql", {"query": SEARCH})
                told[_told(status, body)] += 1
            except http.client.IncompleteRead:
                told["cut"] += 1
            except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
                told[repr(error)] += 1

    threads = [threading.Thread(target=search) for _ in range(READERS)]
    for thread in threads:
        thread.start()
    try:
        yield told
    finally:
        done.set()
        for thread in threads:
            thread.join(40)


def test_a_gateway_that_is_killed_or_ends_and_a_proxy_that_reads_its_file_anew_are_noticed_by_nobody(
    site: Site,
) -> None:
    house, (first, second) = site.house, site.gateways
    with everybody_searches(site) as told:

        def wrong() -> set[str]:
            return set(told) - {"ok", "late", "cut"}

        def more(count: int) -> None:
            goal = told["ok"] + count
            until(lambda: told["ok"] >= goal or wrong())

        def back(program: Program) -> Program:
            new = house.start("serve", port=program.port)
            house.ready(new)
            until(lambda: _searched(new) > 0 or wrong(), about=site.proxy.all_said)
            return new

        more(60)
        assert min(_searched(first), _searched(second)) > 5, "both gateways are asked"
        first.end(signal.SIGKILL)
        more(100)
        cut = told["cut"]
        assert cut <= READERS, "only answers whose head had left when it was killed: no proxy can take that back"
        first = back(first)
        assert second.end(signal.SIGTERM) == 0, "an end that was asked for is no failure"
        more(100)
        second = back(second)
        site.proxy.reload()
        more(100)
    assert not wrong(), told
    assert told["cut"] == cut, "whoever ends as asked, and a proxy that reads its file anew, cut nothing off"
    assert told["late"] <= told["ok"] / 5, told
    site.gateways[:] = [first, second]
    assert site.front.all_said().count("upstream prematurely") <= cut


def _searched(gateway: Program) -> float:
    """How many questions to /graphql it has answered."""
    return figure(gateway, 'pangate_http_request_seconds_count{route="/graphql"}')
