"""This file is SciCat's published data, v3 and v4: a citable thing with a DOI, to our Publication."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schema.access import PUBLIC, Visibility
from schema.crosswalks.naming import details, fitting, identified
from schema.crosswalks.place import Place
from schema.crosswalks.reading import TITLE, count, instant, mapping, parts, prose, said, text, texts
from schema.pids import is_doi, normal_doi, normal_orcid, pid_of
from schema.records import Detail, Kind, Person, Publication, Reject, Related

PUBLISHED_DETAILS = ("dataDescription", "url", "downloadLink", "numberOfFiles", "sizeOfArchive", "status")


def published(place: Place, raw: object) -> Publication | Reject:
    """The publication of a publisheddata reply, v3 or v4. Datasets it names need not exist."""
    found = identified(place, Kind.PUBLICATION, raw, "publication", ("doi", "_id"))
    if isinstance(found, Reject):
        return found
    id, fields = found
    facts = {**mapping(fields.get("metadata")), **fields}
    year = count(facts.get("publicationYear"))
    publisher = facts.get("publisher")
    pid = pid_of(place.facility, Kind.PUBLICATION, id, [id])
    visible = said(fields.get("status")) in (None, "registered", "public", "amended")
    made = Publication(
        source=place.source,
        id=id,
        pid=pid,
        facility=place.facility,
        visibility=PUBLIC if visible or not place.authenticated else Visibility(public=False),
        modified=instant(fields.get("updatedAt")),
        revision=text(fields.get("updatedAt"), 64),
        details=details(facts, PUBLISHED_DETAILS) + _unnamed(facts),
        title=said(fields.get("title"), TITLE) or id,
        doi=pid if is_doi(pid) else None,
        type=said(facts.get("resourceType")),
        abstract=prose(fields.get("abstract")),
        people=_creators(facts),
        publisher=said(publisher) or said(mapping(publisher).get("name")),
        year=year if year is not None and 0 < year < 10_000 else None,
        published=instant(fields.get("registeredTime")),
        datasets=texts(fields.get("pidArray") or fields.get("datasetPids")),
        related=_publications(facts),
    )
    return fitting(place, made, raw)


def _creators(facts: Mapping[str, Any]) -> tuple[Person, ...]:
    found: list[Person] = []
    for role, key in (("Creator", "creators"), ("Contributor", "contributors")):
        for each in parts(facts.get(key)):
            name = said(each.get("name"))
            places = [said(place.get("name")) or "" for place in parts(each.get("affiliation"))]
            if name and "@" not in name:
                orcids = (
                    normal_orcid(said(one.get("nameIdentifier")) or "") for one in parts(each.get("nameIdentifiers"))
                )
                orcid = next(filter(None, orcids), None)
                joined = "; ".join(filter(None, places)) or None
                found.append(Person(name=name, orcid=orcid, role=role, affiliation=joined))
    listed = texts(facts.get("creator")) + texts(facts.get("authors"))
    affiliation = said(facts.get("affiliation"))
    found += [
        Person(name=each, role="Creator", affiliation=affiliation) for each in dict.fromkeys(listed) if "@" not in each
    ]
    return tuple({each.name: each for each in reversed(found)}.values())[::-1]


def _publications(facts: Mapping[str, Any]) -> tuple[Related, ...]:
    cited = [
        Related(identifier=normal_doi(each) or each, relation="IsCitedBy")
        for each in texts(facts.get("relatedPublications"), TITLE)
    ]
    for each in parts(facts.get("relatedIdentifiers")):
        identifier = said(each.get("relatedIdentifier"))
        if identifier:
            relation = said(each.get("relationType"), 64) or "References"
            kind = said(each.get("resourceTypeGeneral"), 64)
            cited.append(Related(identifier=normal_doi(identifier) or identifier, relation=relation, type=kind))
    return tuple(dict.fromkeys(cited))


_PUBLISHED_KNOWN = frozenset(
    {
        "doi",
        "_id",
        "id",
        "__v",
        "title",
        "abstract",
        "pidArray",
        "datasetPids",
        "creators",
        "creator",
        "authors",
        "contributors",
        "affiliation",
        "publisher",
        "publicationYear",
        "resourceType",
        "registeredTime",
        "relatedPublications",
        "relatedIdentifiers",
        "metadata",
        "thumbnail",
        "scicatUser",
        "createdBy",
        "updatedBy",
        "createdAt",
        "updatedAt",
    }
) | frozenset(PUBLISHED_DETAILS)


def _unnamed(facts: Mapping[str, Any]) -> tuple[Detail, ...]:
    """What the facility added to a publication's metadata of its own."""
    return details(facts, [key for key in facts if key not in _PUBLISHED_KNOWN and isinstance(key, str)][:100])
