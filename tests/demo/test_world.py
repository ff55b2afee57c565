"""The invented facility is the same for the same seed, and plausible enough to be searched."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.world import USERS, World, world
from demo.world.methods import METHODS
from demo.world.people import checksum

TODAY = datetime(2026, 11, 22, tzinfo=UTC)


@given(st.integers(0, 2**32), st.integers(0, 40), st.sampled_from(["freya", "skadi", "elsewhere"]))
def test_the_same_arguments_give_the_same_world_with_as_many_datasets_as_asked(
    seed: int, count: int, facility: str
) -> None:
    one = world(facility, seed, count)
    assert one == world(facility, seed, count)
    assert len(one.datasets) == count


@given(st.integers(0, 2**32), st.integers(0, 60))
def test_every_index_points_somewhere_and_every_interval_runs_forward(seed: int, count: int) -> None:
    made = world("freya", seed, count)
    for told in made.investigations:
        assert told.start <= told.end <= told.release
        assert made.instruments[told.instrument]
        assert all(made.people[member.person] for member in told.members)
    for dataset in made.datasets:
        told = made.investigations[dataset.investigation]
        assert made.samples[dataset.sample].investigation == dataset.investigation
        assert dataset.instrument == told.instrument
        assert told.start <= dataset.start <= told.end
        assert all(not isinstance(p.value, tuple) or p.value[0] <= p.value[1] for p in dataset.parameters)


def test_names_and_numbers_are_unique(freya: World) -> None:
    for names in (
        [told.number for told in freya.investigations],
        [dataset.name for dataset in freya.datasets],
        [publication.doi for publication in freya.publications],
        [person.full_name for person in freya.people],
    ):
        assert len(names) == len(set(names))


def test_each_visitor_is_in_an_embargoed_investigation_and_the_first_is_the_demos(freya: World) -> None:
    assert freya.investigations[0].number == "p-2026-014"
    for user in USERS:
        place = [person.user for person in freya.people].index(user)
        assert any(t.release > TODAY and place in {m.person for m in t.members} for t in freya.investigations)
    assert {freya.people[m.person].user for m in freya.investigations[0].members} >= {"ada", "bohr"}


def test_embargoes_end_within_three_years_and_only_open_data_has_dois(freya: World) -> None:
    assert all(told.release.year <= 2029 for told in freya.investigations)
    assert sum(told.release > TODAY for told in freya.investigations) > 10
    assert all(freya.investigations[d.investigation].release <= TODAY for d in freya.datasets if d.doi)
    assert any(d.doi for d in freya.datasets)


def test_a_neutron_source_has_no_x_rays_and_the_other_way_round(freya: World) -> None:
    skadi = world("skadi", 7, 200)
    assert not any("x-ray" in t.label for d in skadi.datasets for t in d.techniques)
    assert not any("neutron" in t.label for d in freya.datasets for t in d.techniques)


def test_only_the_instruments_asked_for_are_there() -> None:
    assert [i.name for i in world("freya", 1, 5, instruments=["MX-1", "LOKE"]).instruments] == ["MX-1", "LOKE"]
    with pytest.raises(ValueError, match="no such instrument: HERA"):
        world("freya", 1, 5, instruments=["HERA"])


@pytest.mark.parametrize(("digits", "last"), [("000000021825009", "7"), ("000000021694233", "X")])
def test_the_orcid_checksum_is_the_one_of_orcids_own_examples(digits: str, last: str) -> None:
    assert checksum(digits) == last


def test_orcids_of_the_people_check(freya: World) -> None:
    found = [person.orcid.replace("-", "") for person in freya.people if person.orcid]
    assert found
    assert all(len(o) == 16 and checksum(o[:15]) == o[15] for o in found)


def test_techniques_are_panets_own_codes_and_labels(shared: Path) -> None:
    with (shared / "standards/panet/PaNET-1.3.0.csv").open(encoding="utf-8") as file:
        official = {row[1].rpartition("/")[2]: row[2] for row in csv.reader(file) if len(row) > 2}
    for method in METHODS.values():
        for technique in method.techniques:
            assert official[technique.code].strip() == technique.label


@pytest.fixture(scope="module")
def freya() -> World:
    return world("freya", 2026, 1_500)
