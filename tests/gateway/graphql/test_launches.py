"""This file is launches through the whole endpoint: asked for, followed over both transports, ended; sources and operators."""

import asyncio
import json

import pytest
from graphql_world import ALICE, BOB, OPERATOR, World
from socket_talk import Talk

from gateway.graphql import ids
from schema.activities import HarvestMode, LaunchState

IRON = "10.5442/nd000001"
ANALYSE = "mutation($i:AnalyseInput!){analyse(input:$i){created launch{id state message openUrl}}}"
FOLLOW = "subscription($id:ID!,$after:ID){launch(id:$id,after:$after){state message events{id state}}}"
LIFE = ["CHECKED", "STARTING", "READY", "OPENED", "STOPPING", "STOPPED"]


@pytest.fixture
def world() -> World:
    return World(viewer=ALICE)


async def started(world: World) -> str:
    """The id of a new launch."""
    return (await world.ask(ANALYSE, i={"dataset": IRON, "another": True}))["analyse"]["launch"]["id"]


def live(world: World, id: str, states: list[str]) -> None:
    for state in states:
        world.desk.tell(ids.key(id, "Launch", ""), LaunchState(state), f"It is {state}.")


async def test_a_dataset_is_analysed_once_for_a_key(world):
    hub = ids.encode("Trigger", "north/hub")
    wish = {"dataset": f"doi:{IRON.upper()}", "trigger": hub, "procedure": "plain", "key": "k1"}
    first = (await world.ask(ANALYSE, i=wish))["analyse"]
    again = (await world.ask(ANALYSE, i=wish))["analyse"]
    assert (first["created"], again["created"]) == (True, False)
    assert first["launch"] == again["launch"]
    assert first["launch"]["state"] == "REQUESTED"
    assert (await world.refused(ANALYSE, i={**wish, "dataset": "10.5442/nd000002"}))[0] == "CONFLICT"


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"dataset": "10.5442/nowhere"}, "NOT_FOUND"),
        ({"dataset": "\x00"}, "NOT_FOUND"),
        ({"dataset": IRON, "trigger": "north/hub"}, "BAD_INPUT"),
        ({"dataset": IRON, "trigger": ids.encode("Dataset", "x")}, "BAD_INPUT"),
        ({"dataset": IRON, "procedure": "fancy"}, "BAD_INPUT"),
        ({"dataset": IRON, "key": ""}, "BAD_INPUT"),
        ({"dataset": IRON, "key": "x" * 256}, "BAD_INPUT"),
        ({}, "BAD_INPUT"),
    ],
)
async def test_what_cannot_be_analysed_is_refused_with_a_code(world, wish, code):
    assert (await world.refused(ANALYSE, i=wish))[0] == code
    assert world.desk.kept == {}


@pytest.mark.parametrize(
    "query",
    [
        f'mutation{{analyse(input:{{dataset:"{IRON}"}}){{created}}}}',
        'mutation{stopLaunch(input:{launch:"x"}){launch{id}}}',
        'mutation{extendLaunch(input:{launch:"x",minutes:5}){launch{id}}}',
        'mutation{harvestNow(input:{source:"north/scicat"}){accepted}}',
        '{launch(id:"x"){id}}',
        "{launches{totalCount}}",
        "{rejects{edges{cursor}}}",
    ],
)
async def test_who_is_not_signed_in_may_not(query):
    assert (await World().refused(query))[0] == "UNAUTHENTICATED"


async def test_a_launch_is_its_owners_alone(world):
    id = await started(world)
    query = "query($i:ID!){launch(id:$i){state trigger{name} procedure{name} dataset{pid} createdAt} node(id:$i){id}}"
    own = await world.ask(query, i=id)
    assert own["launch"]["dataset"] == {"pid": IRON}
    assert own["node"] == {"id": id}
    world.viewer = BOB
    assert await world.ask(query, i=id) == {"launch": None, "node": None}
    stop = "mutation($i:ID!){stopLaunch(input:{launch:$i}){launch{id}}}"
    assert await world.refused(stop, i=id) == await world.refused(stop, i=ids.encode("Launch", "l99"))
    assert await world.refused(stop, i=id) == await world.refused(stop, i="nonsense")


async def test_a_launch_is_stopped_and_extended(world):
    id = await started(world)
    live(world, id, ["READY"])
    data = await world.ask("query($i:ID!){launch(id:$i){openUrl}}", i=id)
    assert data["launch"]["openUrl"] == "http://pangate.example.org/launch/l1/open"
    extend = "mutation($i:ID!,$m:Int!){extendLaunch(input:{launch:$i,minutes:$m}){launch{id}}}"
    assert (await world.ask(extend, i=id, m=30))["extendLaunch"]["launch"]["id"] == id
    assert (await world.refused(extend, i=id, m=0))[0] == "BAD_INPUT"
    stop = "mutation($i:ID!){stopLaunch(input:{launch:$i}){launch{state openUrl}}}"
    assert (await world.ask(stop, i=id))["stopLaunch"]["launch"] == {"state": "STOPPING", "openUrl": None}


async def test_launches_are_paged_newest_first(world):
    made = [await started(world) for _ in range(5)]
    query = "query($a:String){launches(first:2,after:$a){totalCount edges{cursor node{id}} pageInfo{hasNextPage endCursor}}}"
    seen, after = [], None
    while True:
        page = (await world.ask(query, a=after))["launches"]
        assert page["totalCount"] == 5
        seen += [edge["node"]["id"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert seen == made[::-1]
    world.viewer = BOB
    assert (await world.refused(query, a=after))[0] == "CURSOR_INVALID"


async def events(world: World, id: str, after: str | None = None) -> list[dict]:
    """The payloads of a subscription over server-sent events, to its end."""
    answer = await world.post(FOLLOW, {"id": id, "after": after}, accept="text/event-stream")
    assert answer.headers["content-type"].startswith("text/event-stream")
    blocks = [block for block in answer.text.split("\n\n") if block and not block.startswith(":")]
    assert blocks[-1] == "event: complete\ndata:"
    assert all(block.startswith("event: next\ndata: ") for block in blocks[:-1])
    return [json.loads(block.removeprefix("event: next\ndata: ")) for block in blocks[:-1]]


async def test_server_sent_events_leave_no_event_out_and_end_with_the_launch(world):
    id = await started(world)
    following = asyncio.create_task(events(world, id))
    for state in LIFE:
        await asyncio.sleep(0)
        live(world, id, [state])
    payloads = [each["data"]["launch"] for each in await following]
    assert [each["state"] for each in payloads] == ["REQUESTED", *LIFE]
    assert [each["message"] for each in payloads[1:]] == [f"It is {state}." for state in LIFE]
    assert [len(each["events"]) for each in payloads] == list(range(1, 8))
    seen = payloads[2]["events"][-1]["id"]
    later = [each["data"]["launch"]["state"] for each in await events(world, id, seen)]
    assert later == LIFE[2:]
    assert await events(world, id, payloads[-1]["events"][-1]["id"]) == []


async def test_a_query_and_a_refusal_over_server_sent_events_are_one_payload(world):
    answer = await world.post("{me{name}}", accept="text/event-stream")
    assert answer.text == 'event: next\ndata: {"data":{"me":{"name":"Alice Example"}}}\n\nevent: complete\ndata:\n\n'
    answer = await world.post("{nope}", accept="text/event-stream")
    assert '"errors"' in answer.text
    assert answer.text.endswith("event: complete\ndata:\n\n")


@pytest.mark.parametrize("id", ["nonsense", ids.encode("Launch", "l99"), ids.encode("Dataset", "l1")])
async def test_what_is_not_ones_own_cannot_be_followed(world, id):
    (payload,) = await events(world, id)
    assert payload["errors"][0]["extensions"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize("after", ["x", "-1", "1" * 19, "٣"])
async def test_after_is_the_id_of_an_event(world, after):
    (payload,) = await events(world, await started(world), after)
    assert payload["errors"][0]["extensions"]["code"] == "BAD_INPUT"


async def test_a_source_that_breaks_ends_the_stream_with_a_masked_error(world):
    async def broken(_launch, _after):
        raise RuntimeError("password=hunter2")
        yield

    id = await started(world)
    world.desk.follow = broken
    (payload,) = await events(world, id)
    assert payload["errors"][0]["extensions"]["code"] == "INTERNAL"
    assert "hunter2" not in json.dumps(payload)


async def test_a_socket_leaves_no_event_out_and_lives_on(world):
    id = await started(world)
    async with Talk(world.app) as talk:
        await talk.begin()
        await talk.send(id="1", type="subscribe", payload={"query": FOLLOW, "variables": {"id": id}})
        states = []
        for state in LIFE:
            states.append((await talk.receive())["payload"]["data"]["launch"]["state"])
            live(world, id, [state])
        states.append((await talk.receive())["payload"]["data"]["launch"]["state"])
        assert states == ["REQUESTED", *LIFE]
        assert await talk.receive() == {"id": "1", "type": "complete"}
        await talk.send(id="1", type="subscribe", payload={"query": "{me{name}}"})
        assert await talk.receive() == {
            "id": "1",
            "type": "next",
            "payload": {"data": {"me": {"name": "Alice Example"}}},
        }
        assert await talk.receive() == {"id": "1", "type": "complete"}
        await talk.send(type="ping")
        assert await talk.receive() == {"type": "pong"}
        for bad in (
            {"query": "{nope}"},
            {"query": FOLLOW, "variables": {"id": "x"}},
            {"query": "{me{name}}", "variables": 1},
        ):
            await talk.send(id="2", type="subscribe", payload=bad)
            told = await talk.receive()
            assert (told["id"], told["type"]) == ("2", "error")
            assert told["payload"][0]["extensions"]["code"] in ("BAD_INPUT", "NOT_FOUND")


async def test_five_subscriptions_a_user_whatever_the_transport_and_places_come_back(world):
    id = await started(world)

    async def opened(talk: Talk, name: str) -> str:
        await talk.send(id=name, type="subscribe", payload={"query": FOLLOW, "variables": {"id": id}})
        told = await talk.receive()
        return told["type"] if told["type"] == "next" else told["payload"][0]["extensions"]["code"]

    async with Talk(world.app) as talk:
        await talk.begin()
        assert [await opened(talk, str(at)) for at in range(6)] == ["next"] * 5 + ["LIMIT_EXCEEDED"]
        (payload,) = await events(world, id)
        assert payload["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
        await talk.send(id="0", type="complete")
        assert await opened(talk, "7") == "next"
    async with Talk(world.app) as talk:  # the other socket is closed: all five are free again
        await talk.begin()
        assert [await opened(talk, str(at)) for at in range(5)] == ["next"] * 5


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        (["nonsense"], 4400),
        (["[]"], 4400),
        (['{"type":7}'], 4400),
        (['{"type":"start"}'], 4400),
        ([b"\x00"], 4400),
        (['{"type":"connection_init","payload":{"x":"' + "x" * 65_536 + '"}}'], 4400),
        (['{"type":"subscribe","id":"1","payload":{"query":"{me{name}}"}}'], 4401),
        (['{"type":"connection_init"}', '{"type":"connection_init"}'], 4429),
        (['{"type":"connection_init"}', '{"type":"subscribe","payload":{"query":"{me{name}}"}}'], 4400),
        (['{"type":"connection_init"}', '{"type":"subscribe","id":"1","payload":{}}'], 4400),
        (['{"type":"connection_init"}', *['{"type":"subscribe","id":"1","payload":{"query":"{me{name}}"}}'] * 2], 4409),
    ],
)
async def test_a_broken_protocol_closes_the_socket_with_its_code(world, messages, code):
    async with Talk(world.app) as talk:
        for message in messages:
            await talk.raw(message)
        assert await talk.closed() == code


async def test_the_subprotocol_must_be_named(world):
    async with Talk(world.app, subprotocols=["graphql-ws"]) as talk:
        assert await talk.closed() == 4406


async def test_a_socket_that_says_nothing_is_closed(world, monkeypatch):
    monkeypatch.setattr("gateway.graphql.websocket.INIT_S", 0.02)
    async with Talk(world.app) as talk:
        assert await talk.closed() == 4408


@pytest.mark.parametrize(
    ("origin", "opens"), [(None, False), ("https://evil.example", False), ("http://pangate.example.org", True)]
)
async def test_a_socket_with_a_cookie_is_opened_from_our_own_pages_alone(world, origin, opens):
    world.cookie_session = True
    headers = {} if origin is None else {"origin": origin}
    async with Talk(world.app, headers=headers) as talk:
        await talk.raw('{"type":"connection_init"}')
        if opens:
            assert await talk.receive() == {"type": "connection_ack"}
        else:
            assert await talk.closed() == 4403


async def test_figures_that_count_hidden_records_are_for_operators(world):
    query = "{sources{records rejects lastHarvest{figures{seen}}}}"
    assert (await World().ask(query))["sources"][0] == {"records": 3, "rejects": None, "lastHarvest": {"figures": None}}
    world.viewer = OPERATOR
    assert (await world.ask(query))["sources"][0] == {
        "records": 3,
        "rejects": 1,
        "lastHarvest": {"figures": {"seen": 3}},
    }


async def test_sources_and_harvests_are_shown_to_everybody(world):
    data = await World().ask(
        "{sources{key kind state records rejects message running{id} lastHarvest{id state mode figures{seen}} facility{key}}"
        ' harvests(source:"north/scicat",first:2){edges{cursor node{id source state endedAt}} pageInfo{hasNextPage endCursor}}}'
    )
    north, south = data["sources"]
    assert (north["state"], north["records"], north["lastHarvest"]["state"]) == ("FRESH", 3, "DONE")
    assert (south["state"], south["records"], south["lastHarvest"]) == ("NEVER", 0, None)
    numbers = [edge["node"]["id"] for edge in data["harvests"]["edges"]]
    assert numbers == [ids.encode("Harvest", "3"), ids.encode("Harvest", "2")]
    after = data["harvests"]["pageInfo"]["endCursor"]
    query = "query($s:String,$a:String){harvests(source:$s,after:$a){edges{node{id}} pageInfo{hasNextPage}}}"
    data = await world.ask(query, s="north/scicat", a=after)
    assert data["harvests"] == {
        "edges": [{"node": {"id": ids.encode("Harvest", "1")}}],
        "pageInfo": {"hasNextPage": False},
    }
    assert (await world.refused(query, a=after))[0] == "CURSOR_INVALID"
    assert (await world.refused(query, s="nowhere/x"))[0] == "NOT_FOUND"


async def test_rejects_and_harvest_now_are_for_operators(world):
    rejects = "{rejects{edges{node{id reason raw count}}}}"
    now = "mutation($s:String!,$f:Boolean){harvestNow(input:{source:$s,full:$f}){accepted}}"
    assert (await world.refused(rejects))[0] == "FORBIDDEN"
    assert (await world.refused(now, s="north/scicat"))[0] == "FORBIDDEN"
    world.viewer = OPERATOR
    assert [edge["node"]["reason"] for edge in (await world.ask(rejects))["rejects"]["edges"]] == ["no-title"] * 2
    assert (await world.ask(now, s="north/scicat"))["harvestNow"] == {"accepted": True}
    assert (await world.ask(now, s="north/scicat", f=True))["harvestNow"] == {"accepted": True}
    assert [mode for _, mode, _ in world.sources.asked] == [HarvestMode.INCREMENTAL, HarvestMode.FULL]
    assert (await world.refused(now, s="nowhere/x"))[0] == "NOT_FOUND"


async def test_harvests_and_rejects_are_found_by_their_ids_rejects_by_operators_alone(world):
    wanted = [
        ids.encode("Harvest", "2"),
        ids.encode("Reject", "1"),
        ids.encode("Harvest", "9"),
        ids.encode("Harvest", "x"),
    ]
    query = "query($i:[ID!]!){nodes(ids:$i){__typename id}}"
    harvest = {"__typename": "Harvest", "id": wanted[0]}
    assert (await world.ask(query, i=wanted))["nodes"] == [harvest, None, None, None]
    world.viewer = OPERATOR
    assert (await world.ask(query, i=wanted))["nodes"] == [
        harvest,
        {"__typename": "Reject", "id": wanted[1]},
        None,
        None,
    ]
