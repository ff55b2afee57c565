"""A duty that one of several processes has: taken, kept, left, taken over."""

from pathlib import Path

import pytest
from truths import World

from pangate import progress
from pangate.house import House, open_house
from pangate.post import Post
from pangate.projection import Projection
from pangate.settings import Settings


def test_of_two_that_want_a_post_one_has_it_until_it_leaves(tmp_path: Path) -> None:
    world = World(tmp_path / "truth.sqlite")
    one, two = (Post(world.harvests, "beat", owner) for owner in ("one", "two"))
    for _ in range(3):
        one.keep()
        two.keep()
        assert (one.held, two.held) == (True, False)
        world.clock.forward(seconds=20)
    one.leave()
    assert not one.held
    two.keep()
    one.keep()
    assert (one.held, two.held) == (False, True)
    world.database.close()


def test_the_post_of_a_dead_process_is_taken_over_and_the_dead_one_learns_it(tmp_path: Path) -> None:
    world = World(tmp_path / "truth.sqlite")
    one, two = (Post(world.harvests, "beat", owner, seconds=30) for owner in ("one", "two"))
    one.keep()
    world.clock.forward(seconds=31)
    two.keep()
    assert two.held
    one.keep()
    assert not one.held
    one.keep()
    assert (one.held, two.held) == (False, True)
    world.database.close()


def test_a_holder_that_cannot_renew_stops_before_its_lease_ends(tmp_path: Path) -> None:
    world = World(tmp_path / "truth.sqlite")
    post = Post(world.harvests, "beat", "one", seconds=0.0)
    post.keep()
    assert not post.held
    world.database.close()


class Leaving(Projection):
    """Another process has the duty when it is asked for, and has gone at the second look."""

    def __init__(self, house: House) -> None:
        super().__init__(house)
        self._looks = 0

    def take(self) -> bool:
        self._looks += 1
        return self._looks > 1 and super().take()


def test_a_rebuild_asked_of_a_process_that_goes_is_done_by_the_one_that_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "federation.yaml").write_text("facilities:\n  - id: freya\n    name: Freya\n", encoding="utf-8")
    monkeypatch.setattr(progress, "Projection", Leaving)
    monkeypatch.setattr(progress, "_AGAIN_S", 0.1)
    settings = Settings(federation=tmp_path / "federation.yaml", data=tmp_path / "data")
    with open_house(settings, write_index=True) as house:
        assert progress.rebuild(house, quiet=True) == 0
        asked = house.rebuilds.rebuild(1)
        assert asked is not None
        assert asked.by == "command line"
        assert asked.ended is not None, "what was asked for is answered, and nobody does it again"
        assert house.rebuilds.due() is None
