"""A duty that one of several processes has: taken, kept, left, taken over."""

from pathlib import Path

from truths import World

from pangate.post import Post


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
