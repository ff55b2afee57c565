"""This file is who may log in and for how long: users, authenticators, sessions of fixed length that PUT revives."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from demo.icat.errors import Refusal

ANON = "anon"


@dataclass(frozen=True)
class User:
    """An account. `reads`: what its groups may read, each an entity's name or a JPQL query of the allowed objects."""

    name: str
    password: str = ""
    reads: tuple[str, ...] = ()
    root: bool = False


@dataclass
class Session:
    """A login: whose, and until when (it does not grow with use)."""

    user: User
    expires: datetime


@dataclass
class Sessions:
    """All sessions; they lie in the database, so a restart leaves them alone."""

    now: Callable[[], datetime]
    minutes: int
    users: dict[str, User] = field(default_factory=dict)
    open: dict[str, Session] = field(default_factory=dict)

    @property
    def plugins(self) -> list[str]:
        """The authenticators' names, as the users need them, anon last."""
        names = list(dict.fromkeys(name.partition("/")[0] for name in self.users))
        return sorted(names, key=lambda name: name == ANON)

    def login(self, plugin: str, credentials: Mapping[str, str]) -> str:
        """A new session's id; raises Refusal SESSION for whatever does not fit."""
        if plugin not in self.plugins:
            raise Refusal("SESSION", f"Authenticator mnemonic {plugin} not recognised")
        if plugin == ANON:
            return self.begin(self.users[f"{ANON}/{ANON}"])
        name = credentials.get("username")
        if not name:
            raise Refusal("SESSION", "username cannot be null or empty.")
        user = self.users.get(f"{plugin}/{name}")
        if user is None or user.password != credentials.get("password"):
            raise Refusal("SESSION", "The username and password do not match ")
        return self.begin(user)

    def begin(self, user: User) -> str:
        """A session for a user whose password was checked."""
        session_id = str(uuid.uuid4())
        self.open[session_id] = Session(user, self.now() + timedelta(minutes=self.minutes))
        return session_id

    def _found(self, session_id: str) -> Session:
        if not session_id:
            raise Refusal("SESSION", "Session Id cannot be null or empty.")
        session = self.open.get(session_id)
        if session is None:
            raise Refusal("SESSION", f"Unable to find user by sessionid: {session_id}")
        return session

    def alive(self, session_id: str) -> Session:
        """The session, if it is known and has not run out; else Refusal SESSION."""
        session = self._found(session_id)
        if session.expires <= self.now():
            raise Refusal("SESSION", f"Session id:{session_id} has expired")
        return session

    def about(self, session_id: str) -> dict[str, Any]:
        """What GET session tells: whose it is and how many minutes remain."""
        session = self.alive(session_id)
        left = (session.expires - self.now()).total_seconds() / 60
        return {"userName": session.user.name, "remainingMinutes": left}

    def refresh(self, session_id: str) -> None:
        """What PUT does: the full time again, for an expired session too [run]."""
        self._found(session_id).expires = self.now() + timedelta(minutes=self.minutes)

    def end(self, session_id: str) -> None:
        """What DELETE does: logout."""
        self._found(session_id)
        del self.open[session_id]

    def expire(self, session_id: str) -> None:
        """Let a session run out now."""
        self._found(session_id).expires = self.now()

    def expire_all(self) -> None:
        """Let every session run out now."""
        for session in self.open.values():
            session.expires = self.now()

    def logged_in(self, name: str) -> bool:
        """Whether that user has a living session."""
        return any(s.user.name == name and s.expires > self.now() for s in self.open.values())
