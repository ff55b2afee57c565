"""RDF that is written while it comes: whole, in order, and ended when nobody reads on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest
from pyoxigraph import parse

from gateway import feeds
from gateway.feeds import flow
from schema.rdf.formats import FORMATS, Format


def chunk(number: int) -> str:
    return "".join(f'<http://ex.org/{number}-{at}> schema:name "{"x" * 200}" .\n' for at in range(500))


@pytest.mark.parametrize("format", FORMATS, ids=lambda each: each.word)
async def test_everything_that_comes_is_written(format: Format) -> None:
    async def chunks() -> AsyncGenerator[str]:
        for number in range(4):
            yield chunk(number)

    blocks = [block async for block in flow(chunks, format)]
    assert len(blocks) > 1
    assert len({quad.triple for quad in parse(b"".join(blocks), format.written)}) == 2000


async def test_when_the_reader_leaves_the_writing_ends() -> None:
    asked = 0

    async def endless() -> AsyncGenerator[str]:
        nonlocal asked
        while True:
            asked += 1
            yield chunk(asked)

    stream = flow(endless, FORMATS[0])
    await anext(stream)
    await stream.aclose()
    before = asked
    await asyncio.sleep(0.05)
    assert asked == before
    assert feeds._LIMITER.borrowed_tokens == 0


async def test_what_the_reader_of_the_index_raises_comes_out() -> None:
    async def failing() -> AsyncGenerator[str]:
        yield chunk(0)
        raise RuntimeError("the index is gone")

    with pytest.raises(RuntimeError, match="index is gone"):
        async for _ in flow(failing, FORMATS[0]):
            pass
