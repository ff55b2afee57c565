"""Claims to groups: what is not mapped gives nothing."""

from hypothesis import given
from hypothesis import strategies as st

from schema.federation import Federation
from schema.membership import viewer_of

FEDERATION = Federation.model_validate(
    {
        "facilities": [
            {
                "id": "freya",
                "name": "Freya",
                "groups": [
                    {"claim": "groups", "pattern": r"freya-(p-\d{4}-\d{3})", "group": r"\1"},
                    {"claim": "preferred_username", "pattern": "([a-z]+)", "group": r"user:\1"},
                ],
            },
            {
                "id": "off",
                "name": "Off",
                "enabled": False,
                "groups": [{"claim": "groups", "pattern": ".*", "group": "all"}],
            },
        ]
    }
)


def test_a_pattern_must_match_the_whole_value():
    viewer = viewer_of(
        {"sub": "b", "groups": ["freya-p-2026-014", "xfreya-p-2026-014", "freya-p-2026-0145"]}, FEDERATION, None
    )
    assert viewer.groups == {"freya:p-2026-014"}


def test_a_person_is_the_group_that_a_mapped_claim_gives():
    assert viewer_of({"sub": "b", "preferred_username": "bohr"}, FEDERATION, None).groups == {"freya:user:bohr"}


def test_operators_are_the_members_of_one_group():
    assert viewer_of({"sub": "a", "groups": ["crew"]}, FEDERATION, "crew").roles == {"operator"}
    assert viewer_of({"sub": "a", "groups": "crew"}, FEDERATION, None).roles == frozenset()


@given(
    st.dictionaries(st.text(max_size=20), st.recursive(st.none() | st.booleans() | st.text() | st.integers(), st.lists))
)
def test_any_claims_make_a_viewer_and_groups_only_of_facilities_switched_on(claims):
    viewer = viewer_of(claims, FEDERATION, "crew")
    assert all(group.startswith("freya:") for group in viewer.groups)
