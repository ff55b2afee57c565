"""This file is ICAT's DataPublication (5.0 and later): a published, citable collection, to our Publication."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schema.crosswalks.naming import details, reject
from schema.crosswalks.place import Place
from schema.crosswalks.reading import NAME, TEXT, TITLE, count, instant, mapping, parts, said, text
from schema.pids import is_doi, normal_doi, normal_orcid, pid_of
from schema.records import Kind, Person, Publication, Reject, Related

_DETAILS = ("subject", "internalId")


def publication(place: Place, raw: object) -> Publication | Reject:
    """The publication of an ICAT DataPublication with users, dates, relatedItems, subjects and content nested."""
    inner = mapping(raw.get("DataPublication") or raw) if isinstance(raw, Mapping) else {}
    id = text(inner.get("id"), NAME)
    if id is None:
        return reject(place, Kind.PUBLICATION, None, "no-id", "The DataPublication has no id.", raw)
    given = said(inner.get("pid")) or ""
    pid = pid_of(place.facility, Kind.PUBLICATION, id, [given])
    dates = {said(each.get("dateType")): said(each.get("date")) for each in parts(inner.get("dates"))}
    published = instant(inner.get("publicationDate")) or _date(dates.get("Issued") or dates.get("Available"))
    return Publication(
        source=place.source,
        id=id,
        pid=pid,
        facility=place.facility,
        modified=instant(inner.get("modTime")),
        revision=text(inner.get("revision"), 128) or text(inner.get("modTime"), 64),
        details=details(inner, _DETAILS)
        + details({f"date {name}": date for name, date in dates.items() if name}, _named(dates)),
        title=said(inner.get("title"), TITLE) or id,
        doi=pid if is_doi(pid) else None,
        type=said(mapping(inner.get("type")).get("name")),
        abstract=said(inner.get("description"), TEXT),
        people=_people(inner),
        year=published.year if published else None,
        published=published,
        keywords=tuple(sorted({name for each in parts(inner.get("subjects")) if (name := said(each.get("name")))})),
        datasets=_datasets(inner),
        related=_related(inner),
    )


def _named(dates: Mapping[str | None, str | None]) -> list[str]:
    return sorted(f"date {name}" for name in dates if name)


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
            person = Person(name=name, orcid=orcid, role=role, affiliation="; ".join(places) or None)
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
    return tuple(sorted(dict.fromkeys(found), key=lambda each: each.identifier))
