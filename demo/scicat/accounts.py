"""Who may ask: functional accounts, their groups, and the tokens they hold."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

import jwt

ANYBODY = "anonymous"


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the functional accounts file."""

    username: str
    password: str
    email: str
    groups: tuple[str, ...]

    @property
    def id(self) -> str:
        """The account's ObjectId, always the same."""
        return sha256(self.username.encode()).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, after the token was looked at; `account` is None for an anonymous caller."""

    account: Account | None = None
    admin: bool = False


class Expired(Exception):
    """The token was good once."""


class Bad(Exception):
    """The token is none of ours."""


def issue(account: Account, secret: str, now: datetime, ttl: int) -> str:
    """A token that holds for `ttl` seconds."""
    claims = {"_id": account.id, "username": account.username, "email": account.email, "authStrategy": "local"}
    times = {"iat": now, "exp": now + timedelta(seconds=ttl)}
    return jwt.encode({**claims, **times, "n": now.timestamp()}, secret, algorithm="HS256")


def read(token: str, secret: str, now: datetime, expired_before: datetime | None) -> str:
    """The username in the token. Raises Expired or Bad."""
    unchecked = {"verify_exp": False, "verify_iat": False}
    try:
        claims = jwt.decode(token, secret, algorithms=["HS256"], options=unchecked)  # type: ignore[arg-type]
    except jwt.InvalidTokenError as error:
        raise Bad from error
    if claims["exp"] <= now.timestamp() or (expired_before and claims["n"] <= expired_before.timestamp()):
        raise Expired
    return str(claims["username"])
