"""How generations are swapped, and which may be dropped: steps alone, the answers are played (design section 9, Elasticsearch 8 and 9)."""

from __future__ import annotations

from threading import Thread
from typing import Any

import pytest

from catalogue.index.elastic import ElasticIndex
from catalogue.index.elastic_client import Connection, Request, run
from catalogue.index.elastic_generations import Generation, Layout, left_behind, outdated, taken
from catalogue.index.elastic_mapping import FORMAT
from schema.errors import Unavailable

LAYOUT = Layout("films")
OLD, USED, NEW = (Generation(f"films-v{FORMAT}-2026112212000000000{at}-0123456{at}") for at in range(3))


class Swapping:
    """A server with three generations, `USED` in use until it has been asked `until` times: then somebody swaps to `NEW`."""

    def __init__(self, until: int) -> None:
        self._left = until

    def send(self, request: Request) -> Any:
        self._left -= 1
        used = USED if self._left >= 0 else NEW
        if request.path == "/_alias/films-public":
            return {used.public: {"aliases": {}}}
        assert request.path == "/films-v*"
        return {name: {} for one in (OLD, USED, NEW) for name in (one.public, one.restricted)}


def test_what_is_newer_than_the_one_in_use_was_left_behind_and_what_is_older_is_outdated() -> None:
    assert run(Swapping(10), left_behind(LAYOUT)) == [NEW]
    assert run(Swapping(10), outdated(LAYOUT)) == [OLD]


def test_one_that_is_swapped_in_while_it_is_being_asked_is_never_dropped() -> None:
    for asked in range(3):
        assert NEW not in run(Swapping(asked), outdated(LAYOUT))
    for asked in range(2):
        assert NEW not in run(Swapping(asked), left_behind(LAYOUT))


class Told:
    """A server in which `names` are in use; what it was asked."""

    def __init__(self, *names: Generation) -> None:
        self._names = names
        self.asked: list[Request] = []

    def send(self, request: Request) -> Any:
        self.asked.append(request)
        return {name.public: {"aliases": {}} for name in self._names} if request.method == "GET" else {}


@pytest.mark.parametrize("before", [(), (OLD,), (OLD, USED)])
def test_a_swap_is_one_call_that_takes_away_and_gives_both_aliases(before: tuple[Generation, ...]) -> None:
    server = Told(*before)
    assert run(server, taken(LAYOUT, NEW)) == list(before)
    (swap,) = [request for request in server.asked if request.method != "GET"]
    assert (swap.method, swap.path) == ("POST", "/_aliases")
    assert isinstance(swap.body, dict)
    moves = {(how, what["index"], what["alias"]) for action in swap.body["actions"] for how, what in action.items()}
    sides = ("public", "restricted")
    assert moves == {("add", f"{NEW.stem}-{side}", f"films-{side}") for side in sides} | {
        ("remove", f"{old.stem}-{side}", f"films-{side}") for old in before for side in sides
    }


class Swapped:
    """A server whose index in use is `used`, with the mark 3."""

    used = USED

    def send(self, request: Request) -> Any:
        if request.path == "/_alias/films-public":
            return {self.used.public: {}}
        return {"_source": {"mark": 3}} if request.path.endswith("/_doc/mark") else {}


def test_one_who_only_looks_at_the_mark_does_not_lead_the_projector_beyond_a_swap() -> None:
    index, server = ElasticIndex(Connection("http://127.0.0.1:9"), LAYOUT), Swapped()
    index._insistent = server  # type: ignore[assignment]
    assert index.mark() == 3
    server.used = NEW
    looking = Thread(target=index.mark)
    looking.start()
    looking.join()
    with pytest.raises(Unavailable, match="swapped"):
        index.apply((), 9)
    assert index.mark() == 3
    index.apply((), 9)
    index.close()
