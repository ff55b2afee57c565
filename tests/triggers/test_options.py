"""What is on offer, and why not, from rows alone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fakes.desks import MIA, Office, document
from fakes.north import hub_trigger
from hypothesis import given
from hypothesis import strategies as st

from catalogue.ports import TriggerState
from schema.access import ANONYMOUS, Viewer
from schema.federation import Choice, PathRule
from schema.records import Dataset, Instrument
from triggers.options import cards, options, path_of, with_default


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.database.close()


def offered(office: Office, viewer: Viewer = MIA, **changed: object) -> tuple[bool, list[str]]:
    found = options(document(**changed), viewer, office.ledger, office.federation, office.time())
    assert office.platform.asked == [], "nobody is asked while a reader waits"
    return found[0].available, [reason.code for reason in found[0].reasons]


def test_an_open_dataset_where_sessions_reach_it_is_on_offer(office: Office) -> None:
    assert offered(office) == (True, [])


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"access": "CLOSED"}, (True, ["ACCESS"])),
        ({"access": "EMBARGOED"}, (True, ["EMBARGOED", "ACCESS"])),
        ({"access": "METADATA_ONLY"}, (False, ["NO_DATA"])),
        ({"location": None}, (False, ["NO_PATH"])),
        ({"location": "/nfsx/1"}, (False, ["NO_PATH"])),
    ],
)
def test_what_the_record_says_decides(
    office: Office, changed: dict[str, object], expected: tuple[bool, list[str]]
) -> None:
    assert offered(office, **changed) == expected


def test_who_asks_decides(office: Office) -> None:
    assert offered(office, ANONYMOUS) == (False, ["SIGN_IN_NEEDED"])
    assert offered(office, Viewer(issuer="i", subject="s")) == (False, ["AUTH_REQUIRED"])


def test_a_platform_that_is_down_says_since_when(office: Office) -> None:
    office.ledger.note_capability(TriggerState("north/hub", office.time(), False, "It does not answer."))
    assert offered(office) == (False, ["SITE_DOWN"])
    found = options(document(), MIA, office.ledger, office.federation, office.time())[0]
    assert found.reasons[0].message == "North Hub is not available since 2026-11-22 10:00 UTC. It does not answer."
    assert found.reasons[0].link


def test_who_has_enough_sessions_is_told_before_pressing(office: Office) -> None:
    for _ in range(5):
        office.ask(another=True)
    assert offered(office) == (False, ["QUOTA"])


def test_an_unknown_kind_is_unsupported_and_the_rest_goes_on(tmp_path: Path) -> None:
    office = Office(tmp_path, changed={"kind": "abacus"})
    assert offered(office) == (False, ["UNSUPPORTED"])
    card = cards(office.federation)[0]
    assert not card.capabilities.start
    assert cards(office.federation, "south") == []


def test_how_long_it_takes_is_told_from_experience(office: Office) -> None:
    launch = office.go(office.ask())
    office.go(launch, seconds=7)
    assert options(document(), MIA, office.ledger, office.federation, office.time())[0].typical_seconds == 7


def test_only_datasets_are_analysed(office: Office) -> None:
    instrument = Instrument(source="north/cat", id="1", pid="x", facility="north", name="ID01")
    other = type(document())(instrument, (), 1)
    assert options(other, MIA, office.ledger, office.federation, office.time()) == []


def dataset(location: str | None) -> Dataset:
    return Dataset(source="s/s", id="1", pid="p", facility="north", title="t", location=location)


def rules(*pairs: tuple[str, str]) -> object:
    return hub_trigger("https://h.example", paths=tuple(PathRule(**{"from": a, "to": b}) for a, b in pairs))


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/nfs/a/b", "/data/a/b"), ("/nfs", "/data"), ("/nfs/", "/data/"), ("/nfsx", None), ("/nfs/../etc", None),
        ("nfs/a", None), ("/nfs/a\nb", None), ("", None), (None, None), ("/nfs/a..b", "/data/a..b"),
    ],
)  # fmt: skip
def test_a_location_becomes_a_path(location: str | None, path: str | None) -> None:
    assert path_of(rules(("/nfs", "/data")), dataset(location)) == path  # type: ignore[arg-type]


@given(st.text(max_size=40), st.sampled_from(["/", "/nfs", "/nfs/"]))
def test_no_path_ever_leaves_where_its_rule_leads(location: str, start: str) -> None:
    path = path_of(rules((start, "/data")), dataset(location))  # type: ignore[arg-type]
    assert path is None or ((path == "/data" or path.startswith("/data/")) and ".." not in path.split("/"))


@given(st.lists(st.booleans(), max_size=5))
def test_exactly_one_choice_is_the_default(defaults: list[bool]) -> None:
    given = tuple(Choice(id=f"c{i}", name="x", default=default) for i, default in enumerate(defaults))
    found = with_default(given)
    assert [choice.id for choice in found] == [choice.id for choice in given]
    assert sum(choice.default for choice in found) == min(1, len(given))


def test_an_embargo_says_until_when(office: Office) -> None:
    release = datetime(2027, 1, 1, tzinfo=UTC) + timedelta(hours=1)
    found = options(
        document(access="EMBARGOED", release=release), MIA, office.ledger, office.federation, office.time()
    )[0]
    assert found.reasons[0].message == "The data are under embargo until 2027-01-01."
