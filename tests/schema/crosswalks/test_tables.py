"""The tables of fields held against the sources' own schemas, against the crosswalks, and against the page made of them."""

import json
from pathlib import Path
from typing import Any

import pytest

from demo.icat.entities import STAMPS, schema
from harvesters.icat_tables import ROOTS, SHARED
from schema.crosswalks import icat, icat_fields, icat_publications, scicat, scicat_fields, scicat_published
from schema.crosswalks.__main__ import page
from schema.crosswalks.place import Place
from schema.crosswalks.tables import Field, Table
from schema.records import Reject, encode
from schema.techniques import default

ROOT = Path(__file__).resolve().parents[3]
PLACE = Place(facility="home", source="home/one", vocabulary=default(), authenticated=True)
TABLES = (*scicat_fields.TABLES, *icat_fields.TABLES)
CROSSWALKS = {
    "dataset": scicat.dataset,
    "proposal": scicat.proposal,
    "sample": scicat.sample,
    "instrument": scicat.instrument,
    "publisheddata": scicat_published.published,
    "Dataset": icat.dataset,
    "Investigation": icat.investigation,
    "Sample": icat.sample,
    "Instrument": icat.instrument,
    "DataPublication": icat_publications.publication,
}
IDS = {"dataset": "pid", "proposal": "proposalId", "sample": "sampleId", "instrument": "pid", "publisheddata": "doi"}
VALUES: dict[str, Any] = {
    "text": "zq7text",
    "number": 73.25,
    "whole": 7351234,
    "time": "2031-04-05T06:07:08Z",
    "yes": True,
    "no": False,
    "doi": "10.12345/zq7",
    "orcid": "0000-0002-1825-0097",
    "object": {"inner": "zq7text"},
}
PERSON = {"fullName": "Somebody"}
BESIDE: dict[str, Any] = {
    "orcidOfOwner": {"owner": "Somebody"},
    "creationTime": {"startTime": "2030-01-01T00:00:00Z"},
    "affiliation": {"creator": ["Somebody"]},
    "parameters[].": {"parameters": [{"type": {"name": "p"}, "numericValue": 1.0}]},
    "relationships[].": {"relationships": [{"identifier": "x", "relationship": "r"}]},
    "scientificMetadata.*.u": {"scientificMetadata": {"zkey": {"v": 1}}},
    "scientificMetadata.*.unit": {"scientificMetadata": {"zkey": {"value": 1}}},
    "scientificMetadata.*.human_name": {"scientificMetadata": {"zkey": {"value": 1}}},
    "sampleCharacteristics.*.u": {"sampleCharacteristics": {"zkey": {"v": 1}}},
    "sampleCharacteristics.*.unit": {"sampleCharacteristics": {"zkey": {"value": 1}}},
    "sampleCharacteristics.*.human_name": {"sampleCharacteristics": {"zkey": {"value": 1}}},
    "metadata.creators[].": {"metadata": {"creators": [{"name": "Somebody"}]}},
    "metadata.contributors[].": {"metadata": {"contributors": [{"name": "Somebody"}]}},
    "metadata.relatedIdentifiers[].": {"metadata": {"relatedIdentifiers": [{"relatedIdentifier": "x"}]}},
    "users[].": {"users": [{"fullName": "Somebody", "user": {}}]},
    "users[].user.fullName": {"users": [{"user": {}}]},
    "dates[].": {"dates": [{"dateType": "Issued", "date": "2020"}]},
    "relatedItems[].": {"relatedItems": [{"identifier": "x"}]},
    "investigationUsers[].": {"investigationUsers": [{"user": PERSON}]},
    "investigation.investigationUsers[].": {"investigation": {"investigationUsers": [{"user": PERSON}]}},
}


def put(raw: dict[str, Any], path: str, value: Any) -> None:
    """Lay a value at a path; lists get one member."""
    here: Any = raw
    steps = path.split(".")
    for place, step in enumerate(steps):
        name, is_list = ("zkey", False) if step == "*" else (step.removesuffix("[]"), step.endswith("[]"))
        last = place == len(steps) - 1
        if is_list:
            found = here.setdefault(name, [None if last else {}])
            if last:
                found[0] = value
            here = found[0]
        elif last:
            here[name] = value
        else:
            here = here.setdefault(name, {})


def raw_of(table: Table, field: Field) -> dict[str, Any]:
    """The smallest record in which the field means something."""
    id = IDS.get(table.entity, "id")
    raw: dict[str, Any] = {id: "1"}
    prefix = max((key for key in BESIDE if field.path.startswith(key)), key=len, default="")
    if prefix:
        raw |= json.loads(json.dumps(BESIDE[prefix]))
    for name in ("fullName",) if field.path.endswith(("givenName", "familyName")) else ():
        for user in raw.get("users", []) + [each["user"] for each in raw.get("investigationUsers", [])]:
            user.pop(name, None)
    return raw


KEPT = [(table, field) for table in TABLES for field in table.fields if field.to]


@pytest.mark.parametrize(("table", "field"), KEPT, ids=[f"{t.entity} {f.path}" for t, f in KEPT])
def test_what_a_kept_field_says_is_in_the_record(table: Table, field: Field) -> None:
    raw = raw_of(table, field)
    without = CROSSWALKS[table.entity](PLACE, raw)
    put(raw, field.path, VALUES[field.like])
    if field.path == "publicationYear" or field.path == "metadata.publicationYear":
        put(raw, field.path, 2031)
    record = CROSSWALKS[table.entity](PLACE, raw)
    assert not isinstance(record, Reject)
    said = encode(record).decode()
    if field.like in ("yes", "no"):
        assert not isinstance(without, Reject)
        assert said != encode(without).decode()
    shown = field.shows or (VALUES[field.like] if field.like != "object" else "zq7text")
    if field.shows or field.like not in ("yes", "no"):
        assert str(shown) in said


@pytest.mark.parametrize("table", TABLES, ids=lambda table: f"{table.dialect} {table.entity}")
def test_a_field_goes_somewhere_or_has_a_reason_and_is_told_once(table: Table) -> None:
    assert all(bool(field.to) != bool(field.why) for field in table.fields)
    paths = [field.path for field in table.fields]
    assert len(paths) == len(set(paths))


OPENAPI = {
    "OutputDatasetObsoleteDto": scicat_fields.DATASET,
    "OutputDatasetDto": scicat_fields.DATASET,
    "ProposalClass": scicat_fields.PROPOSAL,
    "OutputSampleDto": scicat_fields.SAMPLE,
    "Instrument": scicat_fields.INSTRUMENT,
    "PublishedDataObsoleteDto": scicat_fields.PUBLISHED,
    "PublishedData": scicat_fields.PUBLISHED,
    "OrigDatablock": scicat_fields.FILES,
}
INNER = {
    "datasetlifecycle.": ("LifecycleClass", scicat_fields.DATASET),
    "techniques[].": ("TechniqueClass", scicat_fields.DATASET),
    "relationships[].": ("RelationshipClass", scicat_fields.DATASET),
    "MeasurementPeriodList[].": ("MeasurementPeriodClass", scicat_fields.PROPOSAL),
}


def heads(table: Table) -> set[str]:
    return {field.path.split(".")[0].removesuffix("[]") for field in table.fields}


def test_every_property_of_scicats_own_schema_is_in_the_tables(shared: Path) -> None:
    document = json.loads((shared / "data/wire/scicat/recorded-v5.2/openapi-v5.2.json").read_text())
    schemas = document["components"]["schemas"]
    for name, table in OPENAPI.items():
        missing = set(schemas[name]["properties"]) - heads(table)
        assert not missing, (name, missing)
    for prefix, (name, table) in INNER.items():
        missing = {prefix + each for each in schemas[name]["properties"]} - {field.path for field in table.fields}
        assert not missing, missing


def icat_paths(table: Table, entity: str, prefix: str, back: str = "") -> set[str]:
    """Every path of the schema below an entity that the table follows."""
    known = {field.path for field in table.fields}
    found = set()
    here = schema("6.2.0")[entity]
    root = not prefix
    found |= {prefix + name for name in here.attributes if root or name not in STAMPS}
    relations = {name: (link.target, link.inverse) for name, link in here.to_one.items()}
    relations |= {f"{name}[]": (link.target, link.mapped_by) for name, link in here.to_many.items()}
    for name, (target, inverse) in relations.items():
        path = prefix + name
        if name in (back, f"{back}[]"):
            continue
        if path in known or not any(each.startswith(f"{path}.") for each in known):
            found.add(path)
        elif target not in ("Investigation", "Sample", "Dataset"):  # records of their own: only named
            found |= icat_paths(table, target, f"{path}.", inverse)
    return found


@pytest.mark.parametrize("table", icat_fields.TABLES, ids=lambda table: table.entity)
def test_every_attribute_and_relation_of_icats_schema_is_in_the_tables(table: Table) -> None:
    missing = icat_paths(table, table.entity, "") - {field.path for field in table.fields}
    missing -= {path for path in missing if path.rsplit(".", 1)[-1] in STAMPS and "." in path}
    assert not missing


def test_every_column_and_link_the_icat_harvester_reads_is_in_the_tables() -> None:
    listed = {field.path for table in icat_fields.TABLES for field in table.fields}
    for root in ROOTS:
        for child in root.children:
            for column in child.columns:
                assert f"{child.relation}[].{column}" in listed
            for path, _ in child.links:
                assert any(each.startswith(f"{child.relation}[].{path}") for each in listed)
    assert {name for name, _ in SHARED} <= set(schema("6.2.0"))


def test_the_page_is_what_the_code_makes() -> None:
    """When this fails: python -m schema.crosswalks > docs/crosswalks.md"""
    assert (ROOT / "docs" / "crosswalks.md").read_text() == page()
