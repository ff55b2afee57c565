"""Which address the next call goes to: places are kept apart, the least busy is asked, who fails is left alone for longer and longer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from catalogue.index.elastic_addresses import LONGEST_S, SLOW_S, TRIAL_S, Address, Addresses


class Clock:
    """A time that moves when told."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def taken(addresses: Addresses) -> Address:
    """A place that must be there."""
    address = addresses.take()
    assert address is not None
    return address


def test_calls_are_shared_out_evenly_and_no_address_gets_more_than_its_places() -> None:
    addresses = Addresses(["a", "b", "c"], 2, Clock())
    assert [taken(addresses).url for _ in range(6)] == ["a", "b", "c", "a", "b", "c"]
    assert addresses.take() is None


def test_one_that_keeps_calls_waiting_gets_no_more_of_them_than_its_places() -> None:
    addresses = Addresses(["hangs", "well"], 3, Clock())
    asked = []
    for _ in range(100):
        address = taken(addresses)
        asked.append(address.url)
        if address.url == "well":
            addresses.answered(address)
    assert asked.count("hangs") == 1, "the least busy one is asked"


def test_one_that_failed_rests_and_is_then_asked_one_call_at_a_time() -> None:
    clock = Clock()
    addresses = Addresses(["a", "b"], 9, clock)
    bad, good = taken(addresses), taken(addresses)
    addresses.failed(bad)
    addresses.answered(good)
    for _ in range(4):
        assert taken(addresses).url == "b"
    clock.now += 1.5
    assert [taken(addresses).url for _ in range(3)] == ["a", "b", "b"]
    addresses.answered(bad)
    assert taken(addresses).url == "a", "it has answered: it is as good as any"


def test_a_trial_that_is_given_up_after_half_a_second_has_failed_and_a_first_call_has_more_time() -> None:
    clock = Clock()
    addresses = Addresses(["a", "b"], 9, clock)
    first, good = taken(addresses), taken(addresses)
    addresses.left(first, SLOW_S - 0.1)
    assert first.failures == 0
    addresses.answered(good)
    for waited, failures in ((SLOW_S, 1), (TRIAL_S - 0.1, 1), (TRIAL_S, 2)):
        clock.now += LONGEST_S
        tried = next(each for each in iter(addresses.take, None) if each is first)
        addresses.left(tried, waited)
        assert first.failures == failures
    assert {taken(addresses).url for _ in range(3)} == {"b"}, "the next one does not meet it again"


def test_the_rest_grows_while_it_fails_and_those_that_fail_together_count_once() -> None:
    clock = Clock()
    addresses = Addresses(["a"], 50, clock)
    rests = []
    for _ in range(8):
        for call in [taken(addresses) for _ in range(20)]:
            addresses.failed(call)
            rest = call.rests_until - clock.now
        rests.append(rest)
        clock.now += rest
    assert rests == [1, 2, 4, 8, 16, LONGEST_S, LONGEST_S, LONGEST_S]


def test_while_one_rests_a_crowd_waits_for_the_others() -> None:
    addresses = Addresses(["bad", "good"], 2, Clock())
    addresses.failed(taken(addresses))
    assert [taken(addresses).url for _ in range(2)] == ["good", "good"]
    assert addresses.take() is None
    assert (taken_but(addresses, "good"), addresses.take(["good", "bad"])) == ("bad", None)


def taken_but(addresses: Addresses, avoided: str) -> str:
    """The address taken by who has been at another one."""
    address = addresses.take([avoided])
    assert address is not None
    return address.url


def test_the_only_one_is_asked_even_while_it_rests() -> None:
    addresses = Addresses(["a"], 2, Clock())
    addresses.failed(taken(addresses))
    assert taken(addresses).url == "a"


@given(
    urls=st.integers(1, 4),
    places=st.integers(1, 5),
    moves=st.lists(st.tuples(st.sampled_from(["take", "answered", "failed", "left"]), st.floats(0, 5)), max_size=80),
)
def test_whatever_happens_places_are_counted_and_where_nothing_is_under_way_one_is_given(
    urls: int, places: int, moves: list[tuple[str, float]]
) -> None:
    clock = Clock()
    addresses = Addresses([str(at) for at in range(urls)], places, clock)
    held: list[Address] = []
    for move, wait in moves:
        clock.now += wait
        if move == "take":
            address = addresses.take()
            assert address is not None or held
            assert len(held) < urls * places or address is None
            held += [address] if address else []
        elif held:
            getattr(addresses, move)(held.pop(0))
        assert all(0 <= one.busy <= places for one in held)
        assert all(one.busy == sum(each is one for each in held) for one in held)
