"""Requests that take their time to arrive: what is whole in time is answered, what drips is hung up on, and nobody else waits."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from pangate import doorway
from pangate.doorway import Doorway

LATE_S = 0.4
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n"
LONG = HEAD.replace(b"4", b"999")
GET = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"


async def _echo(request: Request) -> Response:
    return Response(await request.body())


async def _slow(_request: Request) -> Response:
    await asyncio.sleep(LATE_S * 2)
    return Response("slowly")


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(doorway, "HEAD_S", LATE_S)
    monkeypatch.setattr(doorway, "BODY_S", LATE_S)
    app = Starlette(routes=[Route("/", _echo, methods=["POST"]), Route("/slow", _slow)])
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, http=Doorway, log_config=None, lifespan="off", timeout_keep_alive=15)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve([listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    yield listener.getsockname()[1]
    server.should_exit = True
    await serving


class Caller:
    """Somebody at the other end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def at(cls, port: int) -> Caller:
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def says(self, *parts: bytes, every: float = 0.0) -> None:
        for part in parts:
            self._writer.write(part)
            await asyncio.sleep(every)

    @asynccontextmanager
    async def drips(self) -> AsyncIterator[None]:
        """While it lasts he says more, a byte at a time and each soon after the other; he has not come to an end when it does."""
        dripping = asyncio.create_task(self.says(*[b"x"] * 100, every=LATE_S / 8))
        yield
        assert dripping.cancel(), "it was not the pause after the last byte that was too long"

    async def hears(self) -> bytes:
        """One answer, or all that comes until the connection ends."""
        async with asyncio.timeout(60):
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            return head + await self._reader.readexactly(length)

    async def ended(self) -> bytes:
        async with asyncio.timeout(60):
            return await self._reader.read()

    def leaves(self) -> None:
        self._writer.close()


async def test_what_comes_in_pieces_but_in_time_is_answered(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorway, "HEAD_S", 60.0)
    monkeypatch.setattr(doorway, "BODY_S", 60.0)
    caller = await Caller.at(port)
    await caller.says(HEAD[:9], HEAD[9:], b"te", b"xt", every=LATE_S / 8)
    assert (await caller.hears()).endswith(b"\r\n\r\ntext")
    caller.leaves()


async def test_between_two_requests_a_connection_may_be_quiet_for_longer(port: int) -> None:
    caller = await Caller.at(port)
    for text in (b"text", b"more"):
        await caller.says(HEAD + text)
        assert (await caller.hears()).endswith(b"\r\n\r\n" + text)
        await asyncio.sleep(LATE_S * 1.5)
    caller.leaves()


@pytest.mark.parametrize("first", [b"", b"G", HEAD[:-2]])
async def test_a_head_that_does_not_come_is_408_and_the_end(port: int, first: bytes) -> None:
    caller = await Caller.at(port)
    await caller.says(first)
    assert (await caller.hears()).startswith(b"HTTP/1.1 408 ")
    assert await caller.ended() == b""


async def test_a_head_that_never_pauses_for_long_is_408_all_the_same(port: int) -> None:
    caller = await Caller.at(port)
    await caller.says(HEAD[:-2] + b"X: ")
    async with caller.drips():
        assert (await caller.hears()).startswith(b"HTTP/1.1 408 ")


async def test_the_head_of_a_later_request_has_as_long_from_its_first_byte(port: int) -> None:
    caller = await Caller.at(port)
    await caller.says(HEAD + b"text")
    await caller.hears()
    await caller.says(b"GET /")
    async with caller.drips():
        assert (await caller.hears()).startswith(b"HTTP/1.1 408 ")


async def test_a_body_that_drips_ends_the_connection_with_nothing_done(port: int) -> None:
    caller = await Caller.at(port)
    await caller.says(LONG)
    async with caller.drips():
        assert await caller.ended() == b""


async def test_who_waits_for_an_answer_is_not_hung_up_on(port: int) -> None:
    caller = await Caller.at(port)
    await caller.says(GET)
    assert (await caller.hears()).endswith(b"slowly")
    caller.leaves()


async def test_two_hundred_who_drip_hold_up_nobody(port: int) -> None:
    drips = [await Caller.at(port) for _ in range(200)]
    for each in drips:
        await each.says(b"GET /")
    good = await Caller.at(port)
    await good.says(HEAD + b"text")
    assert (await good.hears()).endswith(b"text")
    assert {(await each.hears())[:12] for each in drips} == {b"HTTP/1.1 408"}
    good.leaves()


def test_the_numbers_are_those_that_were_agreed() -> None:
    assert (doorway.HEAD_S, doorway.BODY_S) == (5.0, 10.0)
