"""This file is the catalogue itself as DCAT-AP 3.0.1, and a page of it (Hydra, PartialCollectionView), in Turtle."""

from __future__ import annotations

from dataclasses import dataclass

from schema.rdf import vocabulary
from schema.rdf.names import DCAT_AP
from schema.rdf.place import Place, agent
from schema.rdf.terms import Term, iri, named, own, say, whole, words
from schema.techniques import Vocabulary

_TITLE = "Datasets of photon and neutron facilities"
_ABOUT = "The public metadata of datasets of the photon and neutron facilities of this federation, harvested from their own catalogues."
_LICENCE = "<https://creativecommons.org/publicdomain/zero/1.0/>"
_GRAPHQL = "<https://spec.graphql.org/October2021/>"


@dataclass(frozen=True)
class PageLinks:
    """Where a page lies: its own address, the first, the next (None at the end), and how many datasets there are in all."""

    this: str
    first: str
    next: str | None
    total: int


def catalogue(place: Place, techniques: Vocabulary | None) -> str:
    """The catalogue with all that every page repeats: publisher, facilities, concepts, the ontology of techniques, the API."""
    publisher, home = own(place.url, "about", "publisher"), f"<{place.url}/>"
    return "".join(
        (
            _own(place, publisher, home),
            _publisher(place, publisher, home),
            say(home, [("rdf:type", "foaf:Document")]),
            say(_LICENCE, [("rdf:type", "dct:LicenseDocument")]),
            *(agent(place, each.id) for each in place.federation.facilities if each.enabled),
            concepts(),
            _techniques(place, techniques) if techniques is not None else "",
            _service(place, publisher),
        )
    )


def _own(place: Place, publisher: Term, home: Term) -> str:
    return say(
        place.catalogue,
        (
            ("rdf:type", "dcat:Catalog"),
            ("dct:title", words(_TITLE, "en")),
            ("dct:description", words(_ABOUT, "en")),
            ("dct:publisher", publisher),
            ("dct:license", _LICENCE),
            ("dct:language", vocabulary.ENGLISH),
            ("foaf:homepage", home),
            ("dcat:themeTaxonomy", vocabulary.THEMES),
            ("dct:conformsTo", DCAT_AP),
        ),
    )


def _publisher(place: Place, publisher: Term, home: Term) -> str:
    return say(
        publisher,
        (
            ("rdf:type", "foaf:Agent"),
            ("rdf:type", "foaf:Organization"),
            ("foaf:name", words(f"pangate at {place.url.partition('://')[2]}")),
            ("foaf:homepage", home),
        ),
    )


def concepts() -> str:
    """The controlled concepts that datasets point to, labelled, so that a page can be read alone."""
    told = []
    for concept, label in vocabulary.LABELS.items():
        rights = "dct:RightsStatement" if "/access-right/" in concept else None
        shown = words(label, "en")
        told.append(say(concept, (("rdf:type", "skos:Concept"), ("skos:prefLabel", shown), ("rdf:type", rights))))
    themes = (("rdf:type", "skos:ConceptScheme"), ("dct:title", words("EU data themes", "en")))
    told.append(say(vocabulary.THEMES, themes))
    told.append(say(vocabulary.ENGLISH, [("rdf:type", "dct:LinguisticSystem")]))
    told.append(say(DCAT_AP, [("rdf:type", "dct:Standard")]))
    return "".join(told)


def _techniques(place: Place, used: Vocabulary) -> str:
    """The ontology whose terms stand under dct:subject, with its version. No dcat:themeTaxonomy: themes are the EU's alone."""
    ontology = iri(used.url) or own(place.url, "about", "techniques")
    return say(place.catalogue, [("dct:references", ontology)]) + say(
        ontology,
        (
            ("rdf:type", "skos:ConceptScheme"),
            ("dct:title", named(used.title, used.name)),
            ("owl:versionInfo", words(used.version)),
            ("dct:license", iri(used.license)),
        ),
    )


def _service(place: Place, publisher: Term) -> str:
    service = own(place.url, "about", "graphql")
    told = say(
        service,
        (
            ("rdf:type", "dcat:DataService"),
            ("dct:title", words("GraphQL API", "en")),
            ("dcat:endpointURL", f"<{place.url}/graphql>"),
            ("dcat:endpointDescription", f"<{place.url}/schema.graphql>"),
            ("dct:publisher", publisher),
            ("dct:conformsTo", _GRAPHQL),
            ("dcat:theme", vocabulary.THEME),
        ),
    )
    return say(place.catalogue, [("dcat:service", service)]) + told + say(_GRAPHQL, [("rdf:type", "dct:Standard")])


def member(place: Place, pid: str) -> str:
    """That a dataset is of the catalogue."""
    return f"{place.catalogue} dcat:dataset <{place.page(pid)}> .\n"


def view(place: Place, links: PageLinks) -> str:
    """That what is given is a page of the catalogue (Hydra Core, 5.2)."""
    this = iri(links.this) or f"<{links.first}>"
    collection = (("rdf:type", "hydra:Collection"), ("hydra:totalItems", whole(links.total)), ("hydra:view", this))
    page = (
        ("rdf:type", "hydra:PartialCollectionView"),
        ("hydra:first", f"<{links.first}>"),
        ("hydra:next", f"<{links.next}>" if links.next else None),
    )
    return say(place.catalogue, collection) + say(this, page)
