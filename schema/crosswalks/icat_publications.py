"""This file is ICAT's DataPublication (5.0 and later): a published, citable collection, to our Publication."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schema.crosswalks.icat_parts import funding, joined
from schema.crosswalks.naming import details, fitting, identified
from schema.crosswalks.place import Place
from schema.crosswalks.reading import NAME, TITLE, count, instant, mapping, parts, prose, said, text
from schema.pids import is_doi, normal_doi, normal_orcid, pid_of
from schema.records import Detail, Kind, Person, Publication, Reject, Related

_DETAILS = ("subject", "internalId")
_SUBJECT = ("name", "pid", "valueURI", "classificationCode", "subjectScheme")
_ITEM = ("identifier", "fullReference")


def publication(place: Place, raw: object) -> Publication | Reject:
    """The publication of an ICAT DataPublication with users, dates, relatedItems, subjects and content nested."""
    wrapped = raw.get("DataPublication") if isinstance(raw, Mapping) else None
    found = identified(place, Kind.PUBLICATION, wrapped or raw, "DataPublication", ("id",))
    if isinstance(found, Reject):
        return found
    id, inner = found
    given = said(inner.get("pid")) or ""
    pid = pid_of(place.facility, Kind.PUBLICATION, id, [given])
    dates = {said(each.get("dateType")): said(each.get("date")) for each in parts(inner.get("dates"))}
    published = instant(inner.get("publicationDate")) or _date(dates.get("Issued") or dates.get("Available"))
    made = Publication(
        source=place.source,
        id=id,
        pid=pid,
        facility=place.facility,
        modified=instant(inner.get("modTime")),
        revision=text(inner.get("revision"), 128) or text(inner.get("modTime"), 64),
        details=_circumstances(inner, dates),
        title=said(inner.get("title"), TITLE) or id,
        doi=pid if is_doi(pid) else None,
        type=said(mapping(inner.get("type")).get("name")),
        abstract=prose(inner.get("description")),
        people=_people(inner),
        year=published.year if published else None,
        published=published,
        keywords=tuple(sorted({name for each in parts(inner.get("subjects")) if (name := said(each.get("name")))})),
        datasets=_datasets(inner),
        related=_related(inner),
    )
    return fitting(place, made, raw)


def _circumstances(inner: Mapping[str, Any], dates: Mapping[str | None, str | None]) -> tuple[Detail, ...]:
    """What a publication tells that has no field of its own."""
    dated = {f"date {name}": date for name, date in dates.items() if name}
    places = [place for user in parts(inner.get("users")) for place in parts(user.get("affiliations"))]
    within = parts(mapping(inner.get("content")).get("dataCollectionInvestigations"))
    ids = sorted({id for each in within if (id := text(mapping(each.get("investigation")).get("id"), NAME))})
    return (
        *details(inner, _DETAILS),
        *details(mapping(inner.get("type")), ("description",)),
        *details(dated, sorted(dated)),
        *joined("subject", (each for each in parts(inner.get("subjects")) if _coded(each)), _SUBJECT),
        *joined("affiliation", (place for place in places if said(place.get("pid"))), ("name", "pid")),
        *joined("related item", (each for each in parts(inner.get("relatedItems")) if _more(each)), _ITEM),
        *funding(inner),
        *details({"investigations": ids}, ("investigations",)),
    )


def _coded(subject: Mapping[str, Any]) -> bool:
    return any(said(subject.get(key)) for key in _SUBJECT[1:])


def _more(item: Mapping[str, Any]) -> bool:
    return bool(said(item.get("title")) and said(item.get("fullReference")))


def _date(value: str | None) -> Any:
    return instant((value or "").partition("/")[0])


def _people(inner: Mapping[str, Any]) -> tuple[Person, ...]:
    found: list[tuple[str, Person]] = []
    for each in parts(inner.get("users")):
        user = mapping(each.get("user"))
        both = " ".join(part for key in ("givenName", "familyName") if (part := said(each.get(key))))
        name = said(each.get("fullName")) or both or said(user.get("fullName"))
        places = sorted({place for part in parts(each.get("affiliations")) if (place := said(part.get("name")))})
        if name and "@" not in name:
            orcid = normal_orcid(said(user.get("orcidId")) or "")
            role = said(each.get("contributorType"))
            person = Person(
                name=name, orcid=orcid, role=role, affiliation="; ".join(places) or said(user.get("affiliation"))
            )
            position = count(each.get("orderKey"))
            found.append((f"{position:09d}" if position is not None else said(each.get("orderKey")) or "~", person))
    return tuple(dict.fromkeys(person for _, person in sorted(found, key=lambda pair: (pair[0], pair[1].name))))


def _datasets(inner: Mapping[str, Any]) -> tuple[str, ...]:
    content = mapping(inner.get("content"))
    ids = (text(mapping(each.get("dataset")).get("id"), NAME) for each in parts(content.get("dataCollectionDatasets")))
    return tuple(sorted({id for id in ids if id}, key=lambda each: (len(each), each)))


def _related(inner: Mapping[str, Any]) -> tuple[Related, ...]:
    found = [
        Related(
            identifier=normal_doi(identifier) or identifier,
            relation=said(each.get("relationType"), 64) or "References",
            type=said(each.get("relatedItemType"), 64),
            title=said(each.get("title"), TITLE) or said(each.get("fullReference"), TITLE),
        )
        for each in parts(inner.get("relatedItems"))
        if (identifier := said(each.get("identifier"), TITLE))
    ]
    return tuple(sorted(dict.fromkeys(found), key=lambda each: (each.identifier, each.relation, each.title or "")))
