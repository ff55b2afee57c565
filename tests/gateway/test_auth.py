"""Signing in, through the application, against an issuer that can be made to misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import rsa
from doubles.issuer import Issuer, issuer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from catalogue.ports import Session
from gateway.auth import Auth, local
from gateway.cookies import jar
from gateway.provider import Client, Provider
from gateway.vault import Vault, hashed
from gateway.web import Errors
from schema.access import ANONYMOUS
from schema.errors import PangateError
from schema.federation import Federation
from schema.membership import viewer_of

HERE = "http://127.0.0.1:8080"


class Rows:
    """gateway.ports.Sessions in memory."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 12, tzinfo=UTC)
        self.sessions: dict[str, Session] = {}
        self.states: dict[str, tuple[bytes, datetime]] = {}
        self.locked = False

    async def put(self, session: Session) -> None:
        self.sessions[session.hash] = session

    async def get(self, hash: str) -> Session | None:
        found = self.sessions.get(hash)
        return found if found and found.expires > self.now else None

    async def refresh_lock(self, hash: str) -> bool:
        return not self.locked

    async def remove(self, hash: str) -> None:
        self.sessions.pop(hash, None)

    async def put_state(self, state: str, data: bytes, expires: datetime) -> None:
        self.states[state] = (data, expires)

    async def take_state(self, state: str) -> bytes | None:
        data, expires = self.states.pop(state, (None, self.now))
        return data if expires > self.now else None


class World:
    """An application that signs people in, and a browser."""

    def __init__(self, there: Issuer) -> None:
        self.there, self.rows = there, Rows()
        client = Client(there.url, "pangate", "hush", f"{HERE}/login/callback")
        self.auth = Auth(
            Provider(client),
            self.rows,
            Vault(b"x" * 32),
            jar(HERE),
            lambda claims: viewer_of(claims, Federation(), "crew"),
            lambda: self.rows.now,
        )

        async def me(request: Request) -> JSONResponse:
            visit = await self.auth.visit(request)
            return JSONResponse(
                {"subject": visit.viewer.subject, "csrf": visit.csrf, "roles": sorted(visit.viewer.roles)}
            )

        async def no_page(request: Request, status: int, code: str, message: str, correlation: str) -> JSONResponse:
            return JSONResponse({"message": message}, status)

        app = Starlette(
            routes=[*self.auth.routes(), Route("/me", me)], exception_handlers={PangateError: Errors(no_page).ours}
        )
        self.browser = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=HERE)

    async def begin(self, next: str = "/") -> dict[str, str]:
        """The query of the authorize address the browser is sent to."""
        answer = await self.browser.get("/login", params={"next": next})
        assert answer.status_code == 302
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}

    async def come_back(self, asked: dict[str, str], **more: str) -> httpx.Response:
        code = self.there.grant(asked["nonce"], asked["code_challenge"])
        return await self.browser.get("/login/callback", params={"code": code, "state": asked["state"], **more})

    async def sign_in(self) -> httpx.Response:
        return await self.come_back(await self.begin())

    async def me(self) -> dict[str, object]:
        return dict((await self.browser.get("/me")).json())


@pytest.fixture(autouse=True)
def plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("OAUTHLIB_RELAX_TOKEN_SCOPE", "1")


@pytest.fixture
def there() -> Iterator[Issuer]:
    with issuer() as made:
        yield made


@pytest.fixture
async def world(there: Issuer) -> AsyncIterator[World]:
    made = World(there)
    yield made
    await made.browser.aclose()


async def test_a_person_signs_in_and_is_known(world: World) -> None:
    asked = await world.begin("/dataset/10.5442/nd1")
    assert (asked["code_challenge_method"], asked["response_type"]) == ("S256", "code")
    answer = await world.come_back(asked)
    assert (answer.status_code, answer.headers["location"]) == (303, "/dataset/10.5442/nd1")
    assert (await world.me())["subject"] == "ada"
    assert (await world.me())["roles"] == ["operator"]


async def test_the_cookie_carries_an_id_alone_and_the_row_no_readable_token(world: World) -> None:
    answer = await world.sign_in()
    cookie = next(line for line in answer.headers.get_list("set-cookie") if line.startswith("pangate-session="))
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    id = cookie.split("=", 1)[1].split(";", 1)[0]
    (row,) = world.rows.sessions.values()
    assert row.hash == hashed(id)
    assert b"access" not in row.tokens
    assert id not in repr(row)


async def test_a_sign_in_that_another_browser_began_is_refused(world: World) -> None:
    asked = await world.begin()
    world.browser.cookies.clear()
    assert (await world.come_back(asked)).status_code == 403


async def test_an_answer_is_taken_once(world: World) -> None:
    asked = await world.begin()
    assert (await world.come_back(asked)).status_code == 303
    assert (await world.come_back(asked)).status_code == 403


async def test_a_sign_in_that_took_too_long_is_refused(world: World) -> None:
    asked = await world.begin()
    world.rows.now += timedelta(minutes=11)
    assert (await world.come_back(asked)).status_code == 403


async def test_an_answer_of_another_issuer_is_refused(world: World) -> None:
    assert (await world.come_back(await world.begin(), iss="https://evil.example.org")).status_code == 403


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example.org"},
        {"aud": "another"},
        {"exp": 1},
        {"iat": 4_102_444_800},
        {"nonce": "of another sign-in"},
        {"sub": None},
    ],
)
async def test_a_token_that_says_something_else_is_refused(world: World, claims: dict[str, object]) -> None:
    world.there.claims = claims
    assert (await world.sign_in()).status_code == 403
    assert not world.rows.sessions


async def test_a_token_signed_by_another_key_is_refused(world: World) -> None:
    world.there.signing = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    assert (await world.sign_in()).status_code == 403


async def test_an_unsigned_token_is_refused(world: World) -> None:
    world.there.signing, world.there.algorithm = None, "none"
    assert (await world.sign_in()).status_code == 403


async def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(world: World) -> None:
    world.there.signing, world.there.algorithm = "a-shared-secret-of-some-length-here", "HS256"
    assert (await world.sign_in()).status_code == 403


async def test_an_issuer_that_calls_itself_otherwise_is_told(world: World) -> None:
    world.there.calls_itself = "https://other.example.org"
    answer = await world.browser.get("/login")
    assert answer.status_code == 503
    assert "PANGATE_OIDC_ISSUER" in answer.text


async def test_userinfo_of_somebody_else_changes_nothing(world: World) -> None:
    world.there.userinfo = {"sub": "bohr", "groups": ["crew"]}
    await world.sign_in()
    assert (await world.me())["roles"] == []


async def test_tokens_are_refreshed_before_they_run_out_and_groups_follow(world: World) -> None:
    world.there.lifetime = 10
    await world.sign_in()
    world.there.userinfo = {"sub": "ada", "groups": []}
    assert (await world.me())["roles"] == []
    assert world.there.token_requests[-1]["grant_type"] == "refresh_token"


async def test_while_another_request_refreshes_what_is_known_stays_good(world: World) -> None:
    world.there.lifetime = 10
    await world.sign_in()
    world.rows.locked = True
    assert (await world.me())["subject"] == "ada"
    assert len(world.there.token_requests) == 1


async def test_new_tokens_are_kept_though_whoever_asked_has_gone_away(world: World, monkeypatch) -> None:
    world.there.lifetime = 10
    await world.sign_in()
    (before,) = world.rows.sessions.values()
    keep, reached, go_on, kept = world.rows.put, asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(session: Session) -> None:
        reached.set()
        await go_on.wait()
        await keep(session)
        kept.set()

    monkeypatch.setattr(world.rows, "put", slow)
    asking = asyncio.create_task(world.me())
    await asyncio.wait_for(reached.wait(), 30)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert asking.cancelled()
    go_on.set()
    await asyncio.wait_for(kept.wait(), 30)
    assert world.rows.sessions[before.hash].tokens != before.tokens


async def test_a_session_that_the_provider_ended_ends_here(world: World) -> None:
    world.there.lifetime = 10
    await world.sign_in()
    world.there.refresh_ok = False
    assert (await world.me())["subject"] == ""
    assert not world.rows.sessions


async def test_signing_out_needs_this_sessions_token_and_ends_it(world: World) -> None:
    await world.sign_in()
    assert (await world.browser.post("/logout", data={"csrf": "forged"})).status_code == 403
    csrf = (await world.me())["csrf"]
    answer = await world.browser.post("/logout", data={"csrf": str(csrf)})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{world.there.url}/logout?")
    assert (await world.me())["subject"] == ""


async def test_without_a_provider_nobody_signs_in_and_everybody_is_told() -> None:
    auth = Auth(None, Rows(), Vault(b"x" * 32), jar(HERE), lambda claims: ANONYMOUS, lambda: datetime.now(UTC))

    async def page(request: Request, status: int, code: str, message: str, correlation: str) -> JSONResponse:
        return JSONResponse({}, status)

    app = Starlette(routes=auth.routes(), exception_handlers={PangateError: Errors(page).ours})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=HERE) as browser:
        answer = await browser.get("/login")
    assert (answer.status_code, answer.json()["code"]) == (503, "UNAVAILABLE")


@pytest.mark.parametrize(
    "next",
    [
        "//evil.example.org",
        "https://evil.example.org",
        "/\\evil.example.org",
        "javascript:1",
        "",
        "/a\nb",
        "/" + "a" * 3000,
    ],
)
def test_after_signing_in_nobody_is_led_elsewhere(next: str) -> None:
    assert local(next) == "/"


def test_sessions_never_travel_in_clear_beyond_this_machine() -> None:
    with pytest.raises(ValueError, match="https"):
        jar("http://catalogue.example.org")
    assert jar("https://catalogue.example.org").session == "__Host-pangate"


def test_what_is_sealed_opens_in_its_own_context_alone() -> None:
    vault = Vault(b"k" * 32)
    sealed = vault.seal(b"plain", "one")
    assert vault.unseal(sealed, "one") == b"plain"
    with pytest.raises(InvalidTag):
        vault.unseal(sealed, "two")
    assert vault.key("cursors") != vault.key("sessions")


def test_the_double_is_a_jwt_issuer_at_all(there: Issuer) -> None:
    assert jwt.get_unverified_header(there.id_token("n"))["kid"] == "one"
