"""This file is the parts of SciCat's records: who sees them, people, instruments, relations, and what is of a wrong kind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from schema.access import PUBLIC, Visibility, groups_of
from schema.crosswalks.naming import details, shown
from schema.crosswalks.place import Place
from schema.crosswalks.reading import NAME, TITLE, count, instant, items, mapping, parts, said, text, texts
from schema.federation import RecordRule
from schema.pids import normal_doi, normal_orcid
from schema.records import Detail, InstrumentPart, InvestigationPart, Person, Related

LIFECYCLE_DETAILS = (
    "isOnCentralDisk",
    "archiveStatusMessage",
    "retrieveStatusMessage",
    "storageLocation",
    "exportedTo",
)


def visibility(place: Place, raw: Mapping[str, Any], published: bool) -> Visibility:
    """Design section 3: without a login everything we are shown is public; with one, `isPublished`, else the groups."""
    if not place.authenticated or published or place.rule is RecordRule.PUBLIC:
        return PUBLIC
    named = (raw.get("ownerGroup"), *items(raw.get("accessGroups")))
    clean = (text(each, NAME) for each in named if isinstance(each, str))
    return Visibility(public=False, groups=groups_of(place.facility, clean))


def page(place: Place, id: str) -> str | None:
    """The page of a dataset in the source's own front end."""
    return place.page.replace("{id}", quote(id, safe="")) if place.page else None


def references(raw: Mapping[str, Any], many: str, one: str) -> tuple[str, ...]:
    """Ids from the list of 5.x, or the single one of 4.x."""
    return texts(raw.get(many)) or texts(raw.get(one))


def investigation_part(raw: Mapping[str, Any]) -> InvestigationPart | None:
    """The first proposal."""
    ids = references(raw, "proposalIds", "proposalId")
    return InvestigationPart(id=ids[0], proposal=ids[0]) if ids else None


def more_proposals(raw: Mapping[str, Any]) -> tuple[Detail, ...]:
    """All proposals, where there are several."""
    ids = references(raw, "proposalIds", "proposalId")
    return (Detail("proposalIds", ", ".join(ids)),) if len(ids) > 1 else ()


def techniques(raw: Mapping[str, Any]) -> Iterator[tuple[object, object]]:
    """(pid, name) of each technique."""
    for each in items(raw.get("techniques")):
        yield (each.get("pid"), each.get("name")) if isinstance(each, Mapping) else (None, each)


def unread(raw: Mapping[str, Any]) -> tuple[Detail, ...]:
    """What is there but of a wrong kind for its field, kept to be read as it came."""
    times = [name for name in ("creationTime", "startTime", "endTime") if instant(raw.get(name)) is None]
    numbers = [name for name in ("size", "numberOfFiles") if count(raw.get(name)) is None]
    lists = [name for name in ("keywords", "principalInvestigators") if not texts(raw.get(name))]
    found = ((name, raw.get(name)) for name in times + numbers + lists)
    return tuple(
        Detail(name, value if isinstance(value, str) else shown(value)) for name, value in found if _tells(value)
    )


def _tells(value: object) -> bool:
    return value not in (None, "", [], {}) and (not isinstance(value, list) or any(_tells(each) for each in value))


def lifecycle(raw: Mapping[str, Any]) -> tuple[Detail, ...]:
    """Where the files lie at present. The dates of the life cycle are computed defaults and are left out on purpose."""
    return details(mapping(raw.get("datasetlifecycle")), LIFECYCLE_DETAILS)


def instrument_parts(raw: Mapping[str, Any]) -> tuple[InstrumentPart, ...]:
    """The named instruments; without any, the last step of a creationLocation in the conventional form /facility/instrument."""
    ids = references(raw, "instrumentIds", "instrumentId")
    if ids:
        return tuple(InstrumentPart(id=each) for each in ids)
    place = said(raw.get("creationLocation"), NAME) or ""
    steps = [step for step in place.strip("/").split("/") if step]
    return (InstrumentPart(name=steps[-1]),) if place.startswith("/") and len(steps) >= 2 else ()


def people(raw: Mapping[str, Any]) -> tuple[Person, ...]:
    """Owner, principal investigators and investigator. E-mail addresses are left out on purpose, also where one stands for a name."""
    owner, orcid = said(raw.get("owner")), normal_orcid(said(raw.get("orcidOfOwner")) or "")
    found = [Person(name=owner, orcid=orcid, role="Owner")] if owner else []
    names = texts(raw.get("principalInvestigators")) or texts(raw.get("principalInvestigator"))
    found += [Person(name=each, role="Principal investigator") for each in names]
    found += [Person(name=each, role="Investigator") for each in texts(raw.get("investigator")) if each not in names]
    return tuple(dict.fromkeys(each for each in found if "@" not in each.name))


def proposers(raw: Mapping[str, Any]) -> tuple[Person, ...]:
    """Principal investigator and proposer of a proposal."""
    pairs = ((("pi_firstname", "pi_lastname"), "Principal investigator"), (("firstname", "lastname"), "Proposer"))
    named = ((" ".join(each for key in keys if (each := said(raw.get(key)))), role) for keys, role in pairs)
    return tuple(Person(name=name, role=role) for name, role in named if name)


def related(raw: Mapping[str, Any]) -> tuple[Related, ...]:
    """Parents and typed relationships."""
    parents = [
        Related(identifier=normal_doi(each) or each, relation="IsDerivedFrom")
        for each in texts(raw.get("inputDatasets"))
    ]
    for each in parts(raw.get("relationships")):
        relation = said(each.get("relationship"), 64) or "References"
        kind = said(each.get("entityType"), 64) or said(each.get("identifierType"), 64)
        named = texts([each.get(key) for key in ("identifier", "pid", "externalId")], TITLE)
        parents += [Related(identifier=normal_doi(name) or name, relation=relation, type=kind) for name in named]
    return tuple(dict.fromkeys(parents))


def first(values: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    """The first of the names that says something."""
    for name in names:
        value = values.get(name)
        found = said(value.get("value", value.get("v"))) if isinstance(value, Mapping) else said(value)
        if found:
            return found
    return None
