"""This file is SciCat's published data, v3 and v4: a citable thing with a DOI, to our Publication."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schema.access import PUBLIC, Visibility
from schema.crosswalks.naming import details, reject
from schema.crosswalks.place import Place
from schema.crosswalks.reading import NAME, TEXT, TITLE, count, instant, mapping, parts, said, text, texts
from schema.pids import is_doi, normal_doi, pid_of
from schema.records import Detail, Kind, Person, Publication, Reject, Related

PUBLISHED_DETAILS = ("dataDescription", "url", "downloadLink", "numberOfFiles", "sizeOfArchive", "status")


def published(place: Place, raw: object) -> Publication | Reject:
    """The publication of a publisheddata reply, v3 or v4. Datasets it names need not exist."""
    if not isinstance(raw, Mapping):
        return reject(place, Kind.PUBLICATION, None, "not-an-object", "A publication must be a JSON object.", raw)
    id = text(raw.get("doi"), NAME) or text(raw.get("_id"), NAME)
    if id is None:
        return reject(place, Kind.PUBLICATION, None, "no-id", "The publication has no doi.", raw)
    facts = {**mapping(raw.get("metadata")), **raw}
    year = count(facts.get("publicationYear"))
    publisher = facts.get("publisher")
    pid = pid_of(place.facility, Kind.PUBLICATION, id, [id])
    visible = said(raw.get("status")) in (None, "registered", "public", "amended")
    return Publication(
        source=place.source,
        id=id,
        pid=pid,
        facility=place.facility,
        visibility=PUBLIC if visible or not place.authenticated else Visibility(public=False),
        modified=instant(raw.get("updatedAt")),
        revision=text(raw.get("updatedAt"), 64),
        details=details(facts, PUBLISHED_DETAILS) + _unnamed(facts),
        title=said(raw.get("title"), TITLE) or id,
        doi=pid if is_doi(pid) else None,
        type=said(facts.get("resourceType")),
        abstract=said(raw.get("abstract"), TEXT),
        people=_creators(facts),
        publisher=said(publisher) or said(mapping(publisher).get("name")),
        year=year if year is not None and 0 < year < 10_000 else None,
        published=instant(raw.get("registeredTime")),
        datasets=texts(raw.get("pidArray") or raw.get("datasetPids")),
        related=_publications(facts),
    )


def _creators(facts: Mapping[str, Any]) -> tuple[Person, ...]:
    found: list[Person] = []
    for role, key in (("Creator", "creators"), ("Contributor", "contributors")):
        for each in parts(facts.get(key)):
            name = said(each.get("name"))
            places = [said(place.get("name")) or "" for place in parts(each.get("affiliation"))]
            if name and "@" not in name:
                found.append(Person(name=name, role=role, affiliation="; ".join(filter(None, places)) or None))
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
            cited.append(Related(identifier=normal_doi(identifier) or identifier, relation=relation))
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
