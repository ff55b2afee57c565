"""This file is a dataset as DCAT-AP 3.0.1: its own statements; circumstances and parameters stand in files of their own."""

from __future__ import annotations

from collections.abc import Iterator

from pyoxigraph import Literal, NamedNode, Triple

from schema.access import Access
from schema.pids import is_doi
from schema.rdf import vocabulary
from schema.rdf.circumstances import activity, parameters
from schema.rdf.names import name
from schema.rdf.people import person
from schema.rdf.place import Place
from schema.rdf.sentence import description
from schema.rdf.terms import Term, iri, moment, own, say, whole, words
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


def dataset(document: Document, place: Place) -> Iterator[Triple]:
    """Every statement about a dataset. Raises nothing, whatever the record holds; other kinds give none."""
    record = document.record
    if not isinstance(record, Dataset):
        return
    node = NamedNode(place.page(record.pid))
    yield from say(node, _own(record, place, node))
    yield from _linked(record, place, node)
    yield from _distribution(record, place, node)
    yield from activity(record, place, node)
    yield from parameters(record, place, node)


def _own(record: Dataset, place: Place, node: NamedNode) -> list[tuple[str, Term | None]]:
    keywords = dict.fromkeys(record.keywords)
    return [
        ("rdf:type", name("dcat:Dataset")),
        ("dct:title", words(record.title) or Literal(record.pid)),
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
        ("rdf:type", name("foaf:Document")),
        *(("dcat:keyword", words(each)) for each in keywords),
    ]


def _identifier(record: Dataset) -> str:
    return f"https://doi.org/{record.pid}" if is_doi(record.pid) else record.pid


def _linked(record: Dataset, place: Place, node: NamedNode) -> Iterator[Triple]:
    """What a dataset points to: people, techniques, time, DOI, related things."""
    for each in record.people:
        who = person(each, record.facility, place)
        yield Triple(node, name("dct:creator" if _created(each.role) else "dct:contributor"), who)
        yield from say(
            who,
            (
                ("rdf:type", name("foaf:Agent")),
                ("rdf:type", name("foaf:Person")),
                ("foaf:name", words(each.name) or Literal("?")),
            ),
        )
    for technique in record.techniques:
        subject = iri(technique.pid)
        if subject is None:
            yield from say(node, [("dcat:keyword", words(technique.name))])
            continue
        yield Triple(node, name("dct:subject"), subject)
        label = words(place.label(subject.value) or technique.name) or Literal(subject.value)
        yield from say(subject, [("rdf:type", name("skos:Concept")), ("skos:prefLabel", label)])
    if record.start is not None or record.end is not None:
        period = own(place.url, "period", record.pid)
        yield Triple(node, name("dct:temporal"), period)
        yield from say(
            period,
            (
                ("rdf:type", name("dct:PeriodOfTime")),
                ("dcat:startDate", moment(record.start)),
                ("dcat:endDate", moment(record.end)),
            ),
        )
    for related in record.related:
        target = iri(f"https://doi.org/{related.identifier}" if is_doi(related.identifier) else related.identifier)
        if target is not None:
            yield Triple(node, name(_RELATIONS.get(related.relation.lower(), "dct:relation")), target)


def _created(role: str | None) -> bool:
    """Whether a role makes its bearer an author; without a role, so it is."""
    said = (role or "creator").lower()
    return any(word in said for word in ("creator", "author", "principal", "owner", "pi"))


def _distribution(record: Dataset, place: Place, node: NamedNode) -> Iterator[Triple]:
    """How the files are reached: by the page, whose links and Analyse panel lead on. None where there are no files."""
    if record.access is Access.METADATA_ONLY:
        return
    place_of_files = own(place.url, "distribution", record.pid)
    formats = record.files.formats
    file_type = vocabulary.file_type(formats)
    licence = iri(vocabulary.licence_address(record.license)) or iri(record.license)
    yield Triple(node, name("dcat:distribution"), place_of_files)
    yield from say(
        place_of_files,
        (
            ("rdf:type", name("dcat:Distribution")),
            ("dct:title", words(record.title) or Literal(record.pid)),
            ("dct:description", words(_amount(record), "en")),
            ("dcat:accessURL", node),
            ("dcat:byteSize", whole(record.files.bytes)),
            ("dct:format", file_type),
            ("dct:license", licence),
            ("dct:accessRights", vocabulary.ACCESS[record.access]),
            ("dct:conformsTo", vocabulary.NEXUS if vocabulary.is_nexus(formats) else None),
        ),
    )
    if file_type is not None:
        yield Triple(file_type, name("rdf:type"), name("dct:MediaTypeOrExtent"))
    if vocabulary.is_nexus(formats):
        yield Triple(vocabulary.NEXUS, name("rdf:type"), name("dct:Standard"))
    if licence is not None:
        yield Triple(licence, name("rdf:type"), name("dct:LicenseDocument"))
    yield from _rights(record, place, place_of_files, worded=licence is None)


def _rights(record: Dataset, place: Place, files: NamedNode, *, worded: bool) -> Iterator[Triple]:
    """The terms that no licence IRI says: an embargo, a licence in the source's own words."""
    said = []
    if record.access is Access.EMBARGOED and record.release is not None:
        said.append(f"Under embargo until {record.release:%Y-%m-%d}.")
    if worded and record.license:
        said.append(record.license)
    text = words(" ".join(said))
    if text is not None:
        rights = own(place.url, "rights", record.pid)
        yield Triple(files, name("dct:rights"), rights)
        yield from say(rights, (("rdf:type", name("dct:RightsStatement")), ("rdfs:label", text)))


def _amount(record: Dataset) -> str:
    count, formats = record.files.count, ", ".join(record.files.formats)
    files = "Files" if count is None else "1 file" if count == 1 else f"{count} files"
    return f"{files} at the home facility" + (f" ({formats})." if formats else ".")
