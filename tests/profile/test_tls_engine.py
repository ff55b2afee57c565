"""A real Elasticsearch node reached by https with a CA file, by API key and by password: everything works, and what is wrong with a
certificate or login is told with its remedy and without the secret. TLS and logins are nginx's, before the node: the node's own module for
them is in no artifact that these tests can have."""

from __future__ import annotations

import base64
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import requests
from certificates import Authority, authority
from parted_house import PartedHouse, Program, shown
from servers.daemon import Missing, free_port
from servers.elasticsearch import Elasticsearch
from servers.nginx import Nginx, alone
from small_federation import SECRETS, SmallFederation
from waiting import until

from schema.errors import Misconfigured
from schema.records import Kind

pytestmark = [pytest.mark.nginx, pytest.mark.elasticsearch, pytest.mark.timeout(600)]
KEY = base64.b64encode(b"pangate:a-key-nobody-tells").decode()
PASSWORD = "a-password-nobody-tells"
BASIC = base64.b64encode(f"pangate:{PASSWORD}".encode()).decode()
LOGINS = {
    "key": {"PANGATE_INDEX_API_KEY": KEY},
    "password": {"PANGATE_INDEX_USER": "pangate", "PANGATE_INDEX_PASSWORD": PASSWORD},
}
SEARCH = {"query": "{ datasets(first: 5) { totalCount nodes { pid } } }"}
REFUSAL = '{"error":{"type":"security_exception","reason":"unable to authenticate"},"status":401}'
"""As Elasticsearch 8 words it (its documentation of API keys)."""
SERVER = """
    server {
        listen 127.0.0.1:%(port)s ssl; ssl_certificate FOLDER/%(name)s.pem; ssl_certificate_key FOLDER/%(name)s.key;
        client_max_body_size 0;
        auth_basic $asked; auth_basic_user_file FOLDER/people; error_page 401 = @refused;
        location / { proxy_pass NODE; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Authorization ""; }
        location @refused { auth_basic off; add_header X-Elastic-Product Elasticsearch always; default_type application/json;
            return 401 '%(refusal)s'; }
    }
"""
LOGIN = """
    map $http_authorization $asked { default pangate; "ApiKey %s" off; }
    server { listen 127.0.0.1:PORT; }
"""


@dataclass
class Guarded:
    """The node behind TLS. `ports` are by what is to be said of the certificate there: good, expired, elsewhere."""

    nginx: Nginx
    trusted: Authority
    other: Authority
    ports: dict[str, int]
    node: str

    def url(self, name: str = "good") -> str:
        """The address with that certificate."""
        return f"https://127.0.0.1:{self.ports[name]}"

    def swap(self, name: str) -> None:
        """Have the address with the good certificate show that one from now on."""
        for ending in ("pem", "key"):
            (self.nginx.folder / f"good.{ending}").write_bytes((self.trusted.folder / f"{name}.{ending}").read_bytes())
        self.nginx.reload()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, elasticsearch: Elasticsearch) -> Iterator[Guarded]:
    folder = tmp_path_factory.mktemp("guarded")
    trusted, other = authority(folder), authority(folder, "Somebody else")
    made = {
        "good": trusted.server("good", "127.0.0.1", "localhost"),
        "expired": trusted.server("expired", "127.0.0.1", days=-1),
        "elsewhere": trusted.server("elsewhere", "search.example.org"),
    }
    ports = {name: free_port() for name in made}
    servers = [SERVER % {"port": ports[name], "name": name, "refusal": REFUSAL} for name in made]
    (folder / "people").write_text(f"pangate:{{PLAIN}}{PASSWORD}\n")
    files = {path.name: path for pair in made.values() for path in pair} | {"people": folder / "people"}
    text = alone(LOGIN % KEY + "".join(servers))
    with ExitStack() as open_:
        try:
            nginx = open_.enter_context(Nginx(text.replace("NODE", elasticsearch.url), files))
        except Missing as error:
            pytest.skip(str(error))
        yield Guarded(nginx, trusted, other, ports, elasticsearch.url)


def house(folder: Path, guarded: Guarded, world: SmallFederation, name: str = "good", **more: str) -> PartedHouse:
    """A federation on one machine whose index is the node."""
    settings = {
        "PANGATE_FEDERATION": str(world.file(folder)),
        "PANGATE_DATA": str(folder / "data"),
        "PANGATE_INDEX": guarded.url(name),
        "PANGATE_INDEX_CA": str(guarded.trusted.file),
        "PANGATE_INDEX_PREFIX": f"tls{folder.stat().st_ino}",
        "PANGATE_RATE_LIMIT": "false",
    }
    return PartedHouse(folder, settings | more, SECRETS)


def found(gateway: Program) -> Any:
    """The answer to a search: the number of datasets, or the code of the error."""
    answer = requests.post(f"http://127.0.0.1:{gateway.port}/graphql", json=SEARCH, timeout=30).json()
    return answer["errors"][0]["extensions"]["code"] if "errors" in answer else answer["data"]["datasets"]["totalCount"]


def all_found(site: PartedHouse, gateway: Program) -> int:
    """How many datasets are found once both facilities are harvested and the index has everything: as many as are public."""
    with site.opened() as inside:
        shown(inside, gateway.said)
        kept = [each for each in inside.truth.walk() if each.record.kind is Kind.DATASET]
    count = until(lambda: isinstance(count := found(gateway), int) and count, 60, gateway.said)
    assert count == sum(each.public_number is not None for each in kept) > 20
    return int(count)


def why(gateway: Program) -> str:
    """What is said of the index by the one who watches."""
    return str(requests.get(f"http://127.0.0.1:{gateway.port}/readyz", timeout=30).json()["parts"]["index"])


def tells_no_secret(*told: str) -> bool:
    return not any(secret in text for text in told for secret in (KEY, PASSWORD, BASIC, "a-key-nobody-tells"))


def test_harvest_projection_search_rebuild_and_doctor_work_over_tls_by_key_and_by_password(
    tmp_path: Path, guarded: Guarded, world: SmallFederation
) -> None:
    said: list[str] = []
    counts: list[int] = []
    for login, command in (("key", "rebuild"), ("password", "doctor")):
        site = house(tmp_path, guarded, world, **LOGINS[login])
        try:
            gateway = site.start("serve")
            site.ready(gateway)
            counts.append(all_found(site, gateway))
            done = site.run(command, "--json")
            assert done.returncode == 0, done.stdout + done.stderr
            assert '"fault"' not in done.stdout
            counts.append(all_found(site, gateway))
            assert gateway.end() == 0
            said += [gateway.said(), done.stdout, done.stderr]
        finally:
            site.end()
    assert len(set(counts)) == 1, "harvested, rebuilt, served anew: always the same"
    assert tells_no_secret(*said)
    assert not any("Traceback" in text for text in said)


CASES = {
    "authority": (
        {"PANGATE_INDEX_CA": "OTHER"},
        "Name the authority that has signed it as the CA file (PANGATE_INDEX_CA)",
    ),
    "no authority": (
        {"PANGATE_INDEX_CA": ""},
        "Name the authority that has signed it as the CA file (PANGATE_INDEX_CA)",
    ),
    "expired": ({"PANGATE_INDEX": "expired"}, "has run out. Give the server a new one"),
    "elsewhere": ({"PANGATE_INDEX": "elsewhere"}, "is for another host. Use the name it is for"),
    "key": (
        {"PANGATE_INDEX_API_KEY": KEY[:-4] + "AAA="},
        "refuses our login (401, security_exception). Correct the API key",
    ),
    "password": (
        {"PANGATE_INDEX_API_KEY": "", "PANGATE_INDEX_USER": "pangate", "PANGATE_INDEX_PASSWORD": f"{PASSWORD}-not"},
        "refuses our login (401, security_exception). Correct the API key or password",
    ),
    "nobody": ({"PANGATE_INDEX_API_KEY": ""}, "refuses our login (401, security_exception)"),
    "plain": ({"PANGATE_INDEX": "plain"}, "does not speak TLS. Correct the address"),
    "tls": ({"PANGATE_INDEX": "tls", "PANGATE_INDEX_CA": ""}, "is not Elasticsearch. Correct the address."),
    "half": ({"PANGATE_INDEX": "tls"}, "cannot be used: TLS options require scheme to be 'https'"),
    "file": ({"PANGATE_INDEX_CA": "KEYFILE"}, "holds no certificate. Name a file of PEM certificates."),
}


def wrong(case: str, folder: Path, guarded: Guarded, world: SmallFederation) -> PartedHouse:
    """A site with that fault."""
    named = {
        "OTHER": str(guarded.other.file),
        "KEYFILE": str(guarded.trusted.folder / "good.key"),
        "expired": guarded.url("expired"),
        "elsewhere": guarded.url("elsewhere"),
        "plain": guarded.node.replace("http:", "https:"),
        "tls": guarded.url().replace("https:", "http:"),
    }
    more = {key: named.get(value, value) for key, value in CASES[case][0].items()}
    site = house(folder, guarded, world, **{**LOGINS["key"], **more})
    return replace(site, settings={key: value for key, value in site.settings.items() if value})


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_with_a_certificate_or_a_login_is_refused_with_its_remedy(
    case: str, tmp_path: Path, guarded: Guarded, world: SmallFederation
) -> None:
    before = aliases(guarded)
    with pytest.raises(Misconfigured) as refused, wrong(case, tmp_path, guarded, world).opened(write_index=True):
        pass
    assert CASES[case][1] in str(refused.value)
    assert tells_no_secret(str(refused.value))
    assert aliases(guarded) == before, "nothing was written"


@pytest.mark.parametrize("case", ["expired", "password"])
def test_serve_ends_with_that_sentence_and_tells_no_secret(
    case: str, tmp_path: Path, guarded: Guarded, world: SmallFederation
) -> None:
    done = wrong(case, tmp_path, guarded, world).run("serve")
    assert done.returncode == 1
    assert CASES[case][1] in done.stderr
    assert "Traceback" not in done.stderr
    assert tells_no_secret(done.stdout, done.stderr)


def aliases(guarded: Guarded) -> Any:
    """Every index of the node and its aliases."""
    return requests.get(f"{guarded.node}/_alias", timeout=30).json()


def test_a_certificate_that_runs_out_while_a_gateway_serves_is_told_and_a_new_one_heals(
    tmp_path: Path, guarded: Guarded, world: SmallFederation
) -> None:
    site = house(tmp_path, guarded, world, **LOGINS["key"])
    try:
        gateway = site.start("serve")
        site.ready(gateway)
        assert all_found(site, gateway)
        guarded.swap("expired")
        until(lambda: "has run out" in why(gateway), 120, gateway.said)
        assert found(gateway) == "UNAVAILABLE"
        guarded.swap("good")
        until(lambda: isinstance(found(gateway), int), 120, gateway.said)
        until(lambda: why(gateway) == "ok", 120, gateway.said)
        assert gateway.end(signal.SIGTERM) == 0
        assert tells_no_secret(gateway.said())
        assert "Traceback" not in gateway.said(), gateway.said()[-3000:]
    finally:
        site.end()
        guarded.swap("good")
