"""Which generations may be dropped: decided by steps alone, the server's answers are played (design section 9, Elasticsearch 8 and 9)."""

from __future__ import annotations

from typing import Any

from catalogue.index.elastic_client import Request, run
from catalogue.index.elastic_generations import Generation, Layout, left_behind, outdated
from catalogue.index.elastic_mapping import FORMAT

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
