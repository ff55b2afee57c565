"""This file is RDF on its way while it is being made: statements come from an async reader, bytes leave as they are written.

pyoxigraph writes by itself in a thread of its own small pool; a slow client slows it down, a gone client ends it.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Iterator
from typing import IO, cast

import anyio
from anyio import CapacityLimiter, from_thread, to_thread
from anyio.streams.memory import MemoryObjectSendStream
from pyoxigraph import Triple

from schema.rdf.formats import Format, stream

FEEDS = 4
_BLOCK = 65_536

Chunks = Callable[[], AsyncIterator[list[Triple]]]


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


async def flow(chunks: Chunks, format: Format) -> AsyncIterator[bytes]:
    """The serialised statements, block by block."""
    send, receive = anyio.create_memory_object_stream[bytes](2)
    source = chunks()

    def pulled() -> Iterator[Triple]:
        while True:
            chunk = from_thread.run(_next, source)
            if chunk is None:
                return
            yield from chunk

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


async def _next(source: AsyncIterator[list[Triple]]) -> list[Triple] | None:
    return await anext(source, None)
