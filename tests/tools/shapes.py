"""Graphs of records held against the official shapes, and nodes that are the same to every shape told once."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import rdflib
from graphql_world import FEDERATION
from pyoxigraph import Literal, NamedNode, Triple
from pyshacl import validate
from rdflib import SH, Graph, URIRef
from statements import federated, name

from schema.federation import Facility, Federation, Source
from schema.rdf.formats import BY_WORD, written
from schema.rdf.place import Place
from schema.records import Document
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
Signature = tuple[frozenset[str], frozenset[object]]


def official(shared: Path, file: str = "shapes.ttl") -> Graph:
    """The official shapes of DCAT-AP 3.0.1."""
    return Graph().parse(shared / "standards" / "dcat-ap-3.0.1" / file)


def date_shape() -> Graph:
    """Our own."""
    return Graph().parse(data=DATES, format="turtle")


def feed(documents: Iterable[Document], place: Place = PLACE) -> bytes:
    """A catalogue of these records as Turtle."""
    return written(federated(documents, place, default()), BY_WORD["ttl"])


def violations(data: Graph, rules: Graph, own: str | None = None, among: Collection[str] | None = None) -> list[str]:
    """Focus, path, value and message of every violation; with `own`, of focus nodes whose IRI begins so; with `among`, of those."""
    return [told for severity, _, told in results(data, rules, own, among) if severity == "Violation"]


def results(
    data: Graph, rules: Graph, own: str | None = None, among: Collection[str] | None = None
) -> list[tuple[str, str, str]]:
    """Severity, path and the whole of every result."""
    _, report, _ = validate(data, shacl_graph=rules)
    assert isinstance(report, Graph)
    found = []
    for each in report.objects(None, SH.result):
        focus = report.value(each, SH.focusNode)
        if own is not None and not (isinstance(focus, URIRef) and str(focus).startswith(own)):
            continue
        if among is None or str(focus) in among:
            path = str(report.value(each, SH.resultPath))
            told = " | ".join(
                str(report.value(each, term))[:150]
                for term in (SH.focusNode, SH.resultPath, SH.value, SH.resultMessage)
            )
            found.append((str(report.value(each, SH.resultSeverity)).rpartition("#")[2], path, told))
    return sorted(found)


class Essence(NamedTuple):
    """What of a graph shapes can tell apart: of all nodes that are alike to them the first, with what it points to by kind.

    Whatever violates the official shapes in the whole graph has its like among `nodes`, and violates them here: they look at one
    node, at how many values each of its properties has (none, one, more), and at their kind, datatype, well-formedness and class;
    of values themselves at those of controlled vocabularies alone, which are all here.
    """

    graph: Graph
    nodes: frozenset[str]
    of: int


def essence(documents: Iterable[Document], place: Place = PLACE) -> Essence:
    """That of the catalogue of all these records together."""
    whole: dict[NamedNode, dict[NamedNode, set[NamedNode | Literal]]] = defaultdict(lambda: defaultdict(set))
    for subject, predicate, value in federated(documents, place, default()):
        assert isinstance(subject, NamedNode)
        assert isinstance(value, NamedNode | Literal)
        whole[subject][predicate].add(value)
    kinds = {node: frozenset(each.value for each in said.get(TYPE, ())) for node, said in whole.items()}
    first: dict[Signature, NamedNode] = {}
    for node, said in whole.items():
        alike = (
            (path.value, min(len(of), 2), frozenset(_kind(each, kinds) for each in of)) for path, of in said.items()
        )
        first.setdefault((kinds[node], frozenset(alike)), node)
    shown: dict[Triple, None] = {}
    for node in first.values():
        shown |= {Triple(node, path, value): None for path, of in whole[node].items() for value in of}
        for value in (each for of in whole[node].values() for each in of if isinstance(each, NamedNode)):
            met = whole.get(value, {})
            controlled = value.value.startswith(CONTROLLED)
            shown |= {Triple(value, path, of): None for path in met if controlled or path == TYPE for of in met[path]}
    graph = Graph().parse(data=written(shown, BY_WORD["nt"]), format="nt")
    return Essence(graph, frozenset(node.value for node in first.values()), len(whole))


def _kind(value: NamedNode | Literal, kinds: Mapping[NamedNode, frozenset[str]]) -> object:
    if isinstance(value, Literal):
        return (value.datatype.value, value.language, _well_formed(value.value, value.datatype.value))
    return (value.value if value.value.startswith(CONTROLLED) else "iri", kinds.get(value))


@lru_cache(maxsize=100_000)
def _well_formed(text: str, datatype: str) -> bool:
    return rdflib.Literal(text, datatype=datatype).ill_typed is not True
