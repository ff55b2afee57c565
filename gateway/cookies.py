"""This file is the gateway's cookies: the session's id and, during a sign-in, what binds it to this browser.

`__Host-` names, Secure, HttpOnly, SameSite=Lax; on loopback over http, the one exception, other names without Secure.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec
from starlette.requests import HTTPConnection
from starlette.responses import Response

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Jar(msgspec.Struct, frozen=True):
    """The names of our cookies, and whether they are Secure."""

    session: str
    login: str
    secure: bool


def jar(url: str) -> Jar:
    """The cookies for a public address. Raises ValueError for http anywhere else than on loopback."""
    parts = urlsplit(url)
    if parts.scheme == "https":
        return Jar("__Host-pangate", "__Host-pangate-login", secure=True)
    if parts.hostname in _LOOPBACK:
        return Jar("pangate-session", "pangate-login", secure=False)
    raise ValueError(f"{url} is neither https nor on loopback: sessions would travel in clear")


def put(response: Response, jar: Jar, name: str, value: str, seconds: int) -> None:
    """Set one of our cookies."""
    response.set_cookie(name, value, max_age=seconds, path="/", secure=jar.secure, httponly=True, samesite="lax")


def drop(response: Response, jar: Jar, name: str) -> None:
    """Remove one of our cookies."""
    response.delete_cookie(name, path="/", secure=jar.secure, httponly=True, samesite="lax")


def read(request: HTTPConnection, name: str) -> str | None:
    """A cookie's value, if it is of a sane length."""
    value = request.cookies.get(name)
    return value if value and len(value) <= 128 else None
