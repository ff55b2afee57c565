"""The desk: what is refused before a platform is asked, and in which order; stop, extend, tickets, opening."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from fakes.desks import BEN, MIA, Office, document
from fakes.platform import AWAY, FakePlatform

from catalogue.ports import TriggerState
from schema.access import ANONYMOUS, Viewer
from schema.activities import Failure, FailureCode, LaunchState
from schema.errors import (
    BadInput,
    Conflict,
    Forbidden,
    LimitExceeded,
    NotFound,
    PangateError,
    Unauthenticated,
    Unavailable,
)
from schema.federation import Limits
from triggers.desk import Order, analyse, extend, open_launch, stop, ticket
from triggers.ports import Refused

S = LaunchState
NAMELESS = Viewer(issuer="https://id", subject="3", name="Eva")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path, changed={"limits": Limits(open=2, daily=3)})
    yield made
    made.database.close()


def down(office: Office) -> None:
    office.ledger.note_capability(TriggerState("north/hub", office.time(), False, "It does not answer."))


def test_a_launch_keeps_all_that_was_asked_with_defaults_filled_in(office: Office) -> None:
    launch, created = analyse(office.desk, document(), MIA, Order())
    assert created
    asked = launch.request
    assert (asked.dataset, asked.path, asked.user) == ("10.5555/abc", "/data/abc", "mia")
    assert (asked.procedure, asked.environment, asked.trigger) == ("plot", "python", "north/hub")
    assert asked.principal == MIA.principal
    assert launch.due == office.time()


def test_checks_come_in_their_order(office: Office) -> None:
    down(office)
    bad = Order(trigger="north/nothing", procedure="nothing")
    with pytest.raises(Unauthenticated):
        analyse(office.desk, None, ANONYMOUS, bad)
    with pytest.raises(NotFound):
        analyse(office.desk, None, NAMELESS, bad)
    with pytest.raises(BadInput, match="On offer: north/hub"):
        analyse(office.desk, document(), NAMELESS, bad)
    with pytest.raises(BadInput, match="On offer: plot, reduce"):
        analyse(office.desk, document(), NAMELESS, Order(procedure="nothing"))
    with pytest.raises(BadInput, match="On offer: python"):
        analyse(office.desk, document(), NAMELESS, Order(environment="nothing"))
    with pytest.raises(Unavailable, match="since 2026-11-22 10:00 UTC"):
        analyse(office.desk, document(), NAMELESS, Order())
    office.ledger.note_capability(TriggerState("north/hub", office.time(), True))
    with pytest.raises(Forbidden, match="account"):
        analyse(office.desk, document(), NAMELESS, Order())
    assert office.platform.asked == [], "nobody was asked"


@pytest.mark.parametrize(
    ("changed", "said"), [({"location": "/elsewhere/1"}, "does not lie"), ({"access": "METADATA_ONLY"}, "no files")]
)
def test_data_that_cannot_be_reached_are_not_launched(office: Office, changed: dict[str, str], said: str) -> None:
    with pytest.raises(BadInput, match=said):
        analyse(office.desk, document(**changed), MIA, Order())


def test_a_facility_without_platforms_is_told(office: Office) -> None:
    with pytest.raises(BadInput, match="no analysis platform"):
        analyse(office.desk, document(facility="south"), MIA, Order())


def test_the_same_key_is_the_same_launch_also_at_the_limit_and_after_its_end(office: Office) -> None:
    first, _ = analyse(office.desk, document(), MIA, Order(key="k", another=True))
    analyse(office.desk, document(), MIA, Order(another=True))
    with pytest.raises(LimitExceeded):
        analyse(office.desk, document(), MIA, Order(another=True))
    assert analyse(office.desk, document(), MIA, Order(key="k")) == (office.ledger.launch(first.id), False)
    down(office)
    assert analyse(office.desk, document(), MIA, Order(key="k"))[1] is False
    with pytest.raises(Conflict):
        analyse(office.desk, document(), MIA, Order(key="k", procedure="reduce"))
    assert analyse(office.desk, document(title="Renamed"), MIA, Order())[1] is False


def test_one_launch_more_than_allowed_at_once_or_a_day_is_refused(office: Office) -> None:
    first = office.ask(another=True)
    office.ask(another=True)
    with pytest.raises(LimitExceeded, match="2 sessions"):
        office.ask(another=True)
    assert office.ask(BEN, another=True), "another person's are not counted"
    stop(office.desk, first.id, MIA)
    office.go(first)
    office.ask(another=True)
    for _ in range(2):
        office.go(stop(office.desk, office.ledger.alive(principal=MIA.principal)[0].id, MIA))
    with pytest.raises(LimitExceeded, match="within a day"):
        office.ask(another=True)
    office.time.on(days=1, seconds=1)
    assert office.ask(another=True)


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_key_has_a_length(office: Office, key: str) -> None:
    with pytest.raises(BadInput):
        office.ask(key=key)


def test_other_peoples_launches_are_not_there(office: Office) -> None:
    launch = office.ask()
    for call in (
        lambda: stop(office.desk, launch.id, BEN),
        lambda: extend(office.desk, launch.id, 5, BEN),
        lambda: ticket(office.desk, launch.id, BEN, "s"),
        lambda: stop(office.desk, "unknown", MIA),
    ):
        with pytest.raises(NotFound, match="There is no such session"):
            call()
    with pytest.raises(Unauthenticated):
        stop(office.desk, launch.id, ANONYMOUS)


def test_stopping_what_has_ended_says_what_it_is(office: Office) -> None:
    launch = office.ask()
    assert stop(office.desk, launch.id, MIA).wanted == "stop"
    ended = office.go(launch)
    assert ended.state is S.STOPPED
    assert stop(office.desk, launch.id, MIA) == ended


def test_a_session_is_extended_up_to_three_lifetimes(office: Office) -> None:
    launch = office.go(office.ask())
    launch = office.go(launch, seconds=1)
    later = extend(office.desk, launch.id, 60, MIA)
    assert launch.expires is not None
    assert later.expires == launch.expires + timedelta(hours=1)
    with pytest.raises(LimitExceeded, match="2026-11-23 10:00"):
        extend(office.desk, launch.id, 60 * 16, MIA)
    for minutes in (0, -5, 10**9):
        with pytest.raises(BadInput):
            extend(office.desk, launch.id, minutes, MIA)
    stop(office.desk, launch.id, MIA)
    with pytest.raises(Conflict):
        extend(office.desk, launch.id, 5, MIA)


def ready(office: Office) -> str:
    launch = office.go(office.ask())
    return office.go(launch, seconds=1).id


def test_only_what_is_ready_gets_a_ticket(office: Office) -> None:
    with pytest.raises(Conflict, match="Requested"):
        ticket(office.desk, office.ask().id, MIA, "s")


def test_a_ticket_opens_once_for_its_person_in_its_browser_in_time(office: Office) -> None:
    id = ready(office)
    for viewer, session, late in ((BEN, "s", 0), (MIA, "other", 0), (MIA, "s", 31)):
        made = ticket(office.desk, id, MIA, "s")
        office.time.on(seconds=late)
        with pytest.raises(Forbidden):
            open_launch(office.desk, made, viewer, session)
    made = ticket(office.desk, id, MIA, "s")
    assert open_launch(office.desk, made, MIA, "s").url == office.platform.url
    with pytest.raises(Forbidden):
        open_launch(office.desk, made, MIA, "s")
    opened = office.ledger.launch(id)
    assert opened is not None
    assert opened.state is S.OPENED
    again = open_launch(office.desk, ticket(office.desk, id, MIA, "s"), MIA, "s")
    assert again.url == office.platform.url
    assert office.go(opened, seconds=31).state is S.OPENED


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/user/mia/",
        "http://hub.north.example/user/mia/",
        "https://hub.north.example:444/",
        "https://hub.north.example.evil.example/",
        "https://hub.north.example@evil.example/",
        "//evil.example",
        "javascript:alert(1)",
        "",
    ],
)
def test_nobody_is_sent_anywhere_but_to_the_registered_platform(office: Office, url: str) -> None:
    id = ready(office)
    office.platform.url = url
    with pytest.raises(PangateError, match="not at the registered platform"):
        open_launch(office.desk, ticket(office.desk, id, MIA, "s"), MIA, "s")


def test_a_session_that_stopped_meanwhile_is_explained(office: Office) -> None:
    id = ready(office)
    gone = Failure(FailureCode.DIED, "The session has stopped.", "Start the analysis again.")
    office.platform.trouble["open"] = Refused(gone)
    with pytest.raises(Conflict, match=r"stopped\. Start the analysis again"):
        open_launch(office.desk, ticket(office.desk, id, MIA, "s"), MIA, "s")
    office.platform.trouble["open"] = AWAY
    with pytest.raises(Unavailable):
        open_launch(office.desk, ticket(office.desk, id, MIA, "s"), MIA, "s")


def test_without_a_trigger_named_the_first_available_is_taken(tmp_path: Path) -> None:
    office = Office(tmp_path, FakePlatform())
    home = office.federation.facilities[0]
    old = home.triggers[0].model_copy(update={"id": "old"})
    strange = home.triggers[0].model_copy(update={"id": "strange", "kind": "abacus"})
    several = home.model_copy(update={"triggers": (strange, old, home.triggers[0])})
    desk = type(office.desk)(
        office.federation.model_copy(update={"facilities": (several,)}), office.ledger, {}, office.time
    )
    office.ledger.note_capability(TriggerState("north/old", office.time(), False, "Away."))
    assert analyse(desk, document(), MIA, Order())[0].request.trigger == "north/hub"
    office.ledger.note_capability(TriggerState("north/hub", office.time(), False, "Away."))
    with pytest.raises(BadInput, match="kind abacus"):
        analyse(desk, document(), MIA, Order())
