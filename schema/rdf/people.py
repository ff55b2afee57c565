"""This file is the names of people in our RDF: their ORCID iD, else a flat key made of facility and name."""

from __future__ import annotations

from pyoxigraph import NamedNode

from schema.pids import normal_orcid
from schema.rdf.place import Place
from schema.rdf.terms import digest, own
from schema.records import Person


def person(each: Person, facility: str, place: Place) -> NamedNode:
    """The IRI of somebody who took part. Two people of one name at one facility without ORCID share it."""
    orcid = normal_orcid(each.orcid) if each.orcid else None
    return NamedNode(f"https://orcid.org/{orcid}") if orcid else own(place.url, "person", digest(facility, each.name))
