"""A wake-up that comes late, or twice, finds its harvest done; one that says less than what is owed has all of it done."""

import os
from pathlib import Path

from small_federation import SECRETS, SOURCES, small_federation

from pangate.house import open_house
from pangate.settings import Settings
from pangate.work import Work
from schema.activities import HarvestMode, HarvestState


def test_a_wake_up_harvests_what_the_tables_say_is_owed_and_nothing_else(tmp_path: Path) -> None:
    before = dict(os.environ)
    os.environ.update(SECRETS)
    source = SOURCES[0]
    try:
        with (
            small_federation(20, real_time=True) as world,
            open_house(Settings(federation=world.file(tmp_path), data=tmp_path / "data"), write_index=False) as house,
        ):
            hands = Work(house)
            first = hands.woken(source)
            assert first is not None
            assert (first.mode, first.state) == (HarvestMode.FULL, HarvestState.DONE)
            assert hands.woken(source) is None, "its interval has not passed"
            house.harvests.request(source, HarvestMode.FULL, "test")
            house.harvests.request(source, HarvestMode.INCREMENTAL, "test")
            done = []
            while (run := hands.woken(source)) is not None:
                done.append(run.mode)
            assert HarvestMode.FULL in done
            assert len(done) == len(set(done)) <= 2
            assert hands.woken("no/such") is None
            assert len(house.harvests.harvests(source, 99, None)) == 1 + len(done)
    finally:
        os.environ.clear()
        os.environ.update(before)
