"""This file is the gateway's conversation with one OpenID provider: discovery, code flow with PKCE, refresh, keys.

OpenID Connect Core 1.0 (3.1), RFC 7636, RFC 9207; what is accepted in a token: reliability reference, 5.1.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import jwt
import msgspec
import requests
from oauthlib.oauth2 import OAuth2Error
from requests_oauthlib import OAuth2Session

from schema.errors import Forbidden, Unavailable

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
SCOPES = ["openid", "profile", "email", "groups"]
SKEW_S = 60
_TOKEN_CAP = 8 * 1024
_METADATA_S = 3600.0
_TIMES = (5, 15)
_OF_THE_TOKEN = frozenset({"iss", "sub", "aud", "exp", "iat", "nonce", "azp"})


class Client(msgspec.Struct, frozen=True):
    """Who we are at the provider. `redirect` is our callback's address."""

    issuer: str
    id: str
    secret: str
    redirect: str


class Tokens(msgspec.Struct, frozen=True):
    """What a sign-in or refresh gave. Kept encrypted, shown to nobody. `expires` is epoch seconds of the access token."""

    access: str
    refresh: str | None
    id: str
    expires: float


class Provider:
    """One issuer, as one client of it. Calls block: run them in a thread."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._lock = threading.Lock()
        self._metadata: dict[str, Any] = {}
        self._read_at = 0.0
        self._keys: jwt.PyJWKClient | None = None
        self._http = requests.Session()
        self._http.trust_env = False

    def begin(self, state: str, nonce: str) -> tuple[str, str]:
        """Where to send the browser, and the PKCE verifier to keep. Raises Unavailable."""
        session = self._session()
        url, _ = session.authorization_url(self._endpoint("authorization_endpoint"), state=state, nonce=nonce)
        return url, str(session._code_verifier)  # type: ignore[attr-defined]

    def finish(self, code: str, verifier: str, nonce: str, issuer: str | None) -> tuple[Tokens, dict[str, Any]]:
        """The tokens of a code and the verified claims. Raises Forbidden, Unavailable."""
        if issuer is not None and issuer != self.client.issuer:
            raise Forbidden("This sign-in was answered by another issuer than the one asked.")
        session = self._session()
        session._code_verifier = verifier  # type: ignore[attr-defined]  # the one of the session that began
        token = self._asked(lambda: session.fetch_token(self._endpoint("token_endpoint"), code=code, **self._auth()))
        tokens = _tokens(token)
        claims = self.verified(tokens.id, nonce)
        return tokens, self._with_userinfo(claims, tokens.access)

    def refreshed(self, tokens: Tokens) -> tuple[Tokens, dict[str, Any]]:
        """Newer tokens and the claims as they are now. Raises Forbidden when the provider has ended the session, Unavailable."""
        if tokens.refresh is None:
            raise Forbidden("The sign-in has run out; please sign in again.")
        token = self._asked(
            lambda: self._session().refresh_token(
                self._endpoint("token_endpoint"), refresh_token=tokens.refresh, **self._auth()
            )
        )
        fresh = _tokens({"refresh_token": tokens.refresh, "id_token": tokens.id, **token})
        claims = self.verified(fresh.id, None, expired=True)
        return fresh, self._with_userinfo(claims, fresh.access)

    def verified(self, token: str, nonce: str | None, *, expired: bool = False) -> dict[str, Any]:
        """The claims of an ID token: our issuer, our audience, an algorithm of the key's own, this sign-in's nonce.

        Raises Forbidden. With `expired`, its end is not looked at (an old ID token beside a fresh access token).
        """
        if len(token) > _TOKEN_CAP:
            raise Forbidden("The provider sent a token that is too large.")
        try:
            key = self._key_client().get_signing_key_from_jwt(token)
            claims: dict[str, Any] = jwt.decode(
                token,
                key.key,
                algorithms=ALGORITHMS,
                audience=self.client.id,
                issuer=self.client.issuer,
                leeway=SKEW_S,
                options={"require": ["exp", "iat", "sub", "iss", "aud"], "verify_exp": not expired},
            )
        except jwt.PyJWKClientConnectionError as error:
            raise Unavailable("The identity provider does not answer; please try again in a moment.") from error
        except (jwt.PyJWTError, ValueError) as error:
            raise Forbidden("The provider's answer could not be verified; please sign in again.") from error
        if nonce is not None and claims.get("nonce") != nonce:
            raise Forbidden("The provider's answer belongs to another sign-in; please sign in again.")
        return claims

    def end_session(self, id_token: str, back: str) -> str | None:
        """Where the browser ends the session at the provider too, if it can (RP-initiated logout)."""
        try:
            address = self._known().get("end_session_endpoint")
        except Unavailable:
            return None
        if not isinstance(address, str):
            return None
        return f"{address}?{urlencode({'id_token_hint': id_token, 'post_logout_redirect_uri': back, 'client_id': self.client.id})}"

    def _with_userinfo(self, claims: dict[str, Any], access: str) -> dict[str, Any]:
        address = self._known().get("userinfo_endpoint")
        if not isinstance(address, str):
            return claims
        try:
            reply = self._http.get(address, headers={"Authorization": f"Bearer {access}"}, timeout=_TIMES)
            more = reply.json() if reply.ok else {}
        except (requests.RequestException, ValueError):
            return claims
        if not isinstance(more, Mapping) or more.get("sub") != claims["sub"]:
            return claims
        return {**claims, **{name: value for name, value in more.items() if name not in _OF_THE_TOKEN}}

    def _session(self) -> OAuth2Session:
        session = OAuth2Session(self.client.id, redirect_uri=self.client.redirect, scope=SCOPES, pkce="S256")
        session.trust_env = False
        return session

    def _auth(self) -> dict[str, Any]:
        return {"auth": (self.client.id, self.client.secret), "timeout": _TIMES}

    def _asked(self, call: Any) -> dict[str, Any]:
        try:
            return dict(call())
        except OAuth2Error as error:
            raise Forbidden("The identity provider refused this sign-in; please sign in again.") from error
        except (requests.RequestException, ValueError) as error:
            raise Unavailable("The identity provider does not answer; please try again in a moment.") from error

    def _endpoint(self, name: str) -> str:
        found = self._known().get(name)
        if not isinstance(found, str):
            raise Unavailable(f"The identity provider does not say its {name}.")
        return found

    def _key_client(self) -> jwt.PyJWKClient:
        if self._keys is None:
            self._keys = jwt.PyJWKClient(self._endpoint("jwks_uri"), cache_keys=True, lifespan=600, timeout=10)
        return self._keys

    def _known(self) -> dict[str, Any]:
        """The provider's metadata, read again every hour (OpenID Connect Discovery 1.0, section 4)."""
        with self._lock:
            if self._metadata and time.monotonic() - self._read_at < _METADATA_S:
                return self._metadata
            try:
                reply = self._http.get(
                    f"{self.client.issuer.rstrip('/')}/.well-known/openid-configuration", timeout=_TIMES
                )
                found = reply.json()
            except (requests.RequestException, ValueError) as error:
                if self._metadata:
                    return self._metadata
                raise Unavailable("The identity provider does not answer; please try again in a moment.") from error
            if not isinstance(found, dict) or found.get("issuer") != self.client.issuer:
                raise Unavailable("The identity provider calls itself by another name than PANGATE_OIDC_ISSUER says.")
            self._metadata, self._read_at = found, time.monotonic()
            return found


def _tokens(token: Mapping[str, Any]) -> Tokens:
    access, id = token.get("access_token"), token.get("id_token")
    if not isinstance(access, str) or not isinstance(id, str):
        raise Forbidden("The identity provider sent no tokens; please sign in again.")
    refresh = token.get("refresh_token")
    seconds = token.get("expires_in")
    lives = float(seconds) if isinstance(seconds, int | float) and seconds > 0 else 300.0
    return Tokens(
        access=access, refresh=refresh if isinstance(refresh, str) else None, id=id, expires=time.time() + lives
    )
