"""The demo's identity server, as an OIDC client meets it."""

from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_hex
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import psutil
import pytest
import requests
from requests_oauthlib import OAuth2Session
from sign_in import sign_in

from demo.identity import Client, identity
from demo.people import OPERATORS, PEOPLE, Person

pytestmark = pytest.mark.oidc
SCOPE = "openid profile email groups"
ADA, BOHR, CURIE = PEOPLE


class _Callback(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Tests are silent."""


@dataclass(frozen=True)
class Realm:
    issuer: str
    client: Client
    other: Client
    back: str


@pytest.fixture(scope="module")
def realm() -> Iterator[Realm]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Callback) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        back = f"http://127.0.0.1:{server.server_port}"
        client, other = (
            Client("pangate", (f"{back}/login/callback",)),
            Client("jupyterhub", (f"{back}/hub/oauth_callback",)),
        )
        with identity([client, other]) as issuer:
            yield Realm(issuer, client, other, back)
        server.shutdown()


def flow(realm: Realm, client: Client) -> OAuth2Session:
    return OAuth2Session(client.id, redirect_uri=client.redirects[0], scope=SCOPE, pkce="S256")


def come_back(realm: Realm, browser: requests.Session, oauth: OAuth2Session, person: Person) -> str:
    """Sign in as a person in that browser; the address the client is called back at."""
    url, _state = oauth.authorization_url(f"{realm.issuer}/oauth/authorize", nonce=f"{person.name}-{token_hex()}")
    return sign_in(browser, url, person.name, person.password).url


def tokens(realm: Realm, person: Person, browser: requests.Session | None = None) -> dict[str, str]:
    oauth = flow(realm, realm.client)
    back = come_back(realm, browser or requests.Session(), oauth, person)
    return exchange(realm, oauth, back)


def exchange(realm: Realm, oauth: OAuth2Session, back: str) -> dict[str, str]:
    code = parse_qs(urlsplit(back).query)["code"][0]
    auth = requests.auth.HTTPBasicAuth(realm.client.id, realm.client.secret)
    return dict(oauth.fetch_token(f"{realm.issuer}/oauth/token", code=code, auth=auth))


@pytest.fixture(autouse=True)
def plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


def claims(realm: Realm, token: str) -> dict[str, Any]:
    keys = jwt.PyJWKClient(f"{realm.issuer}/oauth/jwks.json")
    key = keys.get_signing_key_from_jwt(token)
    return dict(jwt.decode(token, key, algorithms=["RS256"], audience=realm.client.id, issuer=realm.issuer))


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)
def test_id_token_access_token_and_userinfo_tell_the_same_about_a_person(realm: Realm, person: Person) -> None:
    given = tokens(realm, person)
    userinfo = requests.get(
        f"{realm.issuer}/oauth/userinfo", headers={"Authorization": f"Bearer {given['access_token']}"}, timeout=60
    )

    for told in (claims(realm, given["id_token"]), claims(realm, given["access_token"]), userinfo.json()):
        assert told["sub"] == told["preferred_username"] == person.name
        assert told["name"] == f"{person.given} {person.family}"
        assert set(told.get("groups", ())) == set(person.groups)
    assert claims(realm, given["id_token"])["nonce"].startswith(f"{person.name}-")


def test_one_is_an_operator_and_one_has_no_groups_at_all() -> None:
    assert OPERATORS in ADA.groups
    assert OPERATORS not in BOHR.groups
    assert CURIE.groups == ()


def test_a_wrong_password_is_refused(realm: Realm) -> None:
    url, _state = flow(realm, realm.client).authorization_url(f"{realm.issuer}/oauth/authorize")
    with pytest.raises(AssertionError, match="password of bohr was refused"):
        sign_in(requests.Session(), url, "bohr", "not-complementary")


def test_the_second_client_shows_no_form_and_no_consent(realm: Realm) -> None:
    browser = requests.Session()
    come_back(realm, browser, flow(realm, realm.client), BOHR)
    url, _state = flow(realm, realm.other).authorization_url(f"{realm.issuer}/oauth/authorize")
    straight = browser.get(url, timeout=60)
    assert straight.url.startswith(realm.other.redirects[0] + "?code=")
    assert len(straight.history) == 1


def test_everybody_gets_their_own_code_when_all_sign_in_at_the_same_moment(realm: Realm) -> None:
    under_way = []
    for person in PEOPLE * 3:
        oauth = flow(realm, realm.client)
        under_way.append((person, oauth, come_back(realm, requests.Session(), oauth, person)))
    for person, oauth, back in under_way:
        assert claims(realm, exchange(realm, oauth, back)["id_token"])["sub"] == person.name


def test_a_code_is_worth_nothing_without_its_verifier_or_its_secret_or_twice(realm: Realm) -> None:
    right, wrong = (realm.client.id, realm.client.secret), (realm.client.id, "guessed")

    def good() -> dict[str, str]:
        oauth = flow(realm, realm.client)
        code = parse_qs(urlsplit(come_back(realm, requests.Session(), oauth, ADA)).query)["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": realm.client.redirects[0]}
        return {**form, "code_verifier": oauth._code_verifier}

    def ask(fields: dict[str, str], auth: tuple[str, str]) -> int:
        return requests.post(f"{realm.issuer}/oauth/token", data=fields, auth=auth, timeout=60).status_code

    assert ask({**good(), "code_verifier": "x" * 43}, right) == 400
    assert ask(good(), wrong) == 401
    once = good()
    assert ask(once, right) == 200
    assert ask(once, right) == 400


def test_a_refresh_token_gives_new_tokens_once(realm: Realm) -> None:
    given = tokens(realm, BOHR)
    form = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}

    def ask() -> requests.Response:
        return requests.post(
            f"{realm.issuer}/oauth/token", data=form, auth=(realm.client.id, realm.client.secret), timeout=60
        )

    fresh = ask()
    assert fresh.status_code == 200
    assert claims(realm, fresh.json()["access_token"])["sub"] == "bohr"
    assert ask().status_code == 400


def test_signing_out_ends_the_sign_on_and_leads_back(realm: Realm) -> None:
    browser = requests.Session()
    given = tokens(realm, CURIE, browser)
    fields = {
        "id_token_hint": given["id_token"],
        "post_logout_redirect_uri": f"{realm.back}/",
        "client_id": realm.client.id,
    }
    out = browser.get(f"{realm.issuer}/oauth/end_session", params=fields, timeout=60)
    assert out.url == f"{realm.back}/"
    url, _state = flow(realm, realm.other).authorization_url(f"{realm.issuer}/oauth/authorize")
    assert "/login" in browser.get(url, timeout=60).url


def test_a_redirect_that_was_not_registered_is_refused(realm: Realm) -> None:
    oauth = OAuth2Session(realm.client.id, redirect_uri="http://127.0.0.1:1/stolen", scope=SCOPE, pkce="S256")
    url, _state = oauth.authorization_url(f"{realm.issuer}/oauth/authorize")
    browser = requests.Session()
    come_back(realm, browser, flow(realm, realm.client), ADA)
    answer = browser.get(url, allow_redirects=False, timeout=60)
    assert answer.status_code == 400


def test_nothing_is_left_when_the_context_ends() -> None:
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    with identity([Client("pangate", ("http://127.0.0.1:1/login/callback",))]) as issuer:
        assert requests.get(f"{issuer}/.well-known/openid-configuration", timeout=60).json()["issuer"] == issuer
    assert {process.pid for process in psutil.Process().children(recursive=True)} <= before
    with pytest.raises(requests.ConnectionError):
        requests.get(issuer, timeout=5)
