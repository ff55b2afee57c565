"""This file is the stand-in held against every recorded reply of icat.server 6.2.0 and 6.0.1: status, code, shape.

The store is filled from the recorded replies themselves; where a recording was made in another state of the server
(fewer entities allowed, database down, after a deletion), that state is made first.
"""

from __future__ import annotations

import asyncio
import functools
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from demo.icat.entities import STAMPS, Entity, schema
from demo.icat.server import app
from demo.icat.store import Store

MISSING = "the recorded replies ../shared/data/wire are not here"
WIRE = Path(__file__).resolve().parents[3] / "shared" / "data" / "wire"
NOW = datetime(2026, 11, 22, 16, 35, 0, tzinfo=UTC)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)")
SESSIONS = {n: f"00000000-0000-4000-8000-00000000000{n}" for n in range(1, 7)}
DATASETS = 40


@functools.cache
def recordings(run: str) -> dict[str, dict[str, Any]]:
    """Every recorded reply of a run, by name, in the order of the index."""
    index = json.loads((WIRE / "INDEX.json").read_text())
    files = [WIRE / entry["file"] for entry in index if entry["file"].startswith(f"icat/{run}/")]
    return {file.stem: json.loads(file.read_text()) for file in files}


class Collected:
    """Objects gathered from recorded bodies: values by entity and id, the first seen wins."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.objects: dict[tuple[str, int], dict[str, Any]] = {}

    def take(self, body: Any) -> None:
        """Gather from one reply."""
        for item in body if isinstance(body, list) else [body]:
            if isinstance(item, dict) and len(item) == 1:
                (name, bean), *_ = item.items()
                if name in self.store.schema and isinstance(bean, dict):
                    self._bean(self.store.schema[name], bean)

    def _bean(self, entity: Entity, bean: dict[str, Any], **links: int) -> int:
        held = self.objects.setdefault((entity.name, bean["id"]), {"id": bean["id"]})
        for name, value in (bean | links).items():
            if name in entity.attributes:
                held.setdefault(name, value)
            elif name in entity.to_one:
                target = self.store.schema[entity.to_one[name].target]
                held.setdefault(name, self._bean(target, value) if isinstance(value, dict) else value)
            elif name in entity.to_many:
                many = entity.to_many[name]
                for member in value:
                    self._bean(self.store.schema[many.target], member, **{many.mapped_by: bean["id"]})
        return int(bean["id"])

    def load(self) -> None:
        """Put everything into the store, targets first; what the recordings leave open is filled in."""
        waiting = dict(self.objects)
        while waiting:
            ready = [key for key in waiting if self._ready(waiting, key)]
            assert ready, f"circular: {list(waiting)[:5]}"
            for key in sorted(ready):
                self._create(key[0], waiting.pop(key))

    def _ready(self, waiting: dict[tuple[str, int], dict[str, Any]], key: tuple[str, int]) -> bool:
        relations, values = self.store.schema[key[0]].to_one, waiting[key]
        open_targets = {r.target for r in relations.values() if r.required and r.name not in values}
        if any(name in open_targets for name, _ in waiting):
            return False
        return not any((relations[n].target, v) in waiting for n, v in values.items() if n in relations)

    def _create(self, name: str, values: dict[str, Any]) -> None:
        entity = self.store.schema[name]
        for relation in entity.to_one.values():
            if relation.required and relation.name not in values:
                ids = self.store.tables[relation.target].ids
                values[relation.name] = ids[values["id"] % len(ids)]
        for attribute in entity.attributes.values():
            if attribute.required and attribute.name not in (*STAMPS, *values):
                values[attribute.name] = True if attribute.kind == "bool" else f"{name} {values['id']}"
        self.store.load(name, **{n: _given(v) for n, v in values.items()})


def _given(value: Any) -> Any:
    if isinstance(value, str) and TIME.fullmatch(value):
        return datetime.fromisoformat(value)
    return value


def _investigation(row_id: int) -> int:
    return (row_id - 1) % 5 + 1


def _complete(store: Store, found: Collected) -> None:
    """The datasets that no recorded reply shows, by the scheme of those that are shown."""
    names = {1: "TPF-2026-001", 2: "TPF-2026-002", 3: "TPF-2026-003", 4: "TPF-2026-004", 5: "CAL-I02"}
    for row_id in range(1, DATASETS + 1):
        home = _investigation(row_id)
        made = {
            "id": row_id,
            "name": f"{names[home]}_scan{row_id - 1:04}",
            "complete": True,
            "investigation": home,
            "type": 1,
            "createId": "simple/root",
            "createTime": "2026-11-22T17:33:29.000+01:00",
            "modTime": "2026-11-22T17:33:29.000+01:00",
            "startDate": "2026-02-10T09:00:00.000+01:00",
            "fileCount": 0,
            "fileSize": 0,
        }
        held = found.objects.setdefault(("Dataset", row_id), {})
        for name, value in made.items():
            held.setdefault(name, value)
        held["investigation"] = home
        if row_id > 6 and row_id % 4:
            held["sample"] = home * 2
    for row_id in range(1, 41 if ("Grouping", 1) in found.objects else 0):
        found.objects[("Rule", row_id)] = {"id": row_id, "crudFlags": "R", "what": "Facility", "grouping": 1}


def users(store: Store, rules: list[str]) -> None:
    """The accounts of the recorded server; anonymous reads by the recorded rules."""
    hidden = ("Rule", "UserGroup", "Grouping", "PublicStep")
    store.add_user("simple/root", "rootpw", root=True)
    store.add_user("simple/reader", "readerpw", [name for name in store.schema if name not in hidden])
    store.add_user("simple/norights", "norightspw")
    store.add_user("simple/expired", "expiredpw")
    store.add_user("anon/anon", "", rules)


def begin(store: Store) -> None:
    """The sessions the recorded requests name: 1 root, 2 reader, 3 anonymous, 4 without rights, 5 expired, 6 root."""
    names = {
        1: "simple/root",
        2: "simple/reader",
        3: "anon/anon",
        4: "simple/norights",
        5: "simple/expired",
        6: "simple/root",
    }
    for number, name in names.items():
        made = store.sessions.begin(store.sessions.users[name])
        store.sessions.open[SESSIONS[number]] = store.sessions.open.pop(made)
    store.sessions.expire(SESSIONS[5])


@functools.cache
def first() -> tuple[str, ...]:
    """The recordings of the untouched server: those that were made with both versions, and those of the rights."""
    rights = [name for name in recordings("run-6.2.0") if name.startswith("rules-")]
    return (*recordings("run-6.0.1"), *rights)


def recorded_store(version: str, **settings: Any) -> Store:
    """A store with the content that the recorded replies of that version show, and the recorded sessions."""
    store = Store(now=lambda: NOW, version=version, **settings)
    found = Collected(store)
    newer = recordings("run-6.2.0")
    replies = recordings("run-6.0.1") if version == "6.0.1" else newer
    for name in first():
        if name in replies:
            found.take(replies[name]["body"])
    _complete(store, found)
    found.objects = {key: values for key, values in found.objects.items() if key[0] in store.schema}
    found.load()
    # Rule.what tells who reads what; the anonymous rules are those of group 2.
    rules = [item["Rule"] for item in newer["rules-root-rules"]["body"]]
    users(store, [rule["what"] for rule in rules if rule["grouping"]["id"] == 2])
    begin(store)
    return store


# -- the states of the recorded servers


def _grow(store: Store, count: int, **values: Any) -> None:
    for number in range(count):
        store.load(
            "Dataset", **({"name": f"grown {number:05}", "investigation": 1, "type": 1, "complete": True} | values)
        )


def _few(store: Store) -> None:
    store.max_entities = 20
    _grow(store, 6)
    facility = {"facility": 1, "type": 1, "visitId": "1"}
    store.load("Investigation", id=10, name="big", title="big", **facility)
    for number in range(21):
        store.load("Dataset", name=f"of 10 {number}", investigation=10, type=1)


def _dates(store: Store) -> None:
    written = {
        "tz-dst-a": "2026-10-25T02:30:00+02:00",
        "tz-dst-b": "2026-10-25T02:30:00+01:00",
        "tz-utc": "2026-07-01T10:00:00Z",
        "tz-frac": "2026-07-01T10:00:00.123+02:00",
        "tz-frac6": "2026-07-01T10:00:00.123456+02:00",
        "tz-gap": "2026-03-29T02:30:00+01:00",
        "tz-old": "1890-01-01T00:00:00Z",
    }
    for name, start in written.items():
        # 1890: the legacy calendar of the server counts a full hour, not local mean time.
        moment = datetime(1890, 1, 1, 1) if name == "tz-old" else datetime.fromisoformat(start)
        store.load("Dataset", name=name, investigation=1, type=1, startDate=moment)


def _database_down(store: Store) -> None:
    store.faults.database_down = True


def _without_first(store: Store) -> None:
    store.delete("Dataset", 1)


def _after_sample(store: Store) -> None:
    store.delete("Sample", 4)


def _join_rule(store: Store) -> None:
    rule = "SELECT d FROM Dataset d JOIN d.investigation i JOIN i.investigationUsers u WHERE u.user.name = 'db/tp5' OR i.id = 2"
    user = store.add_user("simple/norights", "norightspw", [rule])
    store.sessions.open[SESSIONS[4]].user = user


STATES: dict[str, Callable[[Store], None]] = {
    "max20-": _few,
    "dates-t": _dates,
    "db-down": _database_down,
    "too-many-": lambda store: _grow(store, 20_006),
    "restart-404": lambda store: store.restart(html_404s=1),
    "rules-join-": _join_rule,
    "session-get-after-logout": lambda store: store.sessions.end(SESSIONS[6]),
    "deletion-1-": lambda store: None,
    "deletion-10-": lambda store: _grow(store, 1, id=50),
    "deletion-2-": lambda store: None,
    "deletion-7-": lambda store: None,
    "deletion-8-": _after_sample,
    "deletion-": _without_first,
    "rules-reader-d": lambda store: store.update("Dataset", 2, sample=None),
    "tls-redirect": lambda store: setattr(store, "tls_port", 18081),
}
LATER = (
    "port-export-query",
    "query-lowercase",
    "query-two-from",
    "query-join-duplicates",
    "query-columns-sample-leftjoin-reader",
)


@functools.cache
def _state(version: str, prefix: str, later: bool) -> Store:
    store = recorded_store(version)
    STATES.get(prefix, lambda _: None)(store)
    if later:
        _without_first(store)
    return store


def store_for(version: str, name: str, method: str = "GET") -> Store:
    """The server in the state in which a reply was recorded; a new one where the request or the state leaves traces."""
    prefix = next((prefix for prefix in STATES if name.startswith(prefix)), "")
    made = _state if method == "GET" and prefix != "restart-404" else _state.__wrapped__
    return made(version, prefix, name.startswith(LATER))


# -- the comparison


def ordered(value: Any) -> Any:
    """The same reply with included lists by id, since the server promises no order."""
    if isinstance(value, dict):
        return {name: ordered(item) for name, item in value.items()}
    if isinstance(value, list):
        items = [ordered(item) for item in value]
        if items and all(isinstance(item, dict) and "id" in item for item in items):
            items.sort(key=lambda item: item["id"])
        return items
    return value


def shape(value: Any) -> Any:
    """What a reply is made of: names and kinds, not values; a list is the set of what is in it."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        kinds = {json.dumps(shape(item), sort_keys=True) for item in value}
        return sorted(kinds)
    if isinstance(value, str):
        return "time" if TIME.fullmatch(value) else "text"
    return type(value).__name__


# Same status, headers and shape, but not the same values, and why. All others are equal to the letter (lists by id).
OTHER_VALUES: dict[str, str] = {
    **dict.fromkeys(("context-root", "not-deployed-path", "restart-404", "tls-redirect"), "HTML of the container"),
    **dict.fromkeys(("session-get", "query-select-current-timestamp", "max20-session-survives"), "a clock"),
    **dict.fromkeys(("session-login-",), "a new id"),
    **dict.fromkeys(("db-down",), "the SQL text is cut"),
    **dict.fromkeys(
        ("query-is-empty", "query-sum-filesize", "query-exists", "query-in-subquery"), "children not recorded"
    ),
    **dict.fromkeys(("jpql-root", "max20-", "port-export-", "query-include-order-1"), "other content"),
    **dict.fromkeys(
        ("query-lowercase-include", "query-distinct-entity-join", "query-columns-sample-left"), "other content"
    ),
    **dict.fromkeys(("rules-anon-", "rules-reader-datasets", "query-min-max-modtime"), "other content"),
}
RUNS = [("run-6.2.0", "6.2.0"), ("run-6.0.1", "6.0.1")]


def _cases() -> list[Any]:
    if not (WIRE / "INDEX.json").exists():
        return [pytest.param("", "", "", marks=pytest.mark.skip(reason=MISSING))]
    return [
        pytest.param(run, version, name, id=f"{version}-{name}") for run, version in RUNS for name in recordings(run)
    ]


# Recorded when the server held objects that no reply shows whole: names that may be null may be absent.
OTHER_CONTENT = ("max20-", "query-distinct-entity-join", "query-include-order-1", "query-exists")


@functools.cache
def nullable() -> frozenset[str]:
    """Every attribute that some entity may lack."""
    entities = schema("6.2.0").values()
    return frozenset(a.name for entity in entities for a in entity.attributes.values() if not a.required)


def similar(ours: Any, theirs: Any) -> bool:
    """The same names and kinds, apart from nullable names; every item of a list like some item of the other."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        odd = set(ours) ^ set(theirs)
        return odd <= nullable() and all(similar(ours[name], theirs[name]) for name in set(ours) & set(theirs))
    if isinstance(ours, list) and isinstance(theirs, list):
        return bool(ours) == bool(theirs) and all(any(similar(o, t) for t in theirs) for o in ours)
    return bool(shape(ours) == shape(theirs))


async def _sent(store: Store, request: dict[str, Any]) -> httpx.Response:
    transport = httpx.ASGITransport(app(store))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        target = request["line"].split(" ")[1]
        return await client.request(request["method"], target, headers=request["headers"], data=request["form"])


def replay(store: Store, recorded: dict[str, Any]) -> tuple[int, Any, dict[str, str]]:
    """Send a recorded request to the stand-in: status, body, headers."""
    reply = asyncio.run(_sent(store, recorded["request"]))
    try:
        body = reply.json()
    except ValueError:
        body = reply.text
    return reply.status_code, body, dict(reply.headers)


@pytest.mark.parametrize(("run", "version", "name"), _cases())
def test_a_recorded_request_is_answered_as_the_server_did(run: str, version: str, name: str) -> None:
    recorded = recordings(run)[name]
    status, body, headers = replay(store_for(version, name, recorded["request"]["method"]), recorded)
    wanted = recorded["body"] if recorded.get("body") is not None else recorded.get("body_text")
    assert status == recorded["status"], body
    theirs = {key.lower(): value for key, value in recorded["headers"]}
    for header in ("content-type", "connection", "allow", "content-disposition", "location"):
        ours = headers.get(header, "").partition(";")[0]
        assert sorted(ours.split(", ")) == sorted(theirs.get(header, "").partition(";")[0].split(", ")), header
    assert "date" not in headers
    if status >= 400 and isinstance(wanted, dict):
        assert (body["code"], body.get("offset")) == (wanted["code"], wanted.get("offset"))
        assert body["message"].partition("Query:")[0][:60] == wanted["message"][:60]
    if name.startswith(OTHER_CONTENT):
        assert similar(body, wanted)
    else:
        assert shape(ordered(body)) == shape(ordered(wanted))
    if not name.startswith(tuple(OTHER_VALUES)):
        assert ordered(body) == ordered(wanted)


@pytest.mark.parametrize("name", ["port-export-query", "port-export-all"])
def test_the_blocks_of_an_export_have_the_recorded_heads_in_the_recorded_order(name: str) -> None:
    if not WIRE.exists():
        pytest.skip(MISSING)
    recorded = recordings("run-6.2.0")[name]
    _, ours, _ = replay(store_for("6.2.0", name), recorded)
    heads = re.compile(r"^(?:[A-Z]\w+)\(.*\)$", re.MULTILINE)
    theirs = heads.findall(recorded["body_text"])
    assert theirs == heads.findall(ours)[: len(theirs)]
    row = re.compile(r'^"simple/root",.*"TPF-2026-004_scan0003",NULL,NULL,4.0E-7,.*$', re.MULTILINE)
    if name == "port-export-query":
        assert row.findall(recorded["body_text"]) == row.findall(ours) != []
