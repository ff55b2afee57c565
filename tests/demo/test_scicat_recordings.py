"""The SciCat stand-in, filled with the seed records, answers the recorded requests as the real servers did."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest

from demo.scicat.accounts import Account
from demo.scicat.engine import Engine
from demo.scicat.memory import MemoryEngine
from demo.scicat.mongo import MongoEngine
from demo.scicat.server import serve
from demo.scicat.store import Store

ADMIN = Account("admin", "correct", "admin@example.org", ("admin", "globalaccess"))
MADE_HERE = frozenset({"publishedOn", "dateOfDiskPurging", "created"})
"""Dates that the real servers computed from their own start or clock."""
SINGLES = frozenset({"principalInvestigator", "history", "proposalId", "instrumentId", "sampleId"})
"""What the server adds to a dataset at reading."""
COLLECTIONS = ("Dataset", "Instrument", "Proposal", "Sample", "PublishedData", "OrigDatablock")


@pytest.fixture(scope="module")
def recorded(shared: Path) -> Path:
    return shared / "data/wire/scicat"


@pytest.fixture(scope="module", params=["memory", pytest.param("mongodb", marks=pytest.mark.mongodb)])
def servers(request: pytest.FixtureRequest, shared: Path, recorded: Path) -> Iterator[dict[str, tuple[str, Store]]]:
    with ExitStack() as stack:
        engines: list[Engine] = [MemoryEngine(), MemoryEngine()]
        if request.param == "mongodb":
            real = [MongoEngine(request.getfixturevalue("mongodb"), f"r{uuid4().hex}") for _ in engines]
            for one in real:
                stack.callback(one.drop)
            engines = list(real)
        modern, old = _filled("5.2", engines[0], shared, recorded), _filled("4.25", engines[1], shared, recorded)
        first, second = stack.enter_context(serve(modern)), stack.enter_context(serve(old))
        yield {"recorded-v5.2": (first, modern), "recorded-v4.25": (second, old)}


def _filled(version: str, engine: Engine, shared: Path, recorded: Path) -> Store:
    """The public seed records, moved to the newer shape as the backend's migrations do, and what was made for the recording."""
    store = Store(version=version, groups=(ADMIN,), engine=engine)
    for collection in COLLECTIONS:
        for doc in _json(shared / f"data/scicat/scicatlive-{collection}.json"):
            store.load(collection, _MIGRATIONS.get(collection, dict)(_unwrapped(doc), version))
    folder = recorded / f"recorded-v{version}"
    for doc in _json(folder / "v3_datasets_updatedAt_gte.json"):
        own = {k: v for k, v in doc.items() if k not in SINGLES}
        store.load("Dataset", own)
    if version == "5.2":
        for doc in _json(folder / "v3_dataset_attachments.json"):
            store.load("Attachment", {k: v for k, v in doc.items() if k != "id"})
        for line in _json(folder / "v3_history_delete.json")["items"]:
            store.load("History", line)
    return store


def _dataset(doc: dict[str, Any], version: str) -> dict[str, Any]:
    one = doc.pop("principalInvestigator", None) or doc.get("investigator")
    many = {f"{name}Ids": [doc.get(f"{name}Id")] for name in ("proposal", "sample", "instrument")}
    if doc["size"] == 0:
        doc |= {"size": float("nan"), "numberOfFiles": 1, "numberOfFilesArchived": 0}  # counted anew by a migration
    return {**doc, "pid": doc["_id"], **many, "principalInvestigators": [one], "updatedBy": "ingestor"}


def _instrument(doc: dict[str, Any], version: str) -> dict[str, Any]:
    return {**doc, "pid": doc["_id"], "uniqueName": doc["name"], "updatedBy": "ingestor", "customMetadata": {}}


def _proposal(doc: dict[str, Any], version: str) -> dict[str, Any]:
    more = {
        "type": "Default Proposal",
        "instrumentIds": [],
        "numberOfDatasets": 1,
        "metadata": {},
        "isPublished": False,
    }
    return {**doc, "proposalId": doc["_id"], "updatedBy": "ingestor", "parentProposalId": None, **more}


def _sample(doc: dict[str, Any], version: str) -> dict[str, Any]:
    return {**doc, "sampleId": doc["_id"], "sampleName": doc["_id"], "accessGroups": [], "updatedBy": "ingestor"}


def _orig(doc: dict[str, Any], version: str) -> dict[str, Any]:
    return {**doc, "updatedBy": "ingestor", "isPublished": True}


def _published(doc: dict[str, Any], version: str) -> dict[str, Any]:
    return doc


_MIGRATIONS: Mapping[str, Any] = {
    "Dataset": _dataset,
    "Instrument": _instrument,
    "Proposal": _proposal,
    "Sample": _sample,
    "OrigDatablock": _orig,
    "PublishedData": _published,
}


def _unwrapped(value: Any) -> Any:
    """MongoDB's extended JSON to plain values."""
    if isinstance(value, dict):
        if set(value) == {"$date"}:
            return datetime.fromisoformat(value["$date"])
        return {key: _unwrapped(inner) for key, inner in value.items()}
    return [_unwrapped(inner) for inner in value] if isinstance(value, list) else value


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _requests() -> list[Any]:
    index = Path(__file__).resolve().parents[3] / "shared/data/wire/INDEX.json"
    if not index.is_file():
        return [
            pytest.param(None, marks=pytest.mark.skip(reason="the recorded replies ../shared/data/wire are not here"))
        ]
    entries = [one for one in _json(index) if one["file"].startswith("scicat/recorded-")]
    return [pytest.param(one, id=one["file"].removeprefix("scicat/").removesuffix(".json")) for one in entries]


@pytest.mark.parametrize("entry", _requests())
def test_the_same_request_gets_the_same_status_and_the_same_content(
    entry: dict[str, Any], servers: dict[str, tuple[str, Store]], recorded: Path
) -> None:
    folder = entry["file"].split("/")[1]
    base, store = servers[folder]
    reply = _asked(base, store, entry)
    assert reply.status_code == entry["status"]
    assert reply.headers["content-type"].startswith("application/json")
    theirs, ours = _json(recorded.parent / entry["file"]), reply.json()
    if entry["file"].endswith("openapi-v5.2.json"):
        assert ours["openapi"] == theirs["openapi"]
        assert ours["info"] == theirs["info"]
        assert set(ours) == set(theirs)
        return
    ordered = '"order":"pid' in entry["request"] or '"sort":{"pid' in entry["request"]
    assert _comparable(ours, ordered) == _comparable(theirs, ordered)


def _asked(base: str, store: Store, entry: dict[str, Any]) -> httpx.Response:
    request = entry["request"]
    if request.startswith("POST"):
        good = "wrong" not in request
        body = {"username": "admin", "password": ADMIN.password if good else "guess"}
        return httpx.post(verify=False, url=f"{base}/api/v3/auth/login", json=body)
    found = re.fullmatch(r"GET (\S+?)(?:\?(.*?))?(?:\s+\[(.*)\])?", request)
    assert found is not None, request
    path, query, who = found.groups()
    tokens = {"Bearer": store.token("admin"), "invalid Bearer": "eyJ.garbage.x", None: None, "anonymous": None}
    expired = store.token("admin", ttl=-1)
    token = expired if who and "expired" in who else tokens[who]
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return httpx.get(
        verify=False, url=f"{base}{path}" + (f"?{quote(query, safe='=&')}" if query else ""), headers=headers
    )


def _comparable(value: Any, ordered: bool, name: str = "") -> Any:
    """The content without what every server makes up: ids of parts, tokens, start times, its users; lists by content when unordered."""
    if isinstance(value, dict):
        return {key: _comparable(inner, ordered, key) for key, inner in value.items()}
    if isinstance(value, list):
        parts = [_comparable(inner, ordered, name) for inner in value]
        return parts if ordered else sorted(parts, key=lambda part: json.dumps(part, sort_keys=True))
    if name in {"_id", "id", "userId"} and isinstance(value, str) and re.fullmatch("[0-9a-f]{24}", value):
        return "an id"
    if (
        name in {"access_token", "email", "uniqueName"}
        or name in MADE_HERE
        or (isinstance(value, str) and value.startswith("eyJ"))
    ):
        return f"a {name}"
    return value
