"""Freya Light Source, served: what the demo tells of it is there, and so is the bad data."""

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pyscicat.client import ScicatClient
from servers.daemon import listens
from waiting import until

from demo.people import PEOPLE
from demo.ports import free_port
from demo.scicat.freya import fill, pid
from demo.scicat.server import serve
from demo.scicat.store import Store
from demo.world import World

ROOT = Path(__file__).resolve().parents[2]
Docs = list[dict[str, Any]]


@pytest.fixture(scope="module")
def facility() -> tuple[Store, World]:
    store = Store()
    return store, fill(store, 2_500)


@pytest.fixture(scope="module")
def base(facility: tuple[Store, World]) -> Iterator[str]:
    with serve(facility[0]) as url:
        yield url


@pytest.fixture(scope="module")
def datasets(base: str) -> Docs:
    """All of them, read as a harvester with a login reads them."""
    with httpx.Client(base_url=f"{base}/api/v3", verify=False) as http:
        token = http.post("/auth/login", json={"username": "ingestor", "password": "harvest-secret"}).json()[
            "access_token"
        ]
        found: Docs = []
        while page := _page(http, token, found[-1]["pid"] if found else ""):
            found += page
        return found


def _page(http: httpx.Client, token: str, after: str) -> Docs:
    asked = {"where": {"pid": {"$gt": after}}, "limits": {"limit": 250, "order": "pid:asc"}}
    reply = http.get("/datasets", params={"filter": json.dumps(asked)}, headers={"authorization": f"Bearer {token}"})
    docs: Docs = reply.json()
    return docs


def test_every_dataset_of_the_facilitys_life_is_served_once(datasets: Docs, facility: tuple[Store, World]) -> None:
    assert {doc["pid"] for doc in datasets} == {pid(number) for number in range(len(facility[1].datasets))}
    assert len(datasets) == 2_500


def test_the_same_seed_gives_the_same_records(datasets: Docs) -> None:
    other = Store()
    fill(other, 2_500)
    with serve(other) as url:
        again = httpx.get(f"{url}/api/v3/datasets?filter={{%22limits%22:{{%22limit%22:50}}}}", verify=False).json()
    known = {doc["pid"]: doc for doc in datasets}
    assert again
    assert all(known[doc["pid"]] == doc for doc in again)


def test_an_embargoed_proposal_is_granted_to_its_group_and_the_staff(datasets: Docs) -> None:
    mine = [doc for doc in datasets if doc["proposalIds"] == ["p-2026-014"]]
    assert mine
    assert all(
        (doc["ownerGroup"], doc["accessGroups"], doc["isPublished"]) == ("p-2026-014", ["staff"], False) for doc in mine
    )
    claims = {
        group.removeprefix("freya-") for person in PEOPLE for group in person.groups if group.startswith("freya-")
    }
    assert {"p-2026-014", "staff"} <= claims, "the demo's visitors hold these groups at the identity server"


def test_about_an_eighth_is_hidden_from_anybody(datasets: Docs, base: str) -> None:
    public = httpx.get(f"{base}/api/v3/datasets/count", verify=False).json()["count"]
    assert 0.7 < public / len(datasets) < 0.95


def test_the_blemishes_of_real_records_are_all_there(datasets: Docs) -> None:
    techniques = Counter(
        _form(part["pid"]) for doc in datasets if isinstance(doc["techniques"], list) for part in doc["techniques"]
    )
    assert set(techniques) == {"code", "http", "https", "uuid"}
    assert any(
        "\n" in part["name"] for doc in datasets if isinstance(doc["techniques"], list) for part in doc["techniques"]
    )
    text = json.dumps(datasets, ensure_ascii=False)
    for sign in (
        '"v": ',
        "arb. u.",
        '"ring.current"',
        '"$detector/größe"',
        "<script>",
        "Experimental hall",
        "@example.org",
        "p-1999-",
    ):
        assert sign in text, sign
    assert any(doc["size"] is None for doc in datasets)
    assert any("; " in doc["owner"] for doc in datasets)
    assert any(doc["sampleIds"] == [None] for doc in datasets)
    assert any("keywords" not in doc for doc in datasets)
    assert Counter(doc["updatedAt"] for doc in datasets).most_common(1)[0][1] > 100


def _form(found: str) -> str:
    return "code" if found.startswith("PaNET") else found.partition(":")[0] if ":" in found else "uuid"


def test_a_few_records_are_of_the_wrong_type(datasets: Docs) -> None:
    wrong = [
        doc
        for doc in datasets
        if not isinstance(doc["techniques"], list)
        or not isinstance(doc["scientificMetadata"], dict)
        or not isinstance(doc["datasetName"], str)
        or not isinstance(doc["creationTime"], str)
        or isinstance(doc["size"], str)
    ]
    assert 3 <= len(wrong) <= 30


def test_publications_name_their_datasets_and_pyscicat_can_log_in(base: str, facility: tuple[Store, World]) -> None:
    found = httpx.get(
        f"{base}/api/v3/publisheddata", params={"filter": '{"limits":{"limit":1000}}'}, verify=False
    ).json()
    assert all(doc["doi"].startswith("10.82001/") for doc in found)
    known = {pid(number) for number in range(len(facility[1].datasets))}
    assert any(one in known for doc in found for one in doc["pidArray"])
    assert any(one not in known for doc in found for one in doc["pidArray"]), "one names a dataset that is gone"
    client = ScicatClient(base_url=f"{base}/api/v3", username="ingestor", password="harvest-secret")
    assert client.datasets_get_one(pid(0))["pid"] == pid(0)


def test_it_serves_from_the_command_line() -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "demo.scicat", "--port", str(port), "--datasets", "300"], cwd=ROOT
    )
    try:
        until(lambda: listens(port))
        health = httpx.get(f"http://127.0.0.1:{port}/api/v3/health", verify=False, timeout=60)
        assert health.json()["status"] == "ok"
        count = httpx.get(f"http://127.0.0.1:{port}/api/v3/datasets/count", verify=False, timeout=60)
        assert count.json()["count"] > 0
    finally:
        process.terminate()
        process.wait(60)
