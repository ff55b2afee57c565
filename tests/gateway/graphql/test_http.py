"""This file is GraphQL over HTTP: methods, media types, statuses, forged requests, masked errors."""

import pytest
from graphql import build_schema, get_introspection_query
from graphql_world import ALICE, World

from gateway.graphql.api import sdl
from gateway.graphql.negotiation import chosen, wants_events
from gateway.limits import Limits
from schema.errors import Unauthenticated

GRAPHQL = "application/graphql-response+json"


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize(
    ("accept", "type_"),
    [
        (None, "application/json"),
        ("", "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("application/json", "application/json"),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, application/json;q=0.9", GRAPHQL),
        (f"application/json, {GRAPHQL}", "application/json"),
        (f"{GRAPHQL}, application/json", GRAPHQL),
        (f"*/*, {GRAPHQL}", GRAPHQL),
        (f"{GRAPHQL};q=0, */*", "application/json"),
        ("application/json;q=0, */*;q=0.5", GRAPHQL),
        ("application/json; charset=latin1", None),
        ("text/html", None),
        ("application/json;q=high", None),
    ],
)
def test_the_media_type_the_client_likes_best(accept, type_):
    assert chosen(accept) == type_


def test_events_are_sent_to_whom_asks_for_them_by_name():
    assert wants_events("text/event-stream, application/json")
    assert not wants_events("*/*")
    assert not wants_events("text/event-stream;q=0")
    assert not wants_events(None)


@pytest.mark.parametrize(
    ("query", "plain", "strict"),
    [
        ("{me{name}}", 200, 200),
        ("{", 200, 400),
        ("{nope}", 200, 400),
        ("query($n:Int!){techniques(first:$n){name}}", 200, 400),
    ],
)
async def test_a_refused_request_is_400_in_the_own_media_type_and_has_no_data(world, query, plain, strict):
    assert (await world.post(query, accept="application/json")).status_code == plain
    answer = await world.post(query, accept=GRAPHQL)
    assert answer.status_code == strict
    assert answer.headers["content-type"] == f"{GRAPHQL}; charset=utf-8"
    assert ("data" in answer.json()) is (strict == 200)


async def test_an_error_of_a_field_is_200_with_null_and_its_path(world):
    answer = await world.post("{launches{totalCount}}", accept=GRAPHQL)
    assert (answer.status_code, answer.json()["data"]) == (200, None)
    (error,) = answer.json()["errors"]
    assert error["path"] == ["launches"]
    assert error["extensions"] == {"code": "UNAUTHENTICATED", "correlationId": "c0ffee"}


async def test_a_query_may_be_asked_with_get_and_a_mutation_may_not(world):
    async with world.client() as client:
        found = await client.get(
            "/graphql",
            params={"query": "query($p:String!){dataset(pid:$p){pid}}", "variables": '{"p":"10.5442/nd000001"}'},
        )
        assert found.json() == {"data": {"dataset": {"pid": "10.5442/nd000001"}}}
        refused = await client.get("/graphql", params={"query": 'mutation{stopLaunch(input:{launch:"x"}){launch{id}}}'})
        assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
        for parameters in ({}, {"query": "{me{name}}", "variables": "{"}, {"query": "{me{name}}", "variables": "[]"}):
            assert (await client.get("/graphql", params=parameters)).status_code == 400


@pytest.mark.parametrize(
    ("body", "type_", "status"),
    [
        (b'{"query":"{me{name}}"}', "application/json", 200),
        (b'{"query":"{me{name}}"}', 'application/json; charset="UTF-8"', 200),
        (b'{"query":"{me{name}}"}', "application/json; charset=utf-16", 415),
        (b'{"query":"{me{name}}"}', "text/plain", 415),
        (b"query=%7Bme%7Bname%7D%7D", "application/x-www-form-urlencoded", 415),
        (b'{"query":"{me{name}}"}', "multipart/form-data; boundary=x", 415),
        (b"{me{name}}", "application/graphql", 415),
        (b"{", "application/json", 400),
        (b"", "application/json", 400),
        (b'"{me{name}}"', "application/json", 400),
        (b'[{"query":"{me{name}}"}]', "application/json", 400),
        (b"{}", "application/json", 400),
        (b'{"query":7}', "application/json", 400),
        (b'{"query":"\\ud800{me{name}}"}', "application/json", 400),
        (b"[" * 60_000, "application/json", 400),
        (b'{"query":"{me{name}}","operationName":7}', "application/json", 400),
        (b'{"query":"{me{name}}","variables":[]}', "application/json", 400),
        (b'{"query":"{me{name}}","extensions":"x"}', "application/json", 400),
        (b'{"query":"{me{name}}","variables":null,"extensions":null,"operationName":null,"other":1}', "application/json", 200),
    ],
)  # fmt: skip
async def test_a_body_is_json_of_the_known_shape(world, body, type_, status):
    async with world.client() as client:
        answer = await client.post("/graphql", content=body, headers={"content-type": type_, "accept": GRAPHQL})
    assert answer.status_code == status
    assert ("errors" in answer.json()) is (status != 200)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
async def test_other_methods_are_told_which_there_are(world, method):
    async with world.client() as client:
        answer = await client.request(method, "/graphql")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


async def test_compressed_requests_and_other_answers_are_refused(world):
    async with world.client() as client:
        packed = await client.post(
            "/graphql", content=b"x", headers={"content-type": "application/json", "content-encoding": "gzip"}
        )
        assert packed.status_code == 415
        html = await client.post("/graphql", json={"query": "{me{name}}"}, headers={"accept": "text/html"})
        assert html.status_code == 406


@pytest.mark.parametrize(("over", "status"), [(-1, 200), (0, 200), (1, 413)])
@pytest.mark.parametrize("chunked", [False, True])
async def test_a_body_is_bounded_whether_announced_or_not(world, over, status, chunked):
    body = b'{"query":"{me{name}}"}'.ljust(65_536 + over, b" ")

    async def pieces():
        for at in range(0, len(body), 4096):
            yield body[at : at + 4096]

    async with world.client() as client:
        answer = await client.post(
            "/graphql", content=pieces() if chunked else body, headers={"content-type": "application/json"}
        )
    assert answer.status_code == status


@pytest.mark.parametrize(("over", "code"), [(-1, None), (0, None), (1, "LIMIT_EXCEEDED")])
async def test_variables_are_bounded(world, over, code):
    room = 32_768 - len('{"q":"","r":""}')
    variables = {"q": "", "r": "x" * (room + over)}
    answer = (await world.post("query($q:String){datasets(query:$q){totalCount}}", variables)).json()
    assert (answer["errors"][0]["extensions"]["code"] if "errors" in answer else None) == code


@pytest.mark.parametrize(("limit", "fits"), [(24, False), (25, True), (26, True)])
async def test_an_answer_is_bounded(limit, fits):
    answer = await World(limits=Limits(response=limit)).post('{dataset(pid:"x"){title}}')
    if fits:
        assert answer.content == b'{"data":{"dataset":null}}'
    else:
        assert answer.json()["data"] is None
        assert answer.json()["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


@pytest.mark.parametrize(
    ("cookie", "headers", "status"),
    [
        (False, {}, 200),
        (False, {"origin": "https://evil.example"}, 200),
        (True, {}, 403),
        (True, {"origin": "https://evil.example"}, 403),
        (True, {"origin": "null"}, 403),
        (True, {"origin": "https://evil.example", "x-csrf-token": "1"}, 403),
        (True, {"origin": "http://pangate.example.org.evil.example"}, 403),
        (True, {"origin": "http://pangate.example.org"}, 200),
        (True, {"x-csrf-token": "1"}, 200),
        (True, {"x-requested-with": "XMLHttpRequest"}, 200),
    ],
)
async def test_a_session_cookie_counts_only_from_our_own_pages(cookie, headers, status):
    world = World(viewer=ALICE, cookie_session=cookie)
    answer = await world.post("{me{name}}", **headers)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_viewer_who_cannot_be_made_is_told_with_a_status(world):
    async def refused(_connection):
        raise Unauthenticated("This token has expired. Sign in again.")

    world.context = refused
    world.__post_init__()
    answer = await world.post("{me{name}}")
    assert answer.status_code == 401
    assert answer.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


@pytest.mark.parametrize(
    "query",
    ["{datasest{totalCount}}", "{datasets(filtr:{}){totalCount}}", "{datasets(scope:MIN){totalCount}}",
     "{datasets(filter:{keywrd:[]}){totalCount}}", "query($f:DatasetFiltr){datasets(filter:$f){totalCount}}", "{datasets{totalCoun}}"],
)  # fmt: skip
async def test_nothing_is_suggested(world, query):
    code, message = await world.refused(query)
    assert code == "BAD_INPUT"
    assert "Did you mean" not in message


async def test_at_most_five_errors_are_told_of_a_document(world):
    for count in (4, 5, 6):
        answer = (await world.post("{" + " ".join(f"x{at}" for at in range(count)) + "}")).json()
        assert len(answer["errors"]) == min(count, 5)


async def test_of_several_operations_one_is_named(world):
    query = "query A{me{name}} query B{vocabulary{name}}"
    async with world.client() as client:
        for name, ok in (("A", True), ("B", True), ("C", False), (None, False)):
            answer = (await client.post("/graphql", json={"query": query, "operationName": name})).json()
            assert ("data" in answer) is ok


async def test_introspection_gives_the_schema_and_is_the_same_again(world):
    first = await world.post(get_introspection_query())
    assert (await world.post(get_introspection_query())).content == first.content
    names = {each["name"] for each in first.json()["data"]["__schema"]["types"]}
    assert {"Dataset", "DatasetConnection", "LaunchState"} <= names
    data = await world.ask("query($n:String!){__type(name:$n){name} __typename}", n="Dataset")
    assert data == {"__type": {"name": "Dataset"}, "__typename": "Query"}
    assert (await world.ask("query($n:String!){__type(name:$n){name} __typename}", n="Sample"))["__type"] == {
        "name": "Sample"
    }


async def test_the_schema_is_served_as_text(world):
    async with world.client() as client:
        answer = await client.get("/schema.graphql")
    assert answer.text == sdl()
    assert build_schema(answer.text).query_type


async def test_a_subscription_over_plain_http_is_told_where_to_go(world):
    world.viewer = ALICE
    answer = await world.post('subscription{launch(id:"x"){id}}')
    assert answer.status_code == 406
    assert "event-stream" in answer.json()["errors"][0]["message"]
