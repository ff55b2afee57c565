"""The last cleanup net, and how the platforms stand."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fakes.desks import Office
from fakes.north import Vault, facility, hub_trigger, now
from fakes.platform import AWAY

from schema.activities import LaunchState, launch_id
from schema.federation import Federation
from triggers.outlook import look
from triggers.reconcile import Report, reconcile
from triggers.registry import close_platforms, open_platforms

ORPHAN = launch_id(b"left behind", b"")
FOREIGN = launch_id(b"another gateway's", b"its key")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.database.close()


def run(office: Office) -> Report:
    return reconcile(office.platforms["north/hub"], office.line)


def test_what_nobody_knows_is_ended_when_it_is_old_enough(office: Office) -> None:
    office.platform.sessions[ORPHAN] = office.time()
    assert run(office) == Report()
    office.time.on(minutes=9, seconds=59)
    assert run(office) == Report()
    office.time.on(seconds=1)
    assert run(office) == Report(ended=(ORPHAN,))
    assert office.platform.sessions == {}


def test_what_another_gateway_on_the_same_hub_named_is_left_alone(office: Office) -> None:
    office.platform.sessions[FOREIGN] = office.time()
    office.time.on(days=9)
    assert run(office) == Report()
    assert FOREIGN in office.platform.sessions


def test_what_has_no_age_is_left_alone(office: Office) -> None:
    office.platform.sessions[ORPHAN] = None
    office.time.on(days=9)
    assert run(office) == Report()


def test_what_is_alive_is_left_alone_in_every_state_also_unknown(office: Office) -> None:
    launch = office.go(office.ask())
    office.platform.sessions[launch.id] = office.time()
    office.time.on(hours=1)
    assert run(office) == Report()
    launch = office.go(launch)
    office.platform.trouble["probe"] = AWAY
    for _ in range(3):
        launch = office.go(launch, minutes=5)
    assert launch.state is LaunchState.UNKNOWN
    assert run(office).ended == ()
    assert launch.id in office.platform.sessions


def test_what_is_over_here_but_still_there_is_ended(office: Office) -> None:
    launch = office.ask()
    office.ledger.want(launch.id, "stop")
    office.go(launch)
    office.platform.sessions[launch.id] = office.time()
    office.time.on(minutes=11)
    assert run(office) == Report(ended=(launch.id,))


def test_what_is_gone_there_is_looked_at_and_lost(office: Office) -> None:
    launch = office.go(office.ask())
    launch = office.go(launch, seconds=1)
    office.platform.sessions.clear()
    assert run(office) == Report(missing=(launch.id,))
    assert office.go(launch).state is LaunchState.LOST


def test_a_platform_that_is_away_says_nothing_about_anybody(office: Office) -> None:
    launch = office.go(office.ask())
    office.go(launch, seconds=1)
    office.platform.trouble["owned"] = AWAY
    assert run(office) == Report(problem="North Hub does not answer.")


def test_a_platform_is_down_since_it_was_first_seen_down(office: Office) -> None:
    platform = office.platforms["north/hub"]
    assert look(platform, office.ledger, office.time).up
    office.platform.trouble["look"] = AWAY
    office.time.on(minutes=1)
    since = office.time()
    assert not look(platform, office.ledger, office.time).up
    office.time.on(minutes=5)
    assert look(platform, office.ledger, office.time).at == since
    office.platform.trouble.clear()
    office.time.on(minutes=1)
    assert look(platform, office.ledger, office.time).at == since + timedelta(minutes=6)
    kept = office.ledger.capability("north/hub")
    assert kept is not None
    assert kept.up


def test_one_platform_that_cannot_be_opened_does_not_stop_the_others(office: Office) -> None:
    good = hub_trigger("https://a.example", id="good")
    strange = hub_trigger("https://b.example", id="strange", kind="abacus")
    poor = hub_trigger("https://c.example", id="poor", login=None)
    found = open_platforms(Federation(facilities=(facility(good, triggers=(good, strange, poor)),)), Vault(), now)
    assert {key: platform.adapter is not None for key, platform in found.items()} == {
        "north/good": True, "north/strange": False, "north/poor": False
    }  # fmt: skip
    assert "abacus" in found["north/strange"].problem
    assert not look(found["north/poor"], office.ledger, office.time).up
    close_platforms(found)
