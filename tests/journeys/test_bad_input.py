"""What goes wrong is told in one sentence with a stable code, and loses nothing: through the whole house, the gateway over real stores
(issue 3, "Bad input"; sources that are down, slow or lying: tests/harvesters; a wrong federation file: tests/schema, tests/pangate)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from doubles import jupyterhub
from twin import NOWHERE, SECRETS, Twin, plain, twin

from schema.access import Access, Viewer, Visibility
from schema.activities import HarvestState
from schema.records import Dataset
from triggers import outlook

BOHR = Viewer(issuer="https://id.example.org", subject="bohr", name="Bohr", claims={"preferred_username": "bohr"})
SIGN_IN = {"oidc_issuer": "https://id.example.org", "oidc_client_id": "pangate"}
ANALYSE = "mutation($i: AnalyseInput!) { analyse(input: $i) { created launch { id state } } }"
HIDDEN = "freya/dataset/hidden"
ABSENT = "freya/dataset/absent"


def dataset(id: str, *, public: bool = True) -> Dataset:
    """A dataset at Freya."""
    visibility = Visibility(public=public, groups=() if public else ("freya:staff",))
    about = {
        "source": "freya/scicat",
        "id": id,
        "pid": f"freya/dataset/{id}",
        "facility": "freya",
        "visibility": visibility,
    }
    return Dataset(**about, title=f"Powder diffraction {id}", access=Access.OPEN, location=f"/data/{id}")


@pytest.fixture(autouse=True)
def _secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {**SECRETS, "PANGATE_OIDC_CLIENT_SECRET": "x" * 32}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def hub() -> Iterator[jupyterhub.Hub]:
    with jupyterhub.running(jupyterhub.Hub()) as hub:
        yield hub


@pytest.fixture
def world(tmp_path: Path, hub: jupyterhub.Hub, _secrets: None) -> Iterator[Twin]:
    with twin(tmp_path, {**NOWHERE, "hub": hub.url}, **SIGN_IN) as world:
        world.commit("freya/scicat", [*(dataset(str(number)) for number in range(5)), dataset("hidden", public=False)])
        world.project()
        yield world


async def ask(world: Twin, query: str, viewer: Viewer | None = None, **variables: Any) -> httpx.Response:
    async with world.client(viewer) as client:
        return await client.post("/graphql", json={"query": query, "variables": variables})


def refused(answer: httpx.Response) -> tuple[str, str]:
    """The code and the sentence of the one error."""
    (error,) = answer.json()["errors"]
    assert error["extensions"]["correlationId"]
    assert "Traceback" not in answer.text
    return error["extensions"]["code"], error["message"]


async def analysed(world: Twin, viewer: Viewer | None = BOHR, **wish: Any) -> httpx.Response:
    return await ask(world, ANALYSE, viewer, i=wish)


def launches(world: Twin) -> int:
    return world.house.launches.launches(BOHR.principal, 10, None)[1]


async def test_an_unknown_dataset_is_null_for_machines_and_a_page_that_says_so(world: Twin) -> None:
    for pid in (ABSENT, HIDDEN, "not a pid at all", "10.9999/nothing", "../../etc/passwd", "a" * 5000):
        answer = await ask(world, "query($p: String!) { dataset(pid: $p) { pid } }", p=pid)
        assert answer.json() == {"data": {"dataset": None}}, pid
    async with world.client() as client:
        page = await client.get(f"/dataset/{ABSENT}", headers={"Accept": "text/html"})
        problem = await client.get(f"/dataset/{ABSENT}", headers={"Accept": "text/turtle"})
    assert (page.status_code, problem.status_code) == (404, 404)
    assert "There is no dataset of that name here" in page.text
    assert problem.json()["code"] == "NOT_FOUND"


@pytest.mark.parametrize(
    "query", ["{", "{ nothing }", "query { datasets(first: many) { totalCount } }", "\x00", "{ datasets }", "😀" * 50]
)
async def test_malformed_graphql_is_told_where(world: Twin, query: str) -> None:
    code, message = refused(await ask(world, query))
    assert code == "BAD_INPUT"
    assert message


async def test_a_cursor_that_was_tampered_with_or_is_too_old_says_which(world: Twin, tmp_path: Path) -> None:
    query = (
        'query($a: String) { datasets(query: "powder", first: 2, after: $a) { nodes { pid } pageInfo { endCursor } } }'
    )
    cursor = (await ask(world, query)).json()["data"]["datasets"]["pageInfo"]["endCursor"]
    for forged in ("", "x", cursor[:-3] + "abc", cursor[1:], cursor * 50):
        assert refused(await ask(world, query, a=forged))[0] == "CURSOR_INVALID", forged
    assert len((await ask(world, query, a=cursor)).json()["data"]["datasets"]["nodes"]) == 2
    settings = {**SIGN_IN}
    world.house.index.close()
    with twin(tmp_path, **settings) as later:  # the next start, after the list has changed
        later.commit("freya/scicat", [dataset("new")])
        later.project()
        code, message = refused(await ask(later, query, a=cursor))
        assert code == "CURSOR_EXPIRED"
        assert "first page" in message
        assert (await ask(later, query)).json()["data"]["datasets"]["nodes"]


async def test_analyse_without_sign_in(world: Twin) -> None:
    assert refused(await analysed(world, None, dataset="freya/dataset/1"))[0] == "UNAUTHENTICATED"
    assert launches(world) == 0


async def test_analyse_of_what_one_may_not_see_is_the_answer_for_what_is_not_there(world: Twin) -> None:
    hidden, absent = [await analysed(world, dataset=pid) for pid in (HIDDEN, ABSENT)]
    assert refused(hidden)[0] == "NOT_FOUND"
    one, other = plain(hidden), plain(absent)
    assert one[:2] == other[:2]
    assert one[2] == other[2]
    assert launches(world) == 0


async def test_analyse_at_a_site_that_is_down_and_up_again(world: Twin, hub: jupyterhub.Hub) -> None:
    platform = world.house.platforms["freya/hub"]
    hub.faults.no_model = True
    outlook.look(platform, world.house.launches, world.house.clock)
    code, message = refused(await analysed(world, dataset="freya/dataset/1", key="again"))
    assert code == "UNAVAILABLE"
    assert "Freya's JupyterHub is not available since 2026-11-22 12:00 UTC" in message
    assert launches(world) == 0
    hub.faults.no_model = False
    outlook.look(platform, world.house.launches, world.house.clock)
    assert (await analysed(world, dataset="freya/dataset/1", key="again")).json()["data"]["analyse"]["created"] is True


async def test_a_key_that_was_used_for_something_else(world: Twin) -> None:
    first = (await analysed(world, dataset="freya/dataset/1", key="k")).json()["data"]["analyse"]
    code, message = refused(await analysed(world, dataset="freya/dataset/2", key="k"))
    assert code == "CONFLICT"
    assert "new key" in message
    again = (await analysed(world, dataset="freya/dataset/1", key="k")).json()["data"]["analyse"]
    assert (first["created"], again["created"], again["launch"]) == (True, False, first["launch"])
    assert launches(world) == 1


@pytest.mark.parametrize(
    "wish", [{"procedure": "none"}, {"environment": "none"}, {"trigger": "bm90aGluZw"}, {"key": ""}]
)
async def test_what_is_not_on_offer_is_named(world: Twin, wish: dict[str, str]) -> None:
    assert refused(await analysed(world, dataset="freya/dataset/1", **wish))[0] == "BAD_INPUT"
    assert launches(world) == 0


async def test_a_source_that_fails_is_told_and_what_was_harvested_stays(world: Twin) -> None:
    ledger, clock = world.house.harvests, world.time
    lease = ledger.acquire("source:freya/scicat", "test", 60)
    assert lease is not None
    run = ledger.begin(lease, "freya/scicat", ledger.harvests("freya/scicat", 1, None)[0].mode)
    ledger.close(lease, run, HarvestState.FAILED, "The server sent a page of HTML where JSON was due.", None)
    ledger.release(lease)
    answer = (await ask(world, "{ sources { key state message } datasets { totalCount } }")).json()["data"]
    told = next(each for each in answer["sources"] if each["key"] == "freya/scicat")
    assert (told["state"], told["message"]) == ("FAILING", "The server sent a page of HTML where JSON was due.")
    assert answer["datasets"]["totalCount"] == 5
    assert clock() == world.house.clock()
