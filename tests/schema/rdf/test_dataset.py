"""A dataset as DCAT-AP: what is said of it, and that nothing it holds can break the feed."""

from __future__ import annotations

from graphql_world import FEDERATION, SAXS, dataset, document, some_documents
from hostile import hostile_datasets
from hypothesis import given, settings
from pyoxigraph import CanonicalizationAlgorithm, NamedNode, Quad, Triple, parse
from pyoxigraph import Dataset as Graphs
from statements import name, statements
from strategies import datasets
from strategies import document as stored

from schema.access import Access
from schema.mark import MARK
from schema.rdf.formats import FORMATS, written
from schema.rdf.place import Place
from schema.rdf.sentence import description
from schema.records import FileTotals
from schema.techniques import default

PLACE = Place("https://pan.example.org", FEDERATION, default().label)


def said(record: object, predicate: str, of: str | None = None) -> list[str]:
    """The values a graph gives for a predicate."""
    return [
        each.object.value
        for each in statements(document(record), PLACE)
        if each.predicate == name(predicate) and (of is None or each.subject.value == of)
    ]


def canonical(found: set[Triple]) -> str:
    graph = Graphs(Quad(*each) for each in found)
    graph.canonicalize(CanonicalizationAlgorithm.UNSTABLE)
    return str(graph)


@settings(max_examples=60)
@given(hostile_datasets())
def test_hostile_records_are_the_same_graph_in_all_four_serialisations(found) -> None:
    meant = set(statements(found, PLACE))
    for format in FORMATS:
        read = {quad.triple for quad in parse(written(meant, format), format.written)}
        assert read == meant, format.word


@settings(max_examples=40)
@given(datasets())
def test_no_blank_node_stands_in_the_graph_so_that_equal_means_equal(record) -> None:
    for each in statements(stored(record, 1), PLACE):
        assert isinstance(each.subject, NamedNode)


def test_a_full_record_says_what_readers_of_dcat_ask_for() -> None:
    record = some_documents()[0].record
    page = PLACE.page(record.pid)
    assert said(record, "dct:identifier", page) == ["https://doi.org/10.5442/nd000001"]
    assert said(record, "dct:subject") == [SAXS]
    assert "home-made method" in said(record, "dcat:keyword")
    assert said(record, "dcat:accessURL") == [page]
    assert said(record, "dcat:byteSize") == ["5000000000"]
    assert said(record, "dct:license") == ["https://creativecommons.org/licenses/by/4.0/"]
    assert "https://orcid.org/0000-0002-1825-0097" in said(record, "dct:creator")
    assert len(said(record, "prov:used")) == 2
    assert said(record, "dcat:theme") == ["http://publications.europa.eu/resource/authority/data-theme/TECH"]
    assert {"8.979", "300.0", "12.0", "Eiger 4M"} == set(said(record, "schema:value"))


def test_an_embargo_is_said_in_rights_and_never_as_issued() -> None:
    record = dataset(3, access=Access.EMBARGOED, release=dataset(1).start)
    assert said(record, "dct:issued") == []
    assert said(record, "rdfs:label") == ["Under embargo until 2024-01-02."]
    assert said(record, "dct:accessRights")[0].endswith("/RESTRICTED")


def test_what_has_no_files_has_no_distribution() -> None:
    assert said(dataset(3, access=Access.METADATA_ONLY), "dcat:distribution") == []


def test_nexus_is_told_by_what_it_conforms_to() -> None:
    assert said(dataset(3, files=FileTotals(formats=("nxs",))), "dct:conformsTo") == ["https://www.nexusformat.org/"]


def test_a_missing_description_is_a_marked_sentence_of_facts() -> None:
    told = description(dataset(3, type="raw"), "North Light Source")
    assert told == f"{MARK} Raw dataset at ID01 of North Light Source on 2024-01-04."
    assert description(dataset(3, description="Own words."), "x") == "Own words."
