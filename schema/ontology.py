"""This file is the reader of a released PaNET (OWL as RDF/XML or Turtle), and what makes the packaged table of it.

``python -m schema.ontology PaNET.owl [mapping.csv …] schema/panet.json`` writes the table. Mappings are SSSOM tables
(https://mapping-commons.github.io/sssom): the names of their exact matches resolve too.
"""

import csv
import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec
from rdflib import OWL, RDF, RDFS, Graph, Namespace, URIRef
from rdflib.namespace import DCTERMS, SKOS

from schema.errors import Misconfigured
from schema.techniques import Table, Term, Vocabulary, of

PANET = "http://purl.org/pan-science/PaNET/"
TECHNIQUES = URIRef(PANET + "PaNET00001")
SPECIFIERS = URIRef(PANET + "PaNET2000000")
OWL_BYTES = 16 * 1024 * 1024
_OBO = Namespace("http://purl.obolibrary.org/obo/")


def from_owl(owl: bytes) -> Vocabulary:
    """The vocabulary of a released PaNET. Raises Misconfigured when it is none or larger than 16 MiB."""
    return of(table_of(owl))


def table_of(owl: bytes, mapped: dict[str, str] | None = None) -> Table:
    """The table of a released PaNET: its two trees by plain ``rdfs:subClassOf`` (the release is reasoned already)."""
    graph = _read(owl)
    techniques, specifiers = _tree(graph, TECHNIQUES), _tree(graph, SPECIFIERS)
    header = next(iter(graph.subjects(RDF.type, OWL.Ontology)), None)
    version = str(graph.value(header, OWL.versionInfo) or "unknown")
    license_ = str(graph.value(header, DCTERMS.license) or "https://creativecommons.org/licenses/by/4.0/")
    classes = techniques | specifiers
    return Table(
        name="PaNET",
        title=str(graph.value(header, DCTERMS.title) or "PaNET"),
        version=version,
        url=str(header) if header is not None else None,
        license=license_,
        attribution=f"PaNET {version} by the PaNET authors (https://github.com/pan-ontologies/PaNET), under {license_}; "
        "labels, synonyms, definitions and hierarchy, in another file format"
        + ("; names of exact matches from its published mappings, under the same licence." if mapped else "."),
        terms=tuple(_term(graph, iri, classes, iri in techniques) for iri in sorted(classes)),
        aliases=_aliases(graph, classes),
        mapped=mapped or {},
    )


def exact_matches(mapping: str) -> dict[str, str]:
    """The names that an SSSOM table gives as exact matches of PaNET classes, and their IRIs."""
    rows = csv.DictReader(line for line in mapping.splitlines() if not line.startswith(("#", '"#')))
    return {
        row["object_label"]: PANET + row["subject_id"].removeprefix("panet:")
        for row in rows
        if row.get("predicate_id") == "skos:exactMatch" and row.get("object_label")
    }


def _read(owl: bytes) -> Graph:
    if len(owl) > OWL_BYTES:
        raise Misconfigured("the vocabulary is larger than 16 MiB")
    graph = Graph()
    try:
        graph.parse(data=owl, format="xml" if owl.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<" else "turtle")
    except Exception as error:  # noqa: BLE001 - rdflib's parsers raise whatever they meet (SAX, ValueError, AttributeError …)
        raise Misconfigured(f"the vocabulary is neither RDF/XML nor Turtle: {type(error).__name__}") from None
    return graph


def _tree(graph: Graph, root: URIRef) -> set[URIRef]:
    found = {root} if (root, None, None) in graph else set()
    reached = list(found)
    for parent in reached:
        for child in graph.subjects(RDFS.subClassOf, parent):
            if isinstance(child, URIRef) and child not in found:
                found.add(child)
                reached.append(child)
    return found


def _term(graph: Graph, iri: URIRef, classes: set[URIRef], technique: bool) -> Term:
    label = str(graph.value(iri, RDFS.label) or "").strip()
    synonyms = {str(name).strip() for name in graph.objects(iri, SKOS.altLabel)} - {"", label}
    definition = graph.value(iri, _OBO["IAO_0000115"])
    return Term(
        iri=str(iri),
        label=label,
        synonyms=tuple(sorted(synonyms)),
        definition=str(definition).strip() if definition is not None else None,
        broader=tuple(
            sorted(str(above) for above in graph.objects(iri, RDFS.subClassOf) if above in classes and above != iri)
        ),
        technique=technique,
    )


def _aliases(graph: Graph, classes: set[URIRef]) -> dict[str, str]:
    """IRIs elsewhere that the ontology says mean the same as one of its labelled classes."""
    return {
        str(other): str(iri)
        for iri in sorted(classes)
        if (iri, RDFS.label, None) in graph
        for other in sorted(graph.objects(iri, OWL.equivalentClass), key=str)
        if isinstance(other, URIRef) and not other.startswith(PANET)
    }


def main(paths: Iterable[Path]) -> None:
    """Write the table of an OWL file and of the exact matches of mappings."""
    owl, *mappings, table = paths
    mapped: dict[str, str] = {}
    for mapping in mappings:
        mapped |= exact_matches(mapping.read_text(encoding="utf-8-sig"))
    encoded = msgspec.json.encode(table_of(owl.read_bytes(), dict(sorted(mapped.items()))))
    table.write_bytes(msgspec.json.format(encoded, indent=1) + b"\n")


if __name__ == "__main__":
    main(map(Path, sys.argv[1:]))
