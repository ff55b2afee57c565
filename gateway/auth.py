"""This file is signing in and out: OIDC code flow with PKCE, sessions kept as rows, and who asks.

Design section 3 (sign-in sessions) and reliability reference, 5.1.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from anyio import to_thread
from cryptography.exceptions import InvalidTag
from starlette.requests import HTTPConnection, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from catalogue.ports import Session
from gateway.cookies import Jar, drop, put, read
from gateway.ports import Sessions
from gateway.provider import Provider, Tokens
from gateway.vault import Vault, fresh_id, hashed, same
from schema.access import ANONYMOUS, Viewer
from schema.errors import Forbidden, Unavailable

SESSION = timedelta(hours=8)
LOGIN = timedelta(minutes=10)
_EARLY_S = 30.0

ToViewer = Callable[[Mapping[str, Any]], Viewer]


class Visit(msgspec.Struct, frozen=True):
    """Who asks: the viewer, and the session the browser's cookie named, if any."""

    viewer: Viewer
    session: Session | None = None

    @property
    def csrf(self) -> str:
        """The token that this session's forms carry."""
        return self.session.csrf if self.session else ""


class _Begun(msgspec.Struct, frozen=True):
    """What a begun sign-in needs at its end."""

    verifier: str
    nonce: str
    browser: str
    next: str


class Auth:
    """Sign-in by one provider (None: nobody can sign in), and the sessions it makes."""

    def __init__(
        self,
        provider: Provider | None,
        sessions: Sessions,
        vault: Vault,
        jar: Jar,
        to_viewer: ToViewer,
        clock: Callable[[], datetime],
    ) -> None:
        self.provider = provider
        self._sessions = sessions
        self._vault = vault
        self._jar = jar
        self._to_viewer = to_viewer
        self._clock = clock
        self._renewing: set[asyncio.Task[Session | None]] = set()

    def routes(self) -> list[Route]:
        """/login, its callback, and /logout."""
        return [
            Route("/login", self.login, methods=["GET"]),
            Route("/login/callback", self.callback, methods=["GET"]),
            Route("/logout", self.logout, methods=["POST"]),
        ]

    async def visit(self, request: HTTPConnection) -> Visit:
        """Who asks, by the session cookie; anonymous when it names none that lives."""
        id = read(request, self._jar.session)
        session = await self._sessions.get(hashed(id)) if id else None
        if session is None:
            return Visit(ANONYMOUS)
        session = await self._fresh(session)
        return Visit(session.viewer, session) if session else Visit(ANONYMOUS)

    async def login(self, request: Request) -> Response:
        """Send the browser to the provider."""
        if self.provider is None:
            raise Unavailable("Signing in is not set up here; everything public can be searched without.")
        state, nonce, browser = fresh_id(), fresh_id(), fresh_id()
        provider = self.provider
        url, verifier = await to_thread.run_sync(lambda: provider.begin(state, nonce))
        begun = _Begun(verifier, nonce, hashed(browser), local(request.query_params.get("next", "/")))
        sealed = self._vault.seal(msgspec.json.encode(begun), state)
        await self._sessions.put_state(hashed(state), sealed, self._clock() + LOGIN)
        response = RedirectResponse(url, 302, {"Cache-Control": "no-store"})
        put(response, self._jar, self._jar.login, browser, int(LOGIN.total_seconds()))
        return response

    async def callback(self, request: Request) -> Response:
        """The provider's answer: a session, or a plain refusal."""
        begun = await self._begun(request)
        asked = request.query_params
        if "error" in asked or "code" not in asked:
            raise Forbidden("The identity provider did not let you in; please try again.")
        provider = self.provider
        assert provider is not None
        tokens, claims = await to_thread.run_sync(
            lambda: provider.finish(asked["code"], begun.verifier, begun.nonce, asked.get("iss"))
        )
        id = fresh_id()
        now = self._clock()
        session = Session(
            hash=hashed(id),
            viewer=self._to_viewer(claims),
            csrf=fresh_id(),
            tokens=self._vault.seal(msgspec.json.encode(tokens), hashed(id)),
            expires=now + SESSION,
            created=now,
        )
        await self._sessions.put(session)
        response = RedirectResponse(begun.next, 303, {"Cache-Control": "no-store"})
        put(response, self._jar, self._jar.session, id, int(SESSION.total_seconds()))
        drop(response, self._jar, self._jar.login)
        return response

    async def logout(self, request: Request) -> Response:
        """End the session here and at the provider."""
        visit = await self.visit(request)
        await self.checked_form(request, visit)
        target = "/"
        if visit.session is not None:
            await self._sessions.remove(visit.session.hash)
            tokens, provider = self._tokens(visit.session), self.provider
            if tokens is not None and provider is not None:
                back = provider.client.redirect.removesuffix("login/callback")
                target = await to_thread.run_sync(lambda: provider.end_session(tokens.id, back) or "/")
        response = RedirectResponse(target, 303, {"Cache-Control": "no-store"})
        drop(response, self._jar, self._jar.session)
        return response

    async def checked_form(self, request: Request, visit: Visit) -> Mapping[str, str]:
        """The fields of a form that carries this session's token. Raises Forbidden for a forged one."""
        form = await request.form(max_files=0, max_fields=20, max_part_size=16_384)
        fields = {name: value for name, value in form.items() if isinstance(value, str)}
        if not visit.csrf or not same(fields.get("csrf", ""), visit.csrf):
            raise Forbidden("This page was out of date; please load it again and repeat.")
        return fields

    async def _begun(self, request: Request) -> _Begun:
        state, browser = request.query_params.get("state", "")[:128], read(request, self._jar.login)
        sealed = await self._sessions.take_state(hashed(state)) if state else None
        try:
            begun = msgspec.json.decode(self._vault.unseal(sealed, state), type=_Begun) if sealed else None
        except (InvalidTag, msgspec.DecodeError):
            begun = None
        if begun is None or browser is None or not same(hashed(browser), begun.browser):
            raise Forbidden("This sign-in was not begun in this browser, or too long ago; please sign in again.")
        return begun

    async def _fresh(self, session: Session) -> Session | None:
        """The session with tokens and groups as they are now; None when the provider has ended it. While the provider does not
        answer, or another request refreshes, what is known stays good until the session's own end."""
        tokens, provider = self._tokens(session), self.provider
        if tokens is None or provider is None:
            return None
        if tokens.refresh is None or time.time() < tokens.expires - _EARLY_S:
            return session
        renewing = asyncio.create_task(self._renewed(session, tokens, provider))
        self._renewing.add(renewing)
        renewing.add_done_callback(self._renewing.discard)
        return await asyncio.shield(renewing)  # the old token is spent by then, even if whoever asked has gone away

    async def _renewed(self, session: Session, tokens: Tokens, provider: Provider) -> Session | None:
        if not await self._sessions.refresh_lock(session.hash):
            return session
        try:
            newer, claims = await to_thread.run_sync(lambda: provider.refreshed(tokens))
        except Forbidden:
            await self._sessions.remove(session.hash)
            return None
        except Unavailable:
            return session
        sealed = self._vault.seal(msgspec.json.encode(newer), session.hash)
        fresh = msgspec.structs.replace(session, viewer=self._to_viewer(claims), tokens=sealed)
        await self._sessions.put(fresh)
        return fresh

    def _tokens(self, session: Session) -> Tokens | None:
        try:
            return msgspec.json.decode(self._vault.unseal(session.tokens, session.hash), type=Tokens)
        except (InvalidTag, msgspec.DecodeError):
            return None


def local(next: str) -> str:
    """A path on this gateway to go on to; "/" for anything that could lead elsewhere."""
    plain = len(next) <= 2048 and next.startswith("/") and not next.startswith(("//", "/\\")) and "\\" not in next
    return next if plain and next.isprintable() else "/"
