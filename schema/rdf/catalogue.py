"""This file is the catalogue itself as DCAT-AP 3.0.1, and a page of it (Hydra, PartialCollectionView)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pyoxigraph import Literal, NamedNode, Triple

from schema.rdf import vocabulary
from schema.rdf.names import DCAT_AP, name
from schema.rdf.place import Place, agent
from schema.rdf.terms import Term, iri, own, say, whole, words
from schema.techniques import Vocabulary

_TITLE = "Datasets of photon and neutron facilities"
_ABOUT = "The public metadata of datasets of the photon and neutron facilities of this federation, harvested from their own catalogues."
_LICENCE = NamedNode("https://creativecommons.org/publicdomain/zero/1.0/")
_GRAPHQL = NamedNode("https://spec.graphql.org/October2021/")


@dataclass(frozen=True)
class PageLinks:
    """Where a page lies: its own address, the first, the next (None at the end), and how many datasets there are in all."""

    this: str
    first: str
    next: str | None
    total: int


def catalogue(place: Place, techniques: Vocabulary | None) -> Iterator[Triple]:
    """The catalogue with all that every page repeats: publisher, facilities, concepts, the ontology of techniques, the API."""
    publisher = own(place.url, "about", "publisher")
    home = NamedNode(f"{place.url}/")
    facilities = [each.id for each in place.federation.facilities if each.enabled]
    yield from say(place.catalogue, _own(publisher, home))
    yield from say(
        publisher,
        (
            ("rdf:type", name("foaf:Agent")),
            ("rdf:type", name("foaf:Organization")),
            ("foaf:name", Literal(f"pangate at {place.url.partition('://')[2]}")),
            ("foaf:homepage", home),
        ),
    )
    yield Triple(home, name("rdf:type"), name("foaf:Document"))
    yield Triple(_LICENCE, name("rdf:type"), name("dct:LicenseDocument"))
    for facility in facilities:
        yield from agent(place, facility)
    yield from concepts()
    if techniques is not None:
        yield from _techniques(place, techniques)
    yield from _service(place, publisher)


def _own(publisher: NamedNode, home: NamedNode) -> list[tuple[str, Term | None]]:
    return [
        ("rdf:type", name("dcat:Catalog")),
        ("dct:title", Literal(_TITLE, language="en")),
        ("dct:description", Literal(_ABOUT, language="en")),
        ("dct:publisher", publisher),
        ("dct:license", _LICENCE),
        ("dct:language", vocabulary.ENGLISH),
        ("foaf:homepage", home),
        ("dcat:themeTaxonomy", vocabulary.THEMES),
        ("dct:conformsTo", NamedNode(DCAT_AP)),
    ]


def concepts() -> Iterator[Triple]:
    """The controlled concepts that datasets point to, labelled, so that a page can be read alone."""
    for concept, label in vocabulary.LABELS.items():
        rights = name("dct:RightsStatement") if "/access-right/" in concept.value else None
        shown = Literal(label, language="en")
        yield from say(concept, (("rdf:type", name("skos:Concept")), ("skos:prefLabel", shown), ("rdf:type", rights)))
    yield from say(
        vocabulary.THEMES,
        (("rdf:type", name("skos:ConceptScheme")), ("dct:title", Literal("EU data themes", language="en"))),
    )
    yield Triple(vocabulary.ENGLISH, name("rdf:type"), name("dct:LinguisticSystem"))
    yield Triple(NamedNode(DCAT_AP), name("rdf:type"), name("dct:Standard"))


def _techniques(place: Place, used: Vocabulary) -> Iterator[Triple]:
    """The ontology whose terms stand under dct:subject, with its version. No dcat:themeTaxonomy: themes are the EU's alone."""
    ontology = iri(used.url) or own(place.url, "about", "techniques")
    yield Triple(place.catalogue, name("dct:references"), ontology)
    yield from say(
        ontology,
        (
            ("rdf:type", name("skos:ConceptScheme")),
            ("dct:title", words(used.title) or words(used.name)),
            ("owl:versionInfo", words(used.version)),
            ("dct:license", iri(used.license)),
        ),
    )


def _service(place: Place, publisher: NamedNode) -> Iterator[Triple]:
    service = own(place.url, "about", "graphql")
    yield Triple(place.catalogue, name("dcat:service"), service)
    yield from say(
        service,
        (
            ("rdf:type", name("dcat:DataService")),
            ("dct:title", Literal("GraphQL API", language="en")),
            ("dcat:endpointURL", NamedNode(f"{place.url}/graphql")),
            ("dcat:endpointDescription", NamedNode(f"{place.url}/schema.graphql")),
            ("dct:publisher", publisher),
            ("dct:conformsTo", _GRAPHQL),
            ("dcat:theme", vocabulary.THEME),
        ),
    )
    yield Triple(_GRAPHQL, name("rdf:type"), name("dct:Standard"))


def member(place: Place, pid: str) -> Triple:
    """That a dataset is of the catalogue."""
    return Triple(place.catalogue, name("dcat:dataset"), NamedNode(place.page(pid)))


def view(place: Place, links: PageLinks) -> Iterator[Triple]:
    """That what is given is a page of the catalogue (Hydra Core, 5.2)."""
    this = NamedNode(links.this)
    yield from say(
        place.catalogue,
        (
            ("rdf:type", name("hydra:Collection")),
            ("hydra:totalItems", whole(links.total)),
            ("hydra:view", this),
        ),
    )
    yield from say(
        this,
        (
            ("rdf:type", name("hydra:PartialCollectionView")),
            ("hydra:first", NamedNode(links.first)),
            ("hydra:next", NamedNode(links.next) if links.next else None),
        ),
    )
