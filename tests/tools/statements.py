"""Our RDF as statements, read back from the Turtle that it is made in."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from pyoxigraph import NamedNode, Triple

from schema.rdf.catalogue import catalogue, member
from schema.rdf.dataset import dataset
from schema.rdf.formats import triples
from schema.rdf.names import PREFIXES
from schema.rdf.place import Place
from schema.records import Document, Kind
from schema.techniques import Vocabulary


@cache
def name(short: str) -> NamedNode:
    """The IRI of a prefixed name such as "dct:title"."""
    prefix, _, local = short.partition(":")
    return NamedNode(PREFIXES[prefix] + local)


def statements(document: Document, place: Place) -> list[Triple]:
    """What is said of a dataset."""
    return list(triples(dataset(document, place).text))


def federated(documents: Iterable[Document], place: Place, techniques: Vocabulary | None) -> list[Triple]:
    """What a catalogue of these records says."""
    told = [catalogue(place, techniques)]
    for each in documents:
        if each.record.kind is Kind.DATASET:
            told += [member(place, each.record.pid), dataset(each, place).text]
    return list(triples("".join(told)))
