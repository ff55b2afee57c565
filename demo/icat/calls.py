"""This file is the calls of icat.server's REST side, without HTTP: parameters in, reply out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from demo.icat.answer import Answer, answer, one
from demo.icat.errors import Refusal, bad
from demo.icat.sessions import User

if TYPE_CHECKING:
    from demo.icat.store import Store

Parameters = Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    """Status, body and media type; `seconds`: how long the server would have worked on it."""

    status: int
    body: bytes
    media: str = "application/json"
    seconds: float = 0.0
    headers: tuple[tuple[str, str], ...] = ()


def given(body: object) -> Reply:
    """A result."""
    return Reply(200, orjson.dumps(body))


def nothing() -> Reply:
    """Done, with nothing to tell."""
    return Reply(204, b"")


def version(store: Store) -> Reply:
    """GET version."""
    return given({"version": store.version})


def properties(store: Store) -> Reply:
    """GET properties."""
    authenticators: list[dict[str, Any]] = []
    for name in store.sessions.plugins:
        keys = [{"name": "username"}, {"name": "password", "hide": True}]
        anon = {"mnemonic": name, "keys": [], "friendly": "Anonymous"}
        authenticators.append(anon if name == "anon" else {"mnemonic": name, "keys": keys})
    return given(
        {
            "maxEntities": store.max_entities,
            "lifetimeMinutes": store.sessions.minutes,
            "authenticators": authenticators,
            "containerType": "Glassfish",
        }
    )


def login(store: Store, form: Parameters) -> Reply:
    """POST session."""
    if "json" not in form:
        raise bad("json must not be null")
    plugin, credentials = _login(form["json"])
    return given({"sessionId": store.sessions.login(plugin, credentials)})


def _login(text: str) -> tuple[str, dict[str, str]]:
    try:
        parsed = json.loads(text)
    except json.JSONDecodeError as error:
        sign = ord(text[error.pos]) if error.pos < len(text) else -1
        raise Refusal(
            "INTERNAL",
            f"class jakarta.json.stream.JsonParsingException Unexpected char {sign} at "
            f"(line no={error.lineno}, column no={error.colno}, offset={error.pos})",
        ) from None
    if not isinstance(parsed, dict):
        raise bad("json must be an object")
    pairs = parsed.get("credentials")
    # Credentials given as an object are not seen at all [run].
    members = [pair for pair in pairs if isinstance(pair, dict)] if isinstance(pairs, list) else []
    found = {str(key): str(value) for pair in members for key, value in pair.items()}
    return str(parsed.get("plugin")), found


def session(store: Store, session_id: str) -> Reply:
    """GET session."""
    return given(store.sessions.about(session_id))


def refresh(store: Store, session_id: str) -> Reply:
    """PUT session."""
    store.sessions.refresh(session_id)
    return nothing()


def logout(store: Store, session_id: str) -> Reply:
    """DELETE session."""
    store.sessions.end(session_id)
    return nothing()


def query(store: Store, parameters: Parameters) -> Reply:
    """GET entityManager."""
    user = _user(store, parameters)
    if "query" not in parameters:
        raise bad("query is not set")
    text = parameters["query"]
    if "id" in parameters:
        return _costed(store, one(store, user, text, _number(parameters["id"])))
    return _costed(store, answer(store, user, text))


def _costed(store: Store, found: Answer) -> Reply:
    seconds = store.costs.query + store.costs.included * found.included
    return Reply(200, found.body, seconds=seconds)


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise bad(f"id {text} is not a number") from None


def _user(store: Store, parameters: Parameters) -> User:
    return store.sessions.alive(parameters.get("sessionId", "")).user


def write(store: Store, form: Parameters) -> Reply:
    """POST entityManager: new objects; relations as {"id": n}. Replies their ids."""
    user = _user(store, form)
    if "entities" not in form:
        raise bad("entities is not set")
    ids: list[int] = []
    for name, attributes in _entities(form["entities"]):
        if not user.root:
            raise Refusal("INSUFFICIENT_PRIVILEGES", f"CREATE access to this {name} is not allowed.", len(ids))
        flat = {key: value.get("id") if isinstance(value, dict) else value for key, value in attributes.items()}
        row_id = flat.pop("id", None)
        if row_id is None:
            ids.append(store.create(name, user.name, **flat))
        else:
            store.update(name, row_id, user.name, **flat)
    return given(ids)


def delete(store: Store, parameters: Parameters) -> Reply:
    """DELETE entityManager."""
    user = _user(store, parameters)
    for name, attributes in _entities(parameters.get("entities", "[]")):
        if not user.root:
            raise Refusal("INSUFFICIENT_PRIVILEGES", f"DELETE access to this {name} is not allowed.", 0)
        store.delete(name, int(attributes["id"]))
    return nothing()


def _entities(text: str) -> list[tuple[str, dict[str, Any]]]:
    try:
        parsed = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise bad("entities is not JSON") from None
    beans = parsed if isinstance(parsed, list) else [parsed]
    if not all(isinstance(bean, dict) and len(bean) == 1 for bean in beans):
        raise bad("entities must be objects with one name each")
    return [next(iter(bean.items())) for bean in beans]


def jpql(store: Store, parameters: Parameters) -> Reply:
    """GET jpql: plain text for root."""
    user = _user(store, parameters)
    if not user.root:
        raise Refusal("INSUFFICIENT_PRIVILEGES", "user must be in rootUserNames")
    rows = orjson.loads(answer(store, user, parameters.get("query", "")).body)
    shown = ", ".join(str(row) for row in rows)
    return Reply(200, f"Count {len(rows)}: {shown}".encode(), "text/plain")


def search(store: Store, parameters: Parameters, empty: bytes) -> Reply:
    """The search calls, on a server without a search engine: empty, not an error [run]."""
    _user(store, parameters)
    return Reply(200, empty)


def user_state(store: Store, path: Mapping[str, str]) -> Reply:
    """GET user/{mnemonic}/{name}."""
    return given({"loggedIn": store.sessions.logged_in(f"{path['mnemonic']}/{path['name']}")})
