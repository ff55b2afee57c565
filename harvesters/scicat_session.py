"""This file is a conversation with one SciCat backend: signing in, staying who we are, and asking for lists (API v3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from pyscicat.client import ScicatClient

from harvesters.bounds import whole
from harvesters.http import PoliteSession, Reply
from harvesters.ports import Clock, Secrets
from schema.errors import RetryLater, StopHarvest
from schema.federation import Login

ANONYMOUS = "anonymous"


class Distrusted(RetryLater):
    """The server no longer knows our login: what it sent since it last did may be the public subset only."""


_LOGIN = {"local": "/auth/login", "ldap": "/auth/ldap"}


class SciCatSession:
    """Who we are at a SciCat backend, and its lists. A bad or expired token is answered there with the public subset and no
    error (harvest-sources reference, 1.2), so identity is asked for and compared, never assumed."""

    def __init__(self, http: PoliteSession, login: Login | None, secrets: Secrets, clock: Clock) -> None:
        self.http = http
        self._login = login
        self._secrets = secrets
        self._clock = clock
        self._token: str | None = None
        self._renew_at: datetime | None = None

    @property
    def authenticated(self) -> bool:
        """Whether we read with a login."""
        return self._login is not None

    def identity(self) -> str:
        """Who the server says we are: user and groups, or "anonymous" without a login.

        Asked with the very token that the last pages were asked with. Raises Distrusted when the server does not know it.
        """
        if self._login is None:
            return ANONYMOUS
        self._signed_in()
        reply, found = self.http.ask("/auth/whoami", headers=self._headers())
        if reply.status not in (200, 401, 403):
            raise RetryLater(f"The source answered {reply.status} when asked who we are.")
        if reply.status != 200 or not isinstance(found, Mapping) or not found.get("username"):
            self._token = None
            raise Distrusted("The source no longer knows our login; nothing it sent since then is trusted.")
        groups = found.get("currentGroups")
        names = sorted(each for each in groups if isinstance(each, str)) if isinstance(groups, list) else []
        return "|".join([str(found["username"]), *names])

    def list(
        self, path: str, where: Mapping[str, Any], *, order: str, limit: int, fields: Sequence[str] = ()
    ) -> list[Any]:
        """A page of a list route in the filter subset that every release understands. Raises RetryLater, StopHarvest."""
        asked: dict[str, Any] = {"where": where, "limits": {"limit": limit, "skip": 0, "order": order}}
        if fields:
            asked["fields"] = list(fields)
        found = self._get(path, {"filter": orjson.dumps(asked).decode()})
        if not isinstance(found, list):
            raise RetryLater(f"{path} answered something that is not a list.")
        return whole(found, path)

    def count(self, path: str) -> int | None:
        """How many records the route has for us, where it tells."""
        self._signed_in()
        try:
            reply = self.http.once("GET", f"{path}/count", headers=self._headers())
            found = reply.json() if reply.status == 200 else None
        except RetryLater:
            return None
        number = found.get("count") if isinstance(found, Mapping) else None
        return number if isinstance(number, int) else None

    def clock(self) -> datetime | None:
        """The server's clock, from the Date header of its health route."""
        return self.http.get("/health", headers=self._headers()).date

    def single(self) -> Single:
        """pyscicat's client for single calls, over this session."""
        return Single(self)

    def headers(self) -> dict[str, str]:
        """The headers that say who we are."""
        self._signed_in()
        return self._headers()

    def renew_if_due(self) -> None:
        """Sign in again before the token runs out; only to be called when it has just been confirmed."""
        if self._renew_at is not None and self._clock() >= self._renew_at:
            self._token = None
            self._signed_in()

    def _get(self, path: str, params: Mapping[str, str]) -> Any:
        self._signed_in()
        reply, found = self.http.ask(path, params, self._headers())
        if reply.status == 200:
            return found
        if reply.status == 401 and self._login is not None:
            self._token = None
            raise Distrusted("The source no longer knows our login; nothing it sent since then is trusted.")
        if reply.status == 431:
            raise StopHarvest("request-too-long", "The source refuses requests of this length.")
        if reply.status in (401, 403):
            raise RetryLater(f"The source refuses {path} ({reply.status}); check the login in the federation file.")
        raise StopHarvest("refused", f"The source answers {path} with {reply.status}; check its address and release.")

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"} if self._token else {}

    def _signed_in(self) -> None:
        if self._login is None or self._token:
            return
        if self._login.token:
            self._token = self._secrets.secret(self._login.token)
            return
        if not self._login.username or not self._login.password:
            raise StopHarvest(
                "login", "The login of this source needs `username` and `password` in the federation file."
            )
        body = {"username": self._login.username, "password": self._secrets.secret(self._login.password)}
        reply = self.http.once("POST", _LOGIN[self._login.method], json=body)
        if reply.status in (401, 403):
            raise StopHarvest(
                "login", f"The source refuses the login of {self._login.username}; check the named password."
            )
        found = reply.json() if reply.status in (200, 201) else None
        token = found.get("access_token") or found.get("id") if isinstance(found, Mapping) else None
        if not isinstance(token, str) or not token:
            raise RetryLater(f"Signing in at the source ended with {reply.status} and without a token.")
        ttl = found.get("ttl") if isinstance(found, Mapping) else None
        seconds = ttl if isinstance(ttl, int | float) and ttl > 0 else 3600
        self._token, self._renew_at = token, self._clock() + timedelta(seconds=seconds * 0.7)


class Single(ScicatClient):  # type: ignore[misc]
    """pyscicat's client, its one sending method led through the polite session (it would otherwise put the token into the URL)."""

    def __init__(self, session: SciCatSession) -> None:
        super().__init__(session.http.base, token="none", auto_login=False)  # noqa: S106 (never sent)
        self._session = session

    def _send_to_scicat(self, cmd: str, endpoint: str, data: object = None) -> _Answer:
        if cmd.lower() != "get" or data is not None:
            raise StopHarvest("read-only", "A harvest only reads.")
        return _Answer(self._session.http.get("/" + endpoint.lstrip("/"), headers=self._session.headers()))


class _Answer:
    """As much of requests' Response as pyscicat looks at."""

    def __init__(self, reply: Reply) -> None:
        self.content = reply.body
        self.ok = reply.status < 400
        self.json = reply.json
