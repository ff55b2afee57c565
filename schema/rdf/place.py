"""This file is what the records stand in: the catalogue's address, its facilities, and how techniques are labelled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from pyoxigraph import Literal, NamedNode, Triple

from schema.federation import Facility, Federation
from schema.pids import normal_ror
from schema.rdf.names import name
from schema.rdf.terms import iri, own, say, words


@dataclass(frozen=True)
class Place:
    """The catalogue's public address (no slash at its end), its federation, and labels of techniques by IRI."""

    url: str
    federation: Federation
    label: Callable[[str], str | None]

    @property
    def catalogue(self) -> NamedNode:
        """The catalogue's own IRI."""
        return NamedNode(f"{self.url}/dcat")

    def page(self, pid: str) -> str:
        """The address of a dataset's page, which is also the dataset's IRI."""
        return f"{self.url}/dataset/{quote(pid, safe='/:@!$*+,;=~')}"

    def agent(self, facility: str) -> NamedNode:
        """The IRI of a facility: its ROR id, else ours."""
        known = self.federation.facility(facility)
        ror = normal_ror(known.ror) if known is not None and known.ror else None
        return NamedNode(ror) if ror else own(self.url, "facility", facility)

    def name(self, facility: str) -> str:
        """The full name of a facility; its key when it left the federation."""
        known = self.federation.facility(facility)
        return known.name if known is not None else facility


def agent(place: Place, facility: str) -> Iterator[Triple]:
    """A facility as an organisation."""
    node, known = place.agent(facility), place.federation.facility(facility)
    facts: Facility | None = known
    yield from say(
        node,
        (
            ("rdf:type", name("foaf:Agent")),
            ("rdf:type", name("foaf:Organization")),
            ("rdf:type", name("org:Organization")),
            ("foaf:name", words(place.name(facility)) or Literal(facility)),
            ("skos:altLabel", words(facts.shortName) if facts else None),
            ("foaf:homepage", iri(facts.url) if facts else None),
            ("dct:identifier", words(facts.ror) if facts else None),
        ),
    )
    if facts is not None and (home := iri(facts.url)) is not None:
        yield Triple(home, name("rdf:type"), name("foaf:Document"))
