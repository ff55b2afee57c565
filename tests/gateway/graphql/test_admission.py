"""This file is who may ask now: the bucket of points, places at once, the deadline."""

import asyncio

import pytest
from graphql_world import ALICE, World
from hypothesis import given
from hypothesis import strategies as st

from gateway.admission import Admission, Bucket
from gateway.limits import Limits
from schema.errors import LimitExceeded, RateLimited


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def allowed(bucket: Bucket, points: float, client: str = "a", per_minute: int = 60) -> bool:
    try:
        bucket.take(client, points, per_minute)
    except RateLimited:
        return False
    return True


def test_points_of_a_minute_are_given_once_and_come_back_in_time():
    clock = Clock()
    bucket = Bucket(clock)
    assert [allowed(bucket, 20) for _ in range(4)] == [True, True, True, False]
    assert allowed(bucket, 20, client="b")
    clock.now = 1.0
    assert [allowed(bucket, 1), allowed(bucket, 1)] == [True, False]


def test_an_operation_dearer_than_a_minute_is_paid_off_later():
    clock = Clock()
    bucket = Bucket(clock)
    assert [allowed(bucket, 180), allowed(bucket, 1)] == [True, False]
    clock.now = 119.0
    assert not allowed(bucket, 1)
    clock.now = 121.0
    assert allowed(bucket, 1)


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(1, 100)), max_size=50))
def test_no_client_gets_more_than_its_rate_and_one_last_operation(asked):
    clock = Clock()
    bucket = Bucket(clock)
    spent = last = 0
    for wait, points in asked:
        clock.now += wait
        if allowed(bucket, points):
            spent, last = spent + points, points
    assert spent <= 60 + clock.now + last


def test_a_bucket_remembers_so_many_clients_and_no_more():
    bucket = Bucket(Clock())
    for at in range(10_001):
        bucket.take(f"c{at}", 1, 60)
    assert len(bucket._left) == 10_000


@pytest.mark.parametrize(("per_minute", "signed_in"), [(1_000, False), (5_000, True)])
def test_signed_in_clients_have_more(per_minute, signed_in):
    admission = Admission(Limits(), Clock())
    admission.charge("a", per_minute - 1, signed_in=signed_in, mutation=False)
    admission.charge("a", 1, signed_in=signed_in, mutation=False)
    with pytest.raises(RateLimited):
        admission.charge("a", 1, signed_in=signed_in, mutation=False)


def test_thirty_mutations_a_minute():
    admission = Admission(Limits(), Clock())
    for _ in range(30):
        admission.charge("a", 1, signed_in=True, mutation=True)
    with pytest.raises(RateLimited):
        admission.charge("a", 1, signed_in=True, mutation=True)
    admission.charge("a", 1, signed_in=True, mutation=False)


def test_the_switch_turns_points_off():
    admission = Admission(Limits(), Clock(), rated=False)
    for _ in range(50):
        admission.charge("a", 5_000, signed_in=False, mutation=True)


def test_five_subscriptions_a_client():
    admission = Admission(Limits(), Clock())
    for _ in range(5):
        admission.open_subscription("a")
    with pytest.raises(LimitExceeded):
        admission.open_subscription("a")
    admission.open_subscription("b")
    admission.close_subscription("a")
    admission.open_subscription("a")


@pytest.mark.parametrize(
    ("limits", "clients"), [(Limits(concurrent_client=2), ["a"]), (Limits(concurrent_total=2), ["a", "b", "c"])]
)
async def test_places_at_once(limits, clients, monkeypatch):
    monkeypatch.setattr("gateway.admission._PATIENCE_S", 0.01)
    admission = Admission(limits, Clock())
    inside, go = 0, asyncio.Event()

    async def enter(client: str) -> None:
        nonlocal inside
        async with admission.place(client):
            inside += 1
            await go.wait()

    tasks = [asyncio.create_task(enter(clients[at % len(clients)])) for at in range(3)]
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    assert (inside, type(done.pop().exception())) == (2, RateLimited)
    go.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    await enter("a")
    assert not admission._each


async def test_a_client_beyond_its_points_is_told_when_to_come_back():
    world = World(rated=True, limits=Limits(points_anonymous=2))
    await world.ask("{vocabulary{name}}")
    await world.ask("{vocabulary{name}}")
    answer = await world.post("{vocabulary{name}}")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["errors"][0]["extensions"]["code"] == "RATE_LIMITED"
    world.viewer = ALICE
    await world.ask("{vocabulary{name}}")


async def test_an_operation_has_a_deadline():
    world = World(limits=Limits(execution_s=0.02))

    async def slow():
        await asyncio.Event().wait()

    world.reader.counts = slow
    answer = (await world.post("{facilities{datasetCount}}")).json()
    assert answer["data"] is None
    assert answer["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"


async def test_a_search_has_a_deadline_of_its_own():
    world = World(limits=Limits(search_s=0.02))

    async def slow(_search):
        await asyncio.Event().wait()

    world.reader.search = slow
    assert (await world.refused("{datasets{totalCount}}"))[0] == "UNAVAILABLE"
