"""This file is the parts of ICAT's records: people, instruments, parameters, and the small facts that become details."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from schema.access import PUBLIC, Visibility, group, user_group
from schema.crosswalks.place import Place
from schema.crosswalks.quantities import parameter
from schema.crosswalks.reading import NAME, TITLE, instant, mapping, number, parts, said, text, truth
from schema.federation import RecordRule
from schema.pids import normal_doi, normal_orcid
from schema.records import Detail, InstrumentPart, InvestigationPart, Parameter, Person, Related, SamplePart

FUNDING = ("funderName", "funderIdentifier", "awardNumber", "awardTitle", "acknowledgement")


def visibility(place: Place, investigation: Mapping[str, Any]) -> Visibility:
    """Design section 3: public when releaseDate has come, the investigation's people and groups when it is empty or ahead."""
    if not place.authenticated or place.rule is RecordRule.PUBLIC:
        return PUBLIC
    users = (said(mapping(each.get("user")).get("name")) for each in parts(investigation.get("investigationUsers")))
    named = (
        said(mapping(each.get("grouping")).get("name")) for each in parts(investigation.get("investigationGroups"))
    )
    groups = {user_group(place.facility, name) for name in users if name}
    groups |= {group(place.facility, name) for name in named if name}
    return Visibility(public=False, groups=tuple(sorted(groups)), public_from=instant(investigation.get("releaseDate")))


def investigation_part(raw: Mapping[str, Any]) -> InvestigationPart | None:
    """The reference to an investigation."""
    id = text(raw.get("id"), NAME)
    return InvestigationPart(id=id) if id else None


def sample_part(raw: Mapping[str, Any]) -> SamplePart:
    """The reference to a sample, with what it says if it is nested."""
    kind = mapping(raw.get("type"))
    return SamplePart(
        id=text(raw.get("id"), NAME),
        name=said(raw.get("name"), TITLE),
        formula=said(kind.get("molecularFormula")),
        type=said(kind.get("name")),
    )


def instruments(links: object) -> tuple[InstrumentPart, ...]:
    """The instruments behind the links, by name."""
    found = (mapping(each.get("instrument")) for each in parts(links))
    made = (InstrumentPart(id=text(each.get("id"), NAME), name=said(each.get("name"))) for each in found if each)
    return tuple(sorted(set(made), key=lambda each: (each.name or "", each.id or "")))


def people(links: object) -> tuple[Person, ...]:
    """The people of an investigation, by name. An e-mail address that stands for a name is left out."""
    found: list[Person] = []
    for each in parts(links):
        user = mapping(each.get("user"))
        both = " ".join(part for key in ("givenName", "familyName") if (part := said(user.get(key))))
        name = said(user.get("fullName")) or both
        if name and "@" not in name:
            orcid = normal_orcid(said(user.get("orcidId")) or "")
            found.append(
                Person(name=name, orcid=orcid, role=said(each.get("role")), affiliation=said(user.get("affiliation")))
            )
    return tuple(sorted(dict.fromkeys(found), key=_person_order))


def _person_order(person: Person) -> tuple[str, ...]:
    return (person.name, person.role or "", person.orcid or "", person.affiliation or "")


def names(links: object) -> tuple[str, ...]:
    """The `name` of each, sorted, once."""
    return tuple(sorted({name for each in parts(links) if (name := said(each.get("name")))}))


def parameters(place: Place, raws: object) -> tuple[Parameter, ...]:
    """The parameters, by name."""
    made = (_parameter(place, each, mapping(each.get("type"))) for each in parts(raws))
    return tuple(sorted((each for each in made if each is not None), key=_parameter_order))


def _parameter(place: Place, raw: Mapping[str, Any], kind: Mapping[str, Any]) -> Parameter | None:
    name = said(kind.get("name"))
    if name is None:
        return None
    return parameter(
        place,
        name,
        raw.get("numericValue"),
        kind.get("units"),
        low=raw.get("rangeBottom"),
        high=raw.get("rangeTop"),
        unit_name=kind.get("unitsFullName"),
        words=raw.get("stringValue") if raw.get("stringValue") is not None else raw.get("dateTimeValue"),
    )


def _parameter_order(each: Parameter) -> tuple[str, ...]:
    return (each.source_name, each.unit or "", each.text or "", repr(each.value), repr(each.min), repr(each.max))


def errors(raws: object) -> tuple[Detail, ...]:
    """The errors of parameters, for which a parameter has no place: `error of <name>`."""
    found = (
        (said(mapping(each.get("type")).get("name")), text(each.get("error")))
        for each in parts(raws)
        if number(each.get("error")) is not None
    )
    return tuple(Detail(f"error of {name}", value) for name, value in sorted(found, key=str) if name and value)


def publications(raw: Mapping[str, Any]) -> tuple[Related, ...]:
    """The papers an investigation names."""
    found: list[Related] = []
    for each in parts(raw.get("publications")):
        identifier, title = _paper(each), said(each.get("fullReference"), TITLE)
        if identifier or title:
            found.append(Related(identifier=identifier or title or "", relation="IsCitedBy", title=title))
    return tuple(sorted(dict.fromkeys(found), key=lambda each: (each.identifier, each.title or "")))


def papers(raw: Mapping[str, Any]) -> tuple[Detail, ...]:
    """Where those papers lie, as far as their identifier does not say it."""
    rows = (
        {"at": ", ".join(place for key in ("url", "repository", "repositoryId") if (place := _place(each, key)))}
        for each in parts(raw.get("publications"))
    )
    return joined("publication", rows, ("at",))


def _paper(raw: Mapping[str, Any]) -> str | None:
    doi = normal_doi(said(raw.get("doi")) or "")
    return doi or said(raw.get("url"), TITLE) or said(raw.get("repositoryId")) or said(raw.get("doi"))


def _place(raw: Mapping[str, Any], key: str) -> str | None:
    found = said(raw.get(key), TITLE)
    return None if found == _paper(raw) else found


def funding(raw: Mapping[str, Any]) -> tuple[Detail, ...]:
    """Who paid, a line each."""
    return joined("funding", (mapping(each.get("funding")) for each in parts(raw.get("fundingReferences"))), FUNDING)


def joined(name: str, rows: Iterable[Mapping[str, Any]], keys: tuple[str, ...]) -> tuple[Detail, ...]:
    """A detail a row: its values one after the other."""
    lines = (", ".join(part for key in keys if (part := said(each.get(key), TITLE))) for each in rows)
    return tuple(Detail(name, line) for line in sorted(set(filter(None, lines))))


def incomplete(raw: Mapping[str, Any]) -> tuple[Detail, ...]:
    """ICAT's `complete` says whether all files are registered; only its absence is worth reading."""
    return () if truth(raw.get("complete")) or raw.get("complete") is None else (Detail("complete", "false"),)
