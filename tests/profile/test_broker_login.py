"""A broker that refuses our login, and one that is merely away: what a worker or beat makes of each, on real Redis and RabbitMQ."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from parted_house import PartedHouse, Program
from servers.redis import Redis
from waiting import until

pytestmark = pytest.mark.postgresql


@pytest.mark.parametrize(
    ("broker", "command"),
    [
        pytest.param("redis", "worker", marks=pytest.mark.redis),
        pytest.param("rabbitmq", "beat", marks=pytest.mark.rabbitmq),
    ],
)
def test_who_is_refused_at_the_start_ends_with_one_sentence_and_the_remedy(
    broker: str, command: str, request: pytest.FixtureRequest, parted: Any
) -> None:
    right = urlsplit(request.getfixturevalue(broker).url)
    house: PartedHouse = parted(f"{right.scheme}://guest:not-the-password@127.0.0.1:{right.port}{right.path}")
    ended = house.run(command)
    assert ended.returncode == 1, ended.stdout + ended.stderr
    (said,) = ended.stderr.strip().splitlines()
    assert said.startswith("The broker refuses us"), said
    assert "Correct the user, password or virtual host in PANGATE_BROKER (or PANGATE_BROKER_PASSWORD)." in said
    assert "not-the-password" not in ended.stdout + ended.stderr


@pytest.mark.redis
def test_a_broker_that_is_away_is_waited_for_and_readyz_tells_what_is_wrong_with_it(redis: Redis, parted: Any) -> None:
    redis.kill()
    house: PartedHouse = parted(redis.url)
    worker = house.start("worker", "--queues", "launches")
    house.ready(worker)
    told = ready(worker)
    assert told["status"] == "unavailable"
    assert told["parts"]["records"] == "ok"
    assert told["parts"]["broker"].endswith("See that it runs, or correct PANGATE_BROKER.")
    redis.start()
    until(lambda: ready(worker)["status"] == "ok", 120, worker.said)
    assert redis.ask("CONFIG SET requirepass another-password") == "+OK"
    assert "Correct the user, password" in ready(worker)["parts"]["broker"]
    assert requests.get(f"http://127.0.0.1:{worker.port}/livez", timeout=60).status_code == 200
    assert worker.end() == 0


def ready(program: Program) -> dict[str, Any]:
    """What its /readyz tells; the status of the answer agrees."""
    answer = requests.get(f"http://127.0.0.1:{program.port}/readyz", timeout=60)
    told: dict[str, Any] = answer.json()
    assert answer.status_code == (200 if told["status"] == "ok" else 503)
    return told
