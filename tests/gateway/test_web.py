"""What every answer has in common: how long a request's head may be, at one below, at, and one above."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from portal_world import World

from gateway.limits import Limits

NUMBERS = Limits()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("index"))
    yield made
    made.index.close()


async def own(world: World, **headers: str) -> tuple[int, int]:
    """How many headers and bytes of a head a request has that a client makes of these."""
    async with world.client() as client:
        request = client.build_request("GET", "/about", headers=headers)
    length = len(request.url.raw_path) + sum(len(name) + len(value) + 4 for name, value in request.headers.raw)
    return len(request.headers.raw), length


@pytest.mark.parametrize("over", [-1, 0, 1])
async def test_a_request_has_a_hundred_headers_and_no_more(world: World, over: int) -> None:
    plain, _ = await own(world)
    more = {f"x-{at}": "y" for at in range(NUMBERS.headers - plain + over)}
    answer = await world.get("/about", **more)
    assert answer.status_code == (431 if over > 0 else 200)


@pytest.mark.parametrize("over", [-1, 0, 1])
async def test_a_head_has_sixteen_kibibytes_and_no_more(world: World, over: int) -> None:
    _, length = await own(world, x="")
    answer = await world.get("/about", x="y" * (NUMBERS.head - length + over))
    assert answer.status_code == (431 if over > 0 else 200)
    if over > 0:
        assert answer.json()["code"] == "LIMIT_EXCEEDED"
        assert answer.headers["x-correlation-id"]
