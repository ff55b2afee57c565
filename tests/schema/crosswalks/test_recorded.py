"""The crosswalks over every recorded record of real servers: each gives a record, and its texts are found again."""

import json
from typing import Any

import pytest
from recorded import DATA, PLACE, Crosswalk
from recorded import recorded as every_record

from schema.crosswalks import icat, icat_publications, scicat
from schema.records import Dataset, Instrument, Investigation, Publication, Reject, Sample, encode

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the reference data folder ../shared is not here")
RECORDED = every_record()


@pytest.mark.parametrize(("crosswalk", "raw"), [each[1:] for each in RECORDED], ids=[each[0] for each in RECORDED])
def test_a_recorded_record_is_a_record(crosswalk: Crosswalk, raw: Any) -> None:
    made = crosswalk(PLACE, raw)
    assert not isinstance(made, Reject), made
    said = json.loads(encode(made))
    inner = next(iter(raw.values())) if len(raw) == 1 else raw
    for key, names in {
        "datasetName": ("title",),
        "title": ("title",),
        "name": ("title", "name", "proposal"),
        "description": ("description", "abstract", "name"),
        "summary": ("abstract",),
        "location": ("location",),
        "sourceFolder": ("location",),
    }.items():
        if isinstance(inner.get(key), str) and inner[key].strip():
            assert inner[key].strip() in [said.get(name) for name in names]


def test_all_that_was_recorded_is_here() -> None:
    kinds = [type(crosswalk(PLACE, raw)) for _, crosswalk, raw in RECORDED]
    assert {kind: kinds.count(kind) for kind in set(kinds)}.keys() == {
        Dataset,
        Investigation,
        Publication,
        Instrument,
        Sample,
    }
    assert len(RECORDED) > 200


def recorded(run: str, name: str) -> list[Any]:
    file = DATA / "wire" / "icat" / run / f"{name}.json"
    return [next(iter(each.values())) for each in json.loads(file.read_text())["body"]]


@pytest.mark.parametrize("run", ["run-6.2.0", "run-6.0.1"])
def test_everything_nested_in_a_whole_dataset_of_icat_is_read(run: str) -> None:
    for raw in recorded(run, "query-dataset-include-all"):
        made = icat.dataset(PLACE, {"Dataset": raw})
        assert isinstance(made, Dataset)
        assert {each.source_name for each in made.parameters} == {each["type"]["name"] for each in raw["parameters"]}
        assert len(made.techniques) == len(raw["datasetTechniques"])
        assert {each.name for each in made.instruments} >= {
            each["instrument"]["name"] for each in raw["datasetInstruments"]
        }
        assert made.investigation is not None
        assert made.investigation.id == str(raw["investigation"]["id"])
        assert [each.id for each in made.samples] == ([str(raw["sample"]["id"])] if "sample" in raw else [])


def test_everything_nested_in_a_whole_publication_of_icat_is_read() -> None:
    """6.0.1 has no subjects and refused the recorded query."""
    for raw in recorded("run-6.2.0", "query-datapublication-full"):
        made = icat_publications.publication(PLACE, {"DataPublication": raw})
        assert isinstance(made, Publication)
        assert set(made.datasets) == {str(each["dataset"]["id"]) for each in raw["content"]["dataCollectionDatasets"]}
        assert len(made.people) == len(raw["users"])
        assert {each.identifier for each in made.related} >= {
            each["identifier"].lower().removeprefix("doi:")
            for each in raw["relatedItems"]
            if "10." in each["identifier"]
        }
        said = encode(made).decode()
        for date in raw["dates"]:
            assert date["date"] in said
        for each in raw["fundingReferences"]:
            assert each["funding"]["funderName"] in said


def test_techniques_of_the_public_records_are_resolved_and_their_energies_are_in_si() -> None:
    datasets = [crosswalk(PLACE, raw) for _, crosswalk, raw in RECORDED if crosswalk is scicat.dataset]
    found = [technique for each in datasets if isinstance(each, Dataset) for technique in each.techniques]
    assert found
    assert sum(technique.pid is not None for technique in found) >= 0.9 * len(found)
    energies = [
        parameter
        for each in datasets
        if isinstance(each, Dataset)
        for parameter in each.parameters
        if parameter.unit == "keV" and parameter.value is not None
    ]
    assert energies
    assert all(parameter.si_unit is not None for parameter in energies)
