"""A dataset in the dialects of the web: citation, signposts, schema.org."""

import json
from pathlib import Path

from demo_records import demo_documents
from graphql_world import dataset, some_documents
from hostile import hostile_datasets
from hypothesis import given, settings
from pyshacl import validate
from rdflib import Graph

from schema.exports.citation import citation
from schema.exports.schema_org import schema_org
from schema.exports.signposting import links
from schema.records import Dataset

PAGE = "https://pan.example.org/dataset/10.5442/nd000001"


def embedded(record: Dataset) -> str:
    return json.dumps(schema_org(record, PAGE, "North Light Source", "https://pan.example.org"))


def test_google_s_required_properties_are_there_for_every_record(shared: Path) -> None:
    rules = Graph().parse(shared / "standards" / "science-on-schema-org" / "googleRequired.ttl")
    records = [each.record for each in (*some_documents(), *demo_documents(20)) if isinstance(each.record, Dataset)]
    for record in (records[0], records[1], *records[-10:]):
        conforms, _, text = validate(Graph().parse(data=embedded(record), format="json-ld"), shacl_graph=rules)
        assert conforms, text


@settings(max_examples=40)
@given(hostile_datasets())
def test_hostile_records_give_json_and_header_fields_that_can_be_sent(found) -> None:
    record = found.record
    assert json.loads(embedded(record))["@context"] == {"@vocab": "http://schema.org/"}
    for each in links(record, PAGE, [("text/turtle", "ttl")]):
        assert all(32 <= ord(sign) < 127 for sign in each)
        assert each.count("<") == each.count(">") == 1


def test_a_citation_names_people_year_title_place_and_address() -> None:
    record = some_documents()[0].record
    told = citation(record, "North Light Source", PAGE)
    assert told == (
        "Ada Example (2025): Small-angle scattering of α-Fe2O3. North Light Source. Dataset. https://doi.org/10.5442/nd000001"
    )
    assert citation(dataset(3, start=None, pid="north/dataset/3"), "NLS", PAGE).startswith("NLS: Silver")
