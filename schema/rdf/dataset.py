"""This file is a dataset as DCAT-AP 3.0.1: its own statements; files, circumstances and neighbours stand in files of their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from schema.access import Access
from schema.pids import is_doi
from schema.rdf import vocabulary
from schema.rdf.circumstances import activity, parameter
from schema.rdf.distribution import distribution
from schema.rdf.neighbours import Neighbour, instrument, person, publisher, sample, technique
from schema.rdf.place import Place
from schema.rdf.sentence import description
from schema.rdf.terms import Pair, Term, flat, iri, moment, named, say, words
from schema.records import Dataset, Document

_RELATIONS = {
    "isderivedfrom": "prov:wasDerivedFrom",
    "issourceof": "dct:relation",
    "iscitedby": "dct:isReferencedBy",
    "isreferencedby": "dct:isReferencedBy",
    "isdocumentedby": "dct:isReferencedBy",
    "issupplementto": "dct:isReferencedBy",
    "references": "dct:references",
    "cites": "dct:references",
    "ispartof": "dct:isPartOf",
    "haspart": "dct:hasPart",
    "isversionof": "dct:isVersionOf",
    "isnewversionof": "dct:replaces",
    "ispreviousversionof": "dct:isReplacedBy",
    "requires": "dct:requires",
}


class Told(NamedTuple):
    """A dataset in Turtle: what is said of it alone, and what is said of each neighbour, which a stream need say but once."""

    own: str
    shared: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """All of it."""
        return self.own + "".join(self.shared)


def dataset(document: Document, place: Place) -> Told:
    """Every statement about a dataset. Raises nothing, whatever the record holds; other kinds give none."""
    record = document.record
    if not isinstance(record, Dataset):
        return Told("")
    node, key = f"<{place.page(record.pid)}>", flat(record.pid)
    met = [
        *(instrument(each, record, place) for each in record.instruments),
        *(sample(each, record, place) for each in record.samples),
    ]
    used = [each for each in met if each]
    people = [person(each, record, place) for each in record.people]
    techniques = [technique(each, place) for each in record.techniques]
    others = [each for each in (publisher(record, place), *techniques) if each]
    made_by = f"<{place.url}/activity/{key}>"
    files, about_files = distribution(record, place, node, key)
    values = [f"<{place.url}/parameter/{key}-{at}>" for at in range(1, len(record.parameters) + 1)]
    said = [
        *_own(record, place, node),
        *_linked(record, people, techniques),
        ("prov:wasGeneratedBy", made_by),
        ("dct:temporal", f"<{place.url}/period/{key}>" if record.start or record.end else None),
        ("dcat:distribution", f"<{place.url}/distribution/{key}>" if files else None),
        *[("schema:variableMeasured", each) for each in values],
    ]
    own = [
        say(node, dict.fromkeys(said)),
        _period(record, f"<{place.url}/period/{key}>"),
        files,
        activity(record, place, made_by, [each for each, _ in used]),
        *[parameter(value, each) for value, each in zip(values, record.parameters, strict=True)],
    ]
    neighbours = (*people, *others, *used, *about_files)
    return Told("".join(own), tuple([block for _, block in neighbours]))


def _own(record: Dataset, place: Place, node: Term) -> list[Pair]:
    return [
        ("rdf:type", "dcat:Dataset"),
        ("dct:title", named(record.title, record.pid)),
        ("dct:description", words(description(record, place.name(record.facility)))),
        ("dct:identifier", words(_identifier(record))),
        ("dct:publisher", place.agent(record.facility)),
        ("dct:accessRights", vocabulary.ACCESS[record.access]),
        ("dct:issued", moment(record.release) if record.access is not Access.EMBARGOED else None),
        ("dct:available", moment(record.release)),
        ("dct:modified", moment(record.modified)),
        ("schema:additionalType", words(record.type)),
        ("dcat:theme", vocabulary.THEME),
        ("dcat:landingPage", node),
        ("rdf:type", "foaf:Document"),
        *[("dcat:keyword", words(each)) for each in record.keywords],
    ]


def _identifier(record: Dataset) -> str:
    return f"https://doi.org/{record.pid}" if is_doi(record.pid) else record.pid


def _linked(record: Dataset, people: list[Neighbour], techniques: list[Neighbour | None]) -> Iterator[Pair]:
    """What a dataset points to: people, techniques (those without an IRI are keywords), related things."""
    for each, (who, _) in zip(record.people, people, strict=True):
        yield ("dct:creator" if _created(each.role) else "dct:contributor"), who
    for given, found in zip(record.techniques, techniques, strict=True):
        yield ("dct:subject", found[0]) if found else ("dcat:keyword", words(given.name))
    for related in record.related:
        target = f"https://doi.org/{related.identifier}" if is_doi(related.identifier) else related.identifier
        yield _RELATIONS.get(related.relation.lower(), "dct:relation"), iri(target)


def _created(role: str | None) -> bool:
    """Whether a role makes its bearer an author; without a role, so it is."""
    said = (role or "creator").lower()
    return any(word in said for word in ("creator", "author", "principal", "owner", "pi"))


def _period(record: Dataset, period: Term) -> str:
    if record.start is None and record.end is None:
        return ""
    return say(
        period,
        (
            ("rdf:type", "dct:PeriodOfTime"),
            ("dcat:startDate", moment(record.start)),
            ("dcat:endDate", moment(record.end)),
        ),
    )
