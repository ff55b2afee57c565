"""The demo's people fit into the demo's facilities."""

import re

import pytest

from demo.children import ROOT
from demo.people import PEOPLE, Person
from demo.scicat.freya import STAFF
from demo.world import World, world
from demo.world.generate import TODAY
from demo.world.records import USERS
from schema.federation import read_federation


@pytest.fixture(scope="module")
def freya() -> World:
    """The facility as `python -m demo.scicat` serves it by default."""
    return world("freya", 2026, 2_500)


def test_the_people_who_sign_in_are_the_ones_the_facilities_know() -> None:
    assert tuple(person.name for person in PEOPLE) == USERS


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)
def test_a_persons_proposals_exist_are_embargoed_and_have_that_person_in_the_team(freya: World, person: Person) -> None:
    teams = {
        told.number: {freya.people[member.person].user for member in told.members}
        for told in freya.investigations
        if told.release > TODAY
    }
    for group in person.groups:
        if group.startswith("freya-p-"):
            assert person.name in teams[group.removeprefix("freya-")]


def test_the_groups_of_a_sign_in_become_groups_that_records_carry(freya: World) -> None:
    federation = read_federation((ROOT / "demo" / "federation.yaml").read_text())
    known = {told.number for told in freya.investigations} | {STAFF}
    rules = [rule for rule in federation.facilities[0].groups if rule.claim == "groups"]
    for person in PEOPLE:
        for name in person.groups:
            for rule in rules:
                if found := re.fullmatch(rule.pattern, name):
                    assert found.expand(rule.group) in known
    assert any(re.fullmatch(rule.pattern, "freya-staff") for rule in rules)
