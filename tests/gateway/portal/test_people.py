"""Who took part is shown once, with everything that is said of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.portal.people import once
from schema.records import Person

ORCIDS = ["0000-0002-1825-0097", "0000-0001-5109-3700"]
PEOPLE = st.lists(
    st.builds(
        Person,
        name=st.sampled_from(["Ann Ex", "ann ex", "Bo Ex"]),
        orcid=st.sampled_from([None, *ORCIDS]),
        role=st.sampled_from([None, "Owner", "Principal investigator"]),
    ),
    max_size=6,
)


def test_an_owner_who_is_also_the_principal_investigator_stands_once_with_both_roles_and_the_orcid() -> None:
    told = once([Person("Ann Ex", ORCIDS[0], "Owner"), Person("ann ex", None, "Principal investigator", "Lab")])
    assert told == [Person("Ann Ex", ORCIDS[0], "Owner, Principal investigator", "Lab")]


def test_two_people_of_one_name_with_their_own_orcids_stay_two() -> None:
    two = [Person("Ann Ex", ORCIDS[0]), Person("Ann Ex", ORCIDS[1])]
    assert once(two) == two


@given(PEOPLE)
def test_nobody_and_no_role_is_lost_and_once_is_enough(people: list[Person]) -> None:
    told = once(people)
    assert {each.name.casefold() for each in told} == {each.name.casefold() for each in people}
    assert {each.orcid for each in told} - {None} == {each.orcid for each in people} - {None}
    roles = {role for each in told for role in (each.role or "").split(", ")} - {""}
    assert roles == {each.role for each in people} - {None}
    assert len(told) <= len(people)
