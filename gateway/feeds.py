"""This file is RDF on its way while it is being made: statements come in Turtle from an async reader, bytes leave as they are written.

Turtle leaves as it comes. For the other formats pyoxigraph reads and writes by itself in a thread of its own small pool; a slow client
slows it down, a gone client ends it.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import aclosing
from typing import IO, cast

import anyio
from anyio import CapacityLimiter, from_thread, to_thread
from anyio.streams.memory import MemoryObjectSendStream
from pyoxigraph import Triple

from schema.rdf.formats import HEAD, TURTLE, Format, stream, triples

FEEDS = 4
_BLOCK = 65_536

Texts = Callable[[], AsyncGenerator[str]]


class _Out(io.RawIOBase):
    """Where pyoxigraph writes: blocks handed to the event loop."""

    def __init__(self, send: MemoryObjectSendStream[bytes]) -> None:
        self._send = send
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        """Keep, and hand on when there is a block of it."""
        assert isinstance(data, bytes | bytearray | memoryview)
        self._held += data
        if len(self._held) >= _BLOCK:
            self.rest()
        return len(data)

    def rest(self) -> None:
        """Hand on what is left."""
        if self._held:
            from_thread.run(self._send.send, bytes(self._held))
            self._held.clear()


_LIMITER = CapacityLimiter(FEEDS)


async def flow(texts: Texts, format: Format) -> AsyncIterator[bytes]:
    """The serialised statements, block by block."""
    async with (
        aclosing(texts()) as source,
        aclosing(_turtle(source) if format is TURTLE else _other(source, format)) as out,
    ):
        async for block in out:
            yield block


async def _turtle(source: AsyncGenerator[str]) -> AsyncGenerator[bytes]:
    yield HEAD.encode()
    async for text in source:
        yield text.encode()


async def _other(source: AsyncGenerator[str], format: Format) -> AsyncGenerator[bytes]:
    send, receive = anyio.create_memory_object_stream[bytes](2)

    def pulled() -> Iterator[Triple]:
        while True:
            text = from_thread.run(_next, source)
            if text is None:
                return
            yield from triples(text)

    def write() -> None:
        out = _Out(send)
        stream(pulled(), cast(IO[bytes], out), format)
        out.rest()

    async def work() -> None:
        async with send:
            await to_thread.run_sync(write, limiter=_LIMITER)

    working = asyncio.ensure_future(work())
    try:
        async with receive:
            async for block in receive:
                yield block
        await working
    finally:  # the client left: the next block finds nobody, and the thread ends
        if not working.done():
            await asyncio.wait({working})
            working.exception()


async def _next(source: AsyncGenerator[str]) -> str | None:
    return await anext(source, None)
