"""Graphs of records held against the official shapes, and records that are the same to every shape told once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from graphql_world import FEDERATION
from pyoxigraph import Literal, NamedNode
from pyshacl import validate
from rdflib import SH, Graph, URIRef
from statements import federated, name, statements

from schema.federation import Facility, Federation, Source
from schema.rdf.formats import BY_WORD, written
from schema.rdf.place import Place
from schema.records import Dataset, Document
from schema.techniques import default

URL = "https://pan.example.org"
HOMES = tuple(
    Facility(id=key, name=f"Facility {key}", sources=(Source(id="one", kind="scicat", url="https://x.example.org"),))
    for key in ("home", "freya", "skadi")
)
PLACE = Place(URL, Federation(facilities=(*FEDERATION.facilities, *HOMES)), default().label)
DATES = """
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix prov: <http://www.w3.org/ns/prov#> .
<urn:shape:dates> a sh:NodeShape ;
  sh:targetSubjectsOf dct:issued, dct:modified, dct:available, dcat:startDate, dcat:endDate, prov:startedAtTime, prov:endedAtTime ;
  sh:property [ sh:path dct:issued ; sh:maxCount 1 ; sh:or _:date ], [ sh:path dct:modified ; sh:maxCount 1 ; sh:or _:date ],
    [ sh:path dct:available ; sh:or _:date ], [ sh:path dcat:startDate ; sh:maxCount 1 ; sh:or _:date ],
    [ sh:path dcat:endDate ; sh:maxCount 1 ; sh:or _:date ], [ sh:path prov:startedAtTime ; sh:datatype xsd:dateTime ],
    [ sh:path prov:endedAtTime ; sh:datatype xsd:dateTime ] .
_:date <http://www.w3.org/1999/02/22-rdf-syntax-ns#first> [ sh:datatype xsd:dateTime ] ;
  <http://www.w3.org/1999/02/22-rdf-syntax-ns#rest> ( [ sh:datatype xsd:date ] [ sh:datatype xsd:gYearMonth ] [ sh:datatype xsd:gYear ] ) .
"""
"""Our own shape: a date is one (the official file writes `sh:shape`, which no engine reads; reference on standards, 1.4)."""

TYPE = name("rdf:type")
CONTROLLED = ("http://publications.europa.eu/", "https://spdx.org/", "http://spdx.org/", "https://www.iana.org/")
Signature = frozenset[object]


def official(shared: Path, file: str = "shapes.ttl") -> Graph:
    """The official shapes of DCAT-AP 3.0.1."""
    return Graph().parse(shared / "standards" / "dcat-ap-3.0.1" / file)


def date_shape() -> Graph:
    """Our own."""
    return Graph().parse(data=DATES, format="turtle")


def feed(documents: Iterable[Document], place: Place = PLACE) -> bytes:
    """A catalogue of these records as Turtle."""
    return written(federated(documents, place, default()), BY_WORD["ttl"])


def violations(data: Graph, rules: Graph, own: str | None = None) -> list[str]:
    """Focus, path, value and message of every violation; with `own`, of focus nodes whose IRI begins so."""
    return [told for severity, _, told in results(data, rules, own) if severity == "Violation"]


def results(data: Graph, rules: Graph, own: str | None = None) -> list[tuple[str, str, str]]:
    """Severity, path and the whole of every result."""
    _, report, _ = validate(data, shacl_graph=rules)
    assert isinstance(report, Graph)
    found = []
    for each in report.objects(None, SH.result):
        focus = report.value(each, SH.focusNode)
        if own is None or (isinstance(focus, URIRef) and str(focus).startswith(own)):
            path = str(report.value(each, SH.resultPath))
            told = " | ".join(
                str(report.value(each, term))[:150]
                for term in (SH.focusNode, SH.resultPath, SH.value, SH.resultMessage)
            )
            found.append((str(report.value(each, SH.resultSeverity)).rpartition("#")[2], path, told))
    return sorted(found)


def signature(document: Document, place: Place = PLACE) -> Signature:
    """What shapes see of a record's nodes, each for itself: its classes, and for each predicate how many (0, 1, more) of which
    kinds, datatypes and classes; of values, those of the controlled vocabularies."""
    triples = set(statements(document, place))
    kinds = defaultdict(set)
    for subject, predicate, value in triples:
        if predicate == TYPE:
            kinds[subject].add(value.value)
    nodes: dict[object, dict[str, list[object]]] = defaultdict(lambda: defaultdict(list))
    for subject, predicate, value in triples:
        if predicate != TYPE:
            nodes[subject][predicate.value].append(_kind(value, kinds))
    return frozenset(
        (frozenset(kinds[node]), frozenset((path, min(len(of), 2), frozenset(of)) for path, of in said.items()))
        for node, said in nodes.items()
    )


def _kind(value: object, kinds: dict[object, set[str]]) -> object:
    if isinstance(value, Literal):
        return (value.datatype.value, value.language)
    assert isinstance(value, NamedNode)
    return (value.value if value.value.startswith(CONTROLLED) else "iri", frozenset(kinds.get(value, ())))


def representatives(documents: Iterable[Document]) -> Iterator[Document]:
    """Datasets that between them have a node of every signature."""
    seen: set[object] = set()
    for each in documents:
        if isinstance(each.record, Dataset):
            found = signature(each)
            if not found <= seen:
                seen |= found
                yield each
