"""Real servers of the second profile, one of each a test run of this folder; skipped, with the reason, where one cannot be had."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from parted_house import PartedHouse
from servers import daemon
from servers import elasticsearch as elastic
from servers.nginx import Nginx, deployed
from servers.postgresql import Postgresql
from servers.rabbitmq import Rabbitmq
from servers.redis import Redis
from small_federation import SECRETS, SmallFederation, small_federation

Make = Callable[..., PartedHouse]


@contextmanager
def there(server: daemon.Daemon | elastic.Elasticsearch) -> Iterator[None]:
    try:
        server.__enter__()
    except (daemon.Missing, elastic.Missing) as error:
        pytest.skip(str(error))
    try:
        yield
    finally:
        server.__exit__(None, None, None)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Postgresql]:
    server = Postgresql()
    with there(server):
        yield server


@pytest.fixture(scope="session")
def elasticsearch() -> Iterator[elastic.Elasticsearch]:
    server = elastic.Elasticsearch()
    with there(server):
        yield server


@pytest.fixture
def redis() -> Iterator[Redis]:
    server = Redis()
    with there(server):
        yield server


@pytest.fixture(scope="session")
def rabbitmq() -> Iterator[Rabbitmq]:
    server = Rabbitmq()
    with there(server):
        yield server


@pytest.fixture
def proxied() -> Iterator[Callable[[Sequence[int]], Nginx]]:
    """Makes a proxy as it is deployed before gateways at these ports; ended with the test."""
    with ExitStack() as made:

        def make(ports: Sequence[int]) -> Nginx:
            server = deployed(ports)
            made.enter_context(there(server))
            return server

        yield make


@pytest.fixture(scope="session")
def world() -> Iterator[SmallFederation]:
    with small_federation(real_time=True) as federation:
        yield federation


@pytest.fixture
def clean_hub(world: SmallFederation) -> Iterator[None]:
    """The hub as new, but that it knows the people: a first start would be asked for, refused, and asked for again."""
    world.hub.users.clear()
    world.hub.users.update({user: {} for user in ("bohr", *(f"user{number}" for number in range(10)))})
    world.hub.calls.clear()
    yield
    world.hub.users.clear()


@pytest.fixture
def parted(tmp_path: Path, postgresql: Postgresql, world: SmallFederation) -> Iterator[Make]:
    """Makes a house on a database of its own; ended with the test."""
    made: list[PartedHouse] = []

    def make(broker: str, index: str | None = None, page: int = 25, **settings: str) -> PartedHouse:
        federation = world.file(tmp_path, page)
        wide = federation.read_text().replace("concurrent: 5", "concurrent: 100").replace("daily: 50", "daily: 5000")
        federation.write_text(wide)
        name = f"pangate{time.monotonic_ns()}"
        own = {
            "PANGATE_FEDERATION": str(federation),
            "PANGATE_DATA": str(tmp_path / "data"),
            "PANGATE_DATABASE": postgresql.database(name),
            "PANGATE_BROKER": broker,
            "PANGATE_RATE_LIMIT": "false",
            **({"PANGATE_INDEX": index, "PANGATE_INDEX_PREFIX": name} if index else {}),
        }
        house = PartedHouse(tmp_path, {**own, **settings}, SECRETS)
        made.append(house)
        return house

    yield make
    for house in made:
        house.end()
