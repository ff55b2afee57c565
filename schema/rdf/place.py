"""This file is what the records stand in: the catalogue's address, its facilities, and how techniques are labelled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from schema.federation import Federation
from schema.pids import normal_ror
from schema.rdf.terms import Term, iri, named, own, say, words


@dataclass(frozen=True)
class Place:
    """The catalogue's public address (no slash at its end), its federation, and labels of techniques by IRI."""

    url: str
    federation: Federation
    label: Callable[[str], str | None]

    @property
    def catalogue(self) -> Term:
        """The catalogue's own IRI."""
        return f"<{self.url}/dcat>"

    def page(self, pid: str) -> str:
        """The address of a dataset's page, which is also the dataset's IRI."""
        return f"{self.url}/dataset/{quote(pid, safe='/:@!$*+,;=~')}"

    def agent(self, facility: str) -> Term:
        """The IRI of a facility: its ROR id, else ours."""
        known = self.federation.facility(facility)
        return _agent(self.url, facility, (known.ror if known is not None else None) or "")

    def name(self, facility: str) -> str:
        """The full name of a facility; its key when it left the federation."""
        known = self.federation.facility(facility)
        return known.name if known is not None else facility


@lru_cache(1_024)
def _agent(url: str, facility: str, written: str) -> Term:
    ror = normal_ror(written) if written else None
    return f"<{ror}>" if ror else own(url, "facility", facility)


def agent(place: Place, facility: str) -> str:
    """A facility as an organisation."""
    node, facts = place.agent(facility), place.federation.facility(facility)
    home = iri(facts.url) if facts else None
    told = say(
        node,
        (
            ("rdf:type", "foaf:Agent"),
            ("rdf:type", "foaf:Organization"),
            ("rdf:type", "org:Organization"),
            ("foaf:name", named(place.name(facility), facility)),
            ("skos:altLabel", words(facts.shortName) if facts else None),
            ("foaf:homepage", home),
            ("dct:identifier", words(facts.ror) if facts else None),
        ),
    )
    return told + (say(home, [("rdf:type", "foaf:Document")]) if home else "")
