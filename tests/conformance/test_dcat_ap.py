"""This file is DCAT-AP 3.0.1 over every record there is: the demo's two facilities whole, every recorded record, hostile ones.

The official shapes look at one node at a time, and of what it points to at kinds, datatypes and classes alone (a test says so): nodes
that are alike in that are one to them. So of the graph of all records together a node of every likeness is held against them.
PANGATE_SOAK=1 holds every single record.
"""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import msgspec
import pytest
from demo_records import demo_documents
from graphql_world import document
from harvesting import Site
from pyoxigraph import Quad, Triple, parse
from rdflib import DCTERMS, OWL, RDF, SH, Graph, URIRef
from rdflib.compare import isomorphic
from recorded import PLACE as RECORDED
from recorded import recorded
from shapes import PLACE, URL, date_shape, essence, feed, official, results, violations
from soak import SOAK
from statements import name, statements

from demo.icat import content
from demo.icat.server import serve
from demo.icat.store import Store
from schema.federation import Federation
from schema.mark import MARK
from schema.rdf.dataset import Told, dataset
from schema.rdf.formats import FORMATS, written
from schema.rdf.place import Place
from schema.records import Dataset, Document, Reject
from schema.techniques import default

PAGE = 1_000
Held = tuple[Graph, frozenset[str] | None]
"""A graph, and the nodes that are judged in it (None: all of them)."""
PUBLISHER, THEME = str(DCTERMS.publisher), "http://www.w3.org/ns/dcat#theme"


@pytest.fixture(scope="module")
def skadi(tmp_path_factory: pytest.TempPathFactory) -> list[Document]:
    """The demo's ICAT facility, harvested and joined."""
    store = Store()
    content.fill(store)
    with serve(store) as url:
        login = {"plugin": "db", "username": "reader", "password": "PASSWORD"}
        site = Site("icat", url, tmp_path_factory.mktemp("skadi"), login)
        site.secrets.values["PASSWORD"] = "reader-secret"
        site.done()
        return list(site.world.records.walk())


@pytest.fixture(scope="module")
def freya() -> list[Document]:
    """The demo's SciCat facility through crosswalk and join."""
    return list(demo_documents(2_500))


@pytest.fixture(scope="module")
def known() -> list[Document]:
    """Every recorded record of a real server, each under a pid of its own (some were recorded at several times)."""
    made = [crosswalk(RECORDED, raw) for _, crosswalk, raw in recorded()]
    records = [each for each in made if not isinstance(each, Reject)]
    assert len(records) == len(made) > 200
    return [document(msgspec.structs.replace(each, pid=f"home/x/{at}"), at) for at, each in enumerate(records, 1)]


@pytest.fixture(scope="module", params=["freya", "skadi", "known"])
def graphs(request: pytest.FixtureRequest, shared: Path) -> list[Held]:
    """The catalogue of all of a source's datasets, by what shapes tell apart; with PANGATE_SOAK every node, a thousand datasets each."""
    documents = [each for each in request.getfixturevalue(request.param) if isinstance(each.record, Dataset)]
    assert len(documents) >= 100
    if not SOAK:
        found = essence(documents)
        assert found.of > len(documents) * 3 > len(found.nodes)
        return [(found.graph, found.nodes)]
    parts = (documents[start : start + PAGE] for start in range(0, len(documents), PAGE))
    return [(Graph().parse(data=feed(part), format="turtle"), None) for part in parts]


def test_every_record_conforms_to_the_base_shapes_and_the_date_shape(graphs: list[Held], shared: Path) -> None:
    rules = official(shared) + date_shape()
    for graph, nodes in graphs:
        assert violations(graph, rules, None, nodes) == []


def test_every_record_conforms_to_ranges_and_code_lists(graphs: list[Held], shared: Path) -> None:
    """With the background merged, as the Commission's service does; warnings are those no facility can do without."""
    background = Graph().parse(shared / "standards" / "eu-vocabularies" / "background-knowledge.ttl")
    for graph, nodes in graphs:
        whole = graph + background
        assert violations(whole, official(shared, "range.ttl"), URL, nodes) == []
        said = results(whole, official(shared, "mdr-vocabularies.shape.ttl"), URL, nodes)
        assert {(severity, path) for severity, path, _ in said} <= {("Warning", PUBLISHER), ("Warning", THEME)}


def test_the_generated_full_shapes_find_nothing_either(known: list[Document], shared: Path) -> None:
    rules = official(shared, "dcat-ap-SHACL.ttl")
    for shape, node in list(rules.subject_objects(SH.property)):
        if (node, SH.path, None) not in rules:  # two dangling references of the file (reference on standards, 1.4)
            rules.remove((shape, SH.property, node))
    background = Graph().parse(shared / "standards" / "eu-vocabularies" / "background-knowledge.ttl")
    graph = Graph().parse(data=feed(known[:20]), format="turtle")
    assert violations(graph + background, rules, URL) == []


@pytest.mark.parametrize("left", [True, False], ids=["gone from the file", "switched off"])
def test_records_of_a_facility_that_is_not_listed_have_a_publisher_all_the_same(left: bool, shared: Path) -> None:
    documents = [each for each in demo_documents(60) if isinstance(each.record, Dataset)][:2]
    off = tuple(each.model_copy(update={"enabled": False}) for each in PLACE.federation.facilities)
    place = dataclasses.replace(PLACE, federation=Federation(facilities=() if left else off))
    graph = Graph().parse(data=feed(documents, place), format="turtle")
    assert violations(graph, official(shared, "range.ttl") + official(shared), URL) == []


@pytest.mark.parametrize("file", ["shapes.ttl", "range.ttl", "mdr-vocabularies.shape.ttl"])
def test_shapes_tell_nodes_apart_by_what_an_essence_keeps_and_by_nothing_else(file: str, shared: Path) -> None:
    """No shape looks beyond what a node points to, at an order or length, or counts to more than one; values are compared with
    controlled vocabularies alone."""
    rules = official(shared, file)
    used = {str(each).rpartition("#")[2] for each in rules.predicates() if str(each).startswith(str(SH))}
    looks = {"path", "nodeKind", "minCount", "maxCount", "datatype", "class", "node", "or", "inversePath", "property"}
    values = {"hasValue", "pattern"} if file.startswith("mdr") else set()
    assert used <= looks | values | {"severity", "targetClass", "message", "shape", "name", "description"}
    assert {int(str(each)) for count in (SH.minCount, SH.maxCount) for each in rules.objects(None, count)} <= {1}
    nested = set(rules.objects(None, SH.node))
    backwards = set(rules.objects(None, SH.inversePath))
    assert backwards <= {URIRef("http://www.w3.org/ns/dcat#inSeries")}, "and of series we say nothing"
    if not values:
        deeper = {path for shape in nested for path in rules.predicates(shape) if path == SH.property}
        assert not deeper, "what is asked of a node that is pointed to is its class"


@pytest.mark.parametrize("broken", ["title left out", "a date that is none", "another name of a shared node"])
def test_what_is_wrong_with_one_record_of_hundreds_is_found(
    broken: str, freya: list[Document], shared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    documents = [each for each in freya if isinstance(each.record, Dataset)][:300]
    odd = documents[211].record.pid
    told = dataset

    def made(document: Document, place: Place) -> Told:
        found = told(document, place)
        if document.record.pid != odd:
            return found
        own = {
            "title left out": re.sub(r"dct:title \"[^\"]*\" ?;?", "", found.own, count=1),
            "a date that is none": re.sub(r"dct:modified \"[^T]*T", 'dct:modified "2024-02-31T', found.own, count=1),
            "another name of a shared node": found.own + f"{place.agent('freya')} dct:type <{URL}/a>, <{URL}/b> .\n",
        }[broken]
        assert own != found.own
        return Told(own, found.shared)

    monkeypatch.setattr("statements.dataset", made)
    found = essence(documents)
    assert len(violations(found.graph, official(shared) + date_shape(), None, found.nodes)) >= 1


@pytest.mark.parametrize(
    ("statement", "finds"),
    [
        ('<http://a/b> dct:issued "soon" .', 1),
        ('<http://a/b> dct:modified "2024-02-31T00:00:00Z"^^xsd:dateTime .', 1),
        ('<http://a/b> dcat:startDate "2024-01-01"^^xsd:string .', 1),
        ('<http://a/b> dcat:endDate <http://a/c> .', 1),
        ('<http://a/b> dct:issued "2024-01-01"^^xsd:date, "2024"^^xsd:gYear .', 1),
        ('<http://a/b> dct:issued "2024-01-01"^^xsd:date ; dct:modified "2024-01-01T00:00:00Z"^^xsd:dateTime .', 0),
    ],
)  # fmt: skip
def test_the_date_shape_sees_what_the_official_file_passes_over(statement: str, finds: int, shared: Path) -> None:
    prefixes = "".join(
        f"@prefix {key}: <{iri}> .\n"
        for key, iri in (
            ("dct", "http://purl.org/dc/terms/"),
            ("dcat", "http://www.w3.org/ns/dcat#"),
            ("xsd", "http://www.w3.org/2001/XMLSchema#"),
        )
    )
    graph = Graph().parse(data=prefixes + statement, format="turtle")
    assert len(violations(graph, date_shape())) == finds
    assert violations(graph, official(shared)) == []


def test_the_four_serialisations_are_one_graph_to_another_reader(freya: list[Document]) -> None:
    shown = [each for each in freya if isinstance(each.record, Dataset)][:25]
    triples = [triple for each in shown for triple in statements(each, PLACE)]
    turtle, *others = (
        Graph().parse(data=written(triples, each), format={"rdf": "xml", "jsonld": "json-ld"}.get(each.word, each.word))
        for each in FORMATS
    )
    assert len(turtle) == len(set(triples))
    for other in others:
        assert isomorphic(turtle, other)


def test_the_marked_sentence_stands_in_the_feed_and_nowhere_else(freya: list[Document], skadi: list[Document]) -> None:
    said = 0
    for each in (*freya, *skadi):
        assert MARK.encode() not in msgspec.json.encode(each)
        if isinstance(each.record, Dataset) and not (each.record.description or "").strip():
            (told,) = {str(t.object.value) for t in statements(each, PLACE) if _describes(t, each)}
            assert told.startswith(MARK)
            said += 1
    assert said > 50


def _describes(triple: Triple, each: Document) -> bool:
    return triple.subject.value == PLACE.page(each.record.pid) and triple.predicate == name("dct:description")


def test_the_version_of_the_ontology_of_techniques_is_told() -> None:
    graph = Graph().parse(data=feed([]), format="turtle")
    (ontology,) = graph.objects(URIRef(f"{URL}/dcat"), DCTERMS.references)
    assert str(ontology) == default().url
    assert str(graph.value(ontology, OWL.versionInfo)) == default().version == "1.3.0"
    assert graph.value(ontology, RDF.type) is not None
    assert str(graph.value(ontology, DCTERMS.license)).startswith("https://creativecommons.org/licenses/by/4.0")


def test_quads_are_never_written() -> None:
    meant = [triple for each in demo_documents(40)[-2:] for triple in statements(each, PLACE)]
    for format in FORMATS:
        assert all(
            isinstance(each, Quad) and str(each.graph_name) == "DEFAULT"
            for each in parse(written(meant, format), format.written)
        )
