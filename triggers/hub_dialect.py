"""This file is what differs between JupyterHub 5 and 6, and how their names and addresses are written. Pure.

Facts: trigger-targets reference, 1.1 and 1.2 (hubs 5.5.4 and 6.1.1).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from enum import Enum
from typing import Any
from urllib.parse import quote

_NAME = re.compile(r"[a-z](?:-?[a-z0-9]){0,29}")


class Dialect(Enum):
    """How a hub wants to be spoken to."""

    V5 = 5
    V6 = 6


NEEDED: Mapping[Dialect, frozenset[str]] = {
    Dialect.V5: frozenset({"read:servers", "servers"}),
    Dialect.V6: frozenset({"read:servers", "start:servers", "delete:servers"}),
}
"""The scopes that the whole life of a session needs."""


def dialect_of(version: str) -> Dialect:
    """The dialect of a hub of that version; newer ones are taken for 6."""
    major = re.match(r"\d+", version)
    return Dialect.V5 if major and int(major[0]) <= 5 else Dialect.V6


def hub_root(url: str) -> str:
    """The public root of a hub, however its address was given (…, …/hub, …/hub/api)."""
    return re.sub(r"/hub(/api|/home)?$", "", url.rstrip("/"))


def server_name(launch: str) -> str:
    """The named server of a launch: its id. Raises ValueError when that breaks the rule of JupyterHub 6 (1 to 30 characters)."""
    if len(launch) > 30 or _NAME.fullmatch(launch) is None:
        raise ValueError("a launch's id must fit JupyterHub's rule for server names")
    return launch


def segment(name: str) -> str:
    """A user's or server's name in a path, escaped as the hub does it."""
    return quote(name, safe="@~")


def start_body(dialect: Dialect, options: Mapping[str, str], display_name: str) -> dict[str, Any]:
    """The body of a start: in 5 it *is* the options, in 6 they have a place in it."""
    if dialect is Dialect.V5:
        return dict(options)
    return {"user_options": dict(options), "display_name": display_name[:200]}


def missing_scopes(dialect: Dialect, have: Collection[object]) -> list[str]:
    """What of the needed scopes is not among those of our token (as GET /user tells them, filters like !group= allowed)."""
    names = {scope.partition("!")[0] for scope in have if isinstance(scope, str)}
    if names & {"servers", "admin:servers"}:
        return []
    return sorted(NEEDED[dialect] - names)


def ignored_options(model: Mapping[str, Any], wanted: Mapping[str, str]) -> list[str]:
    """Which of the wanted options the server's model does not show; none when it shows no options at all to us."""
    if "user_options" not in model:
        return []
    shown = model["user_options"]
    if not isinstance(shown, dict):
        return sorted(wanted)
    return sorted(key for key, value in wanted.items() if shown.get(key) not in (value, [value]))


def named(user_model: object, name: str) -> dict[str, Any] | None:
    """The model of the named server in a user's model (5), None when there is none."""
    servers = user_model.get("servers") if isinstance(user_model, dict) else None
    found = servers.get(name) if isinstance(servers, dict) else None
    return found if isinstance(found, dict) else None


def is_ours(name: object, model: Mapping[str, Any]) -> bool:
    """Whether a named server carries our label: its own name as the option `launch`, in our form."""
    options = model.get("user_options")
    return (
        isinstance(name, str)
        and len(name) <= 30
        and _NAME.fullmatch(name) is not None
        and isinstance(options, dict)
        and options.get("launch") in (name, [name])
    )
