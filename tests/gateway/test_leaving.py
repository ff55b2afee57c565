"""Who goes away takes their question along; what was to be done is done."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest
from graphql_world import ALICE, World
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from gateway.leaving import LEFT, while_there
from gateway.limits import Limits

ANALYSE = 'mutation{analyse(input:{dataset:"10.5442/nd000001"}){created}}'


class Client:
    """An HTTP client on the other side of ASGI that may leave at any time."""

    def __init__(self, body: bytes = b"") -> None:
        self._body = body
        self._gone = asyncio.Event()
        self.sent: list[dict[str, Any]] = []
        self.scope: dict[str, Any] = {
            "type": "http",
            "method": "POST" if body else "GET",
            "path": "/graphql",
            "raw_path": b"/graphql",
            "query_string": b"",
            "root_path": "",
            "scheme": "http",
            "server": ("pangate.example.org", 80),
            "client": ("127.0.0.1", 5),
            "headers": [(b"content-type", b"application/json"), (b"accept", b"application/json")],
        }

    async def receive(self) -> dict[str, Any]:
        body, self._body = self._body, b""
        if body:
            return {"type": "http.request", "body": body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)

    def leave(self) -> None:
        self._gone.set()


class Slow:
    """Something that never ends by itself, and what became of it."""

    def __init__(self) -> None:
        self.begun, self.ended = asyncio.Event(), asyncio.Event()

    async def __call__(self, *_: object) -> Any:
        self.begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.ended.set()


async def test_a_search_ends_when_the_one_who_asked_has_left() -> None:
    world, slow = World(limits=Limits(search_s=60.0, execution_s=60.0)), Slow()
    world.reader.search = slow  # type: ignore[method-assign, assignment]
    client = Client(orjson.dumps({"query": "{datasets{totalCount}}"}))
    asking = asyncio.create_task(world.app(client.scope, client.receive, client.send))
    await asyncio.wait_for(slow.begun.wait(), 30)
    client.leave()
    await asyncio.wait_for(slow.ended.wait(), 30)  # long before the deadline of a search
    await asyncio.wait_for(asking, 30)
    assert client.sent[0]["status"] == LEFT


async def test_a_launch_that_was_asked_for_is_begun_though_the_one_who_asked_has_left() -> None:
    world, client = World(viewer=ALICE), Client(orjson.dumps({"query": ANALYSE}))
    begun, go_on = asyncio.Event(), asyncio.Event()
    analyse = world.desk.analyse

    async def slowly(*given: Any) -> Any:
        begun.set()
        await go_on.wait()
        return await analyse(*given)

    world.desk.analyse = slowly  # type: ignore[method-assign]
    asking = asyncio.create_task(world.app(client.scope, client.receive, client.send))
    await asyncio.wait_for(begun.wait(), 30)
    client.leave()
    await asyncio.sleep(0)
    go_on.set()
    await asyncio.wait_for(asking, 30)
    assert b'"created":true' in b"".join(message.get("body", b"") for message in client.sent)


async def test_answers_and_errors_pass_through_and_nothing_is_left_running() -> None:
    client = Client()
    request = Request(client.scope, client.receive)

    async def answers() -> Response:
        return PlainTextResponse("well")

    async def fails() -> Response:
        raise KeyError("told")

    before = asyncio.all_tasks()
    assert (await while_there(request, answers())).body == b"well"
    with pytest.raises(KeyError):
        await while_there(request, fails())
    assert asyncio.all_tasks() == before
