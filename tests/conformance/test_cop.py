"""This file is the fourteen checks of graphql-cop, one case each: what it looks for is not here (introspection is, on purpose).

The tool itself is run by the maintainers outside CI; names and requests as in reference on reliability, 2.5.
"""

import pytest
from graphql_world import ALICE, World


async def code_of(query: str) -> str | None:
    answer = (await World(viewer=ALICE).post(query)).json()
    return answer["errors"][0]["extensions"]["code"] if "errors" in answer else None


@pytest.mark.parametrize(
    ("check", "query"),
    [
        ("alias overloading", "{" + " ".join(f"alias{at}:__typename" for at in range(101)) + "}"),
        ("directive overloading", "{__typename " + "@aa" * 10 + "}"),
        ("field duplication", "{" + "__typename " * 500 + "}"),
        (
            "circular introspection",
            "{__schema{types{fields{type{fields{type{fields{type{fields{type{fields{type{fields{type{name}}}}}}}}}}}}}}}}",
        ),
    ],
)
async def test_what_overloads_is_refused(check: str, query: str) -> None:
    assert await code_of(query) in ("LIMIT_EXCEEDED", "BAD_INPUT"), check


async def test_an_array_of_ten_queries_is_refused() -> None:
    async with World().client() as client:
        answer = await client.post("/graphql", json=[{"query": "{__typename}"}] * 10)
    assert "data" not in answer.text


async def test_introspection_is_on_because_the_public_schema_is_a_promise() -> None:
    assert await code_of("{__schema{queryType{name}}}") is None


async def test_nothing_is_suggested() -> None:
    assert "Did you mean" not in (await World().post("{dataset(pi:1){titel}}")).text


async def test_no_page_to_try_queries_is_served() -> None:
    async with World().client() as client:
        for path in ("/graphql", "/graphiql", "/playground", "/console"):
            answer = await client.get(path, headers={"accept": "text/html"})
            assert answer.status_code in (404, 406)
            assert "<html" not in answer.text.lower()


async def test_get_asks_and_never_changes() -> None:
    """A query by GET is of the standard (and of its audit); it changes nothing, and no other site can read the answer."""
    async with World(viewer=ALICE, cookie_session=True).client() as client:
        asked = await client.get("/graphql", params={"query": "{__typename}"}, headers={"accept": "application/json"})
        assert asked.json() == {"data": {"__typename": "Query"}}
        assert "access-control-allow-origin" not in asked.headers
        change = {"query": 'mutation{stopLaunch(input:{launch:"x"}){launch{id}}}'}
        changed = await client.get("/graphql", params=change, headers={"accept": "application/json"})
        assert changed.status_code == 405
        assert "data" not in changed.json()


@pytest.mark.parametrize(
    "type_", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"]
)
async def test_a_form_of_another_site_is_not_read(type_: str) -> None:
    async with World().client() as client:
        answer = await client.post("/graphql", content=b"query=%7B__typename%7D", headers={"content-type": type_})
    assert answer.status_code == 415
    assert "data" not in answer.json()


async def test_no_tracing_and_no_inside_of_an_error_is_shown() -> None:
    world = World()

    async def broken(_search: object) -> None:
        raise RuntimeError("postgresql://user:hunter2@db")

    world.reader.search = broken  # type: ignore[method-assign,assignment]
    answer = (await world.post("{datasets{totalCount}}", None, **{"x_apollo_tracing": "1"})).json()
    assert set(answer) == {"data", "errors"}
    assert set(answer["errors"][0]["extensions"]) == {"code", "correlationId"}
    assert "hunter2" not in str(answer)
