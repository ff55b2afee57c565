"""This file is what datasets point to together: people, techniques, instruments, samples, licences, file types.

Each is an IRI and its statements, the same wherever it is met: a stream says them once. They are remembered, since records repeat them.
"""

from __future__ import annotations

from functools import lru_cache

from schema.pids import normal_orcid
from schema.rdf.place import Place, agent
from schema.rdf.terms import Term, digest, iri, named, own, say, words
from schema.records import Dataset, InstrumentPart, Person, SamplePart, Technique

_REMEMBERED = 8_192

Neighbour = tuple[Term, str]
"""An IRI, and what is said of it."""


def person(each: Person, record: Dataset, place: Place) -> Neighbour:
    """Somebody who took part, by ORCID iD, else by facility and name: two of one name at one facility without ORCID are one."""
    return _person(place.url, record.facility, each.name, each.orcid or "")


@lru_cache(_REMEMBERED)
def _person(url: str, facility: str, name: str, written: str) -> Neighbour:
    orcid = normal_orcid(written) if written else None
    who = f"<https://orcid.org/{orcid}>" if orcid else own(url, "person", digest(facility, name))
    pairs = (("rdf:type", "foaf:Agent"), ("rdf:type", "foaf:Person"), ("foaf:name", named(name)))
    return who, say(who, pairs)


def publisher(record: Dataset, place: Place) -> Neighbour | None:
    """The facility, when the catalogue does not list it and so says nothing of it: switched off, or gone from the federation file."""
    known = place.federation.facility(record.facility)
    listed = known is not None and known.enabled
    return None if listed else (place.agent(record.facility), agent(place, record.facility))


def technique(each: Technique, place: Place) -> Neighbour | None:
    """A technique with an IRI, as a concept; None for one that is words alone."""
    return _concept(each.pid, place.label(each.pid) or each.name) if each.pid else None


@lru_cache(_REMEMBERED)
def _concept(written: str, label: str) -> Neighbour | None:
    subject = iri(written)
    if subject is None:
        return None
    return subject, say(subject, (("rdf:type", "skos:Concept"), ("skos:prefLabel", named(label, written))))


def instrument(part: InstrumentPart, record: Dataset, place: Place) -> Neighbour | None:
    """What it was measured with; None for one without a name."""
    return _instrument(place.url, record.facility, part) if part.pid or part.name else None


@lru_cache(_REMEMBERED)
def _instrument(url: str, facility: str, part: InstrumentPart) -> Neighbour:
    device = own(url, "instrument", part.pid or digest(facility, part.name or ""))
    return device, say(
        device,
        (("rdf:type", "prov:Entity"), ("schema:name", words(part.name)), ("dct:identifier", words(part.pid))),
    )


def sample(part: SamplePart, record: Dataset, place: Place) -> Neighbour | None:
    """What was measured; None for one without a name."""
    return _sample(place.url, record.facility, part) if part.pid or part.name or part.formula else None


@lru_cache(_REMEMBERED)
def _sample(url: str, facility: str, part: SamplePart) -> Neighbour:
    shown = part.name or part.formula
    entity = own(url, "sample", part.pid or digest(facility, shown or ""))
    return entity, say(
        entity,
        (
            ("rdf:type", "prov:Entity"),
            ("schema:name", words(shown)),
            ("schema:molecularFormula", words(part.formula)),
            ("schema:additionalType", words(part.type)),
            ("dct:identifier", words(part.pid)),
        ),
    )


def of_class(term: Term, kind: str) -> Neighbour:
    """Something of which only the class is said, such as a licence."""
    return term, f"{term} rdf:type {kind} .\n"
