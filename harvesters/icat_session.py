"""This file is a conversation with one icat.server over REST: sessions with refresh, queries, and what its errors mean.

harvest-sources reference, 2.1 to 2.4.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from harvesters.bounds import whole
from harvesters.http import TRANSIENT, PoliteSession, Reply
from harvesters.ports import Clock, Secrets
from schema.errors import RetryLater, StopHarvest
from schema.federation import Login

Version = tuple[int, ...]


class TooMany(StopHarvest):
    """The answer would hold more entities than the server allows: ask for fewer."""

    def __init__(self) -> None:
        super().__init__("too-many", "The source allows fewer entities in one answer than a single record has.")


class IcatSession:
    """Who we are at an icat.server, and its answers to queries."""

    def __init__(self, http: PoliteSession, login: Login | None, secrets: Secrets, clock: Clock) -> None:
        self.http = http
        self._login = login
        self._secrets = secrets
        self._clock = clock
        self._id: str | None = None
        self._refresh_at: datetime | None = None
        self._lifetime = timedelta(minutes=120)
        self.max_entities = 10_000

    @property
    def authenticated(self) -> bool:
        """Whether we read as somebody (ICAT's anonymous user is nobody)."""
        return self._login is not None and self._login.plugin != "anon"

    def version(self) -> Version:
        """The server's release, as numbers. Raises RetryLater when it tells none."""
        found = self._json("/version")
        text = str(found.get("version", "")) if isinstance(found, Mapping) else ""
        numbers = [part for part in text.split("-")[0].split(".") if part.isdigit()]
        if not numbers:
            raise RetryLater("The source does not tell its version; is this the address of an icat.server?")
        return tuple(int(part) for part in numbers)

    def read_properties(self) -> None:
        """Learn the server's limits (maxEntities, lifetimeMinutes)."""
        found = self._json("/properties")
        if isinstance(found, Mapping):
            self.max_entities = _positive(found.get("maxEntities"), 10_000)
            self._lifetime = timedelta(minutes=_positive(found.get("lifetimeMinutes"), 120))

    def identity(self) -> str:
        """The user name the server knows us by. A session that ran out is begun anew: an icat.server refuses what it does not know, so
        nothing was read as somebody else. Raises RetryLater when it does not know the new one either."""
        for _ in range(2):
            found = self._json(f"/session/{self._session_id()}")
            name = found.get("userName") if isinstance(found, Mapping) else None
            if isinstance(name, str):
                return name
            self._id = None
        raise RetryLater("The source does not know our session.")

    def query(self, jpql: str) -> list[Any]:
        """The rows of a query. Raises TooMany, RetryLater, StopHarvest."""
        for fresh in (False, True):
            params = {"sessionId": self._session_id(), "query": jpql}
            reply, found = self.http.ask("/entityManager", params, transient=_is_passing)
            if reply.status == 200 and isinstance(found, list):
                return whole(found, "A query")
            code = found.get("code") if isinstance(found, Mapping) else None
            if code == "SESSION" and not fresh:
                self._id = None
                continue
            raise _refusal(reply, code, found)
        raise RetryLater("The source refuses our new session.")

    def close(self) -> None:
        """Log out."""
        if self._id is not None:
            with contextlib.suppress(RetryLater, StopHarvest):
                self.http.once("DELETE", f"/session/{self._id}")
            self._id = None

    def _session_id(self) -> str:
        if self._id is None:
            self._sign_in()
        elif self._refresh_at is not None and self._clock() >= self._refresh_at:
            self.http.once("PUT", f"/session/{self._id}")
            self._refresh_at = self._clock() + self._lifetime / 2
        assert self._id is not None
        return self._id

    def _sign_in(self) -> None:
        plugin, credentials = "anon", []
        if self._login is not None:
            plugin = self._login.plugin or "simple"
            credentials = [{"username": self._login.username or ""}] if self._login.username else []
            if self._login.password:
                credentials.append({"password": self._secrets.secret(self._login.password)})
            if self._login.token:
                credentials.append({"token": self._secrets.secret(self._login.token)})
        body = orjson.dumps({"plugin": plugin, "credentials": credentials}).decode()
        reply = self.http.once("POST", "/session", data={"json": body})
        found = reply.json()
        made = found.get("sessionId") if isinstance(found, Mapping) else None
        if reply.status == 403:
            raise StopHarvest(
                "login", f"The source refuses the login by {plugin}; check user name, password and plugin."
            )
        if not isinstance(made, str):
            raise RetryLater(f"Signing in at the source ended with {reply.status} and without a session.")
        self._id, self._refresh_at = made, self._clock() + self._lifetime / 2

    def _json(self, path: str) -> Any:
        return self.http.ask(path, transient=_is_passing)[1]


def _is_passing(reply: Reply) -> bool:
    """A container that starts again answers HTML 404 for a while: only JSON can say "not found"."""
    return reply.status in TRANSIENT or (reply.status == 404 and "json" not in reply.headers.get("content-type", ""))


def _refusal(reply: Reply, code: object, found: object) -> StopHarvest | RetryLater:
    message = str(found.get("message", ""))[:200] if isinstance(found, Mapping) else ""
    if reply.status == 412 and code == "VALIDATION" and "more than" in message:
        return TooMany()
    if code in ("BAD_PARAMETER", "NOT_IMPLEMENTED"):
        return StopHarvest("refused", f"The source does not understand one of our queries: {message}")
    return RetryLater(f"The source answered {reply.status} {code or ''}.".replace(" .", "."))


def _positive(value: object, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else otherwise
