"""This file is ICAT's dialect (icat.server 4.10 to 6.2, REST): its JSON to our records.

The input is an entity as an INCLUDE query would nest it (the harvester assembles the same from plain entities and columns).
Shapes: ICAT schema 6.2 and recorded replies; traps: harvest-sources reference, section 2.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from schema.access import PUBLIC, Access, Visibility, group, user_group
from schema.crosswalks.naming import details, reject, techniques
from schema.crosswalks.place import Place
from schema.crosswalks.quantities import parameter
from schema.crosswalks.reading import NAME, TEXT, TITLE, count, instant, mapping, parts, said, text, truth
from schema.federation import RecordRule
from schema.pids import normal_doi, normal_orcid, pid_of
from schema.records import (
    AnyRecord,
    Dataset,
    Detail,
    FileTotals,
    Instrument,
    InstrumentPart,
    Investigation,
    InvestigationPart,
    Kind,
    Parameter,
    Person,
    Reject,
    Related,
    Sample,
    SamplePart,
)

INSTRUMENT_DETAILS = ("startDate", "endDate")
INVESTIGATION_DETAILS = ("visitId", "fileSize", "fileCount")


def dataset(place: Place, raw: object) -> Dataset | Reject:
    """The dataset of an ICAT Dataset. Its investigation decides who sees it and when its data are open."""
    found = _entity(place, Kind.DATASET, raw, "Dataset")
    if isinstance(found, Reject):
        return found
    id, inner = found
    doi = normal_doi(said(inner.get("doi")) or "")
    investigation = mapping(inner.get("investigation"))
    release = instant(investigation.get("releaseDate"))
    sample = mapping(inner.get("sample"))
    used = _instruments(inner.get("datasetInstruments")) or _instruments(investigation.get("investigationInstruments"))
    return Dataset(
        source=place.source,
        id=id,
        pid=pid_of(place.facility, Kind.DATASET, id, [doi] if doi else []),
        facility=place.facility,
        visibility=visibility(place, investigation),
        modified=instant(inner.get("modTime")),
        revision=text(inner.get("revision"), 128) or text(inner.get("modTime"), 64),
        source_url=_page(place, "Dataset", id),
        details=_incomplete(inner) + details(mapping(inner.get("type")), ("description",)),
        title=said(inner.get("name"), TITLE) or id,
        doi=doi,
        type=said(mapping(inner.get("type")).get("name")),
        description=said(inner.get("description"), TEXT),
        investigation=_investigation_part(investigation),
        instruments=used,
        techniques=techniques(
            place,
            (
                (each.get("pid"), each.get("name"))
                for link in parts(inner.get("datasetTechniques"))
                if (each := mapping(link.get("technique")))
            ),
        ),
        samples=(_sample_part(sample),) if sample else (),
        people=_people(investigation.get("investigationUsers")),
        keywords=_names(investigation.get("keywords")),
        parameters=_parameters(place, inner.get("parameters")),
        start=instant(inner.get("startDate")),
        end=instant(inner.get("endDate")),
        release=release,
        access=_access(place, release),
        files=FileTotals(count=count(inner.get("fileCount")), bytes=count(inner.get("fileSize"))),
        location=said(inner.get("location"), TITLE),
    )


def investigation(place: Place, raw: object) -> Investigation | Reject:
    """The investigation of an ICAT Investigation (a visit of a proposal: `name` is the proposal, `visitId` the visit)."""
    found = _entity(place, Kind.INVESTIGATION, raw, "Investigation")
    if isinstance(found, Reject):
        return found
    id, inner = found
    doi = normal_doi(said(inner.get("doi")) or "")
    kind = mapping(inner.get("type"))
    return Investigation(
        source=place.source,
        id=id,
        pid=pid_of(place.facility, Kind.INVESTIGATION, id, [doi] if doi else []),
        facility=place.facility,
        visibility=visibility(place, inner),
        modified=instant(inner.get("modTime")),
        revision=text(inner.get("revision"), 128) or text(inner.get("modTime"), 64),
        source_url=_page(place, "Investigation", id),
        details=details(inner, INVESTIGATION_DETAILS) + _funding(inner) + _shifts(inner),
        title=said(inner.get("title"), TITLE) or said(inner.get("name"), TITLE) or id,
        proposal=said(inner.get("name")),
        doi=doi,
        type=said(kind.get("name")),
        abstract=said(inner.get("summary"), TEXT),
        instruments=_instruments(inner.get("investigationInstruments")),
        people=_people(inner.get("investigationUsers")),
        keywords=_names(inner.get("keywords")),
        parameters=_parameters(place, inner.get("parameters")),
        start=instant(inner.get("startDate")),
        end=instant(inner.get("endDate")),
        release=instant(inner.get("releaseDate")),
        related=_publications(inner),
    )


def instrument(place: Place, raw: object) -> Instrument | Reject:
    """The instrument of an ICAT Instrument."""
    found = _entity(place, Kind.INSTRUMENT, raw, "Instrument")
    if isinstance(found, Reject):
        return found
    id, inner = found
    pid = said(inner.get("pid"))
    return Instrument(
        source=place.source,
        id=id,
        pid=pid_of(place.facility, Kind.INSTRUMENT, id, [pid] if pid else []),
        facility=place.facility,
        modified=instant(inner.get("modTime")),
        revision=text(inner.get("revision"), 128) or text(inner.get("modTime"), 64),
        source_url=_page(place, "Instrument", id),
        details=details(inner, INSTRUMENT_DETAILS) + ((Detail("pid", pid),) if pid else ()),
        name=said(inner.get("name"), TITLE) or id,
        full_name=said(inner.get("fullName"), TITLE),
        description=said(inner.get("description"), TEXT),
        type=said(inner.get("type")),
        url=said(inner.get("url"), TITLE),
    )


def sample(place: Place, raw: object) -> Sample | Reject:
    """The sample of an ICAT Sample; it is seen by whoever sees its investigation."""
    found = _entity(place, Kind.SAMPLE, raw, "Sample")
    if isinstance(found, Reject):
        return found
    id, inner = found
    kind = mapping(inner.get("type"))
    owner = mapping(inner.get("investigation"))
    pid = said(inner.get("pid"))
    return Sample(
        source=place.source,
        id=id,
        pid=pid_of(place.facility, Kind.SAMPLE, id, [pid] if pid else []),
        facility=place.facility,
        visibility=visibility(place, owner),
        modified=instant(inner.get("modTime")),
        revision=text(inner.get("revision"), 128) or text(inner.get("modTime"), 64),
        details=details(kind, ("safetyInformation",)) + ((Detail("pid", pid),) if pid else ()),
        name=said(inner.get("name"), TITLE) or id,
        formula=said(kind.get("molecularFormula")),
        type=said(kind.get("name")),
        investigation=_investigation_part(owner),
        parameters=_parameters(place, inner.get("parameters")),
    )


def visibility(place: Place, investigation: Mapping[str, Any]) -> Visibility:
    """Design section 3: public when releaseDate has come, the investigation's people and groups when it is empty or ahead."""
    if not place.authenticated or place.rule is RecordRule.PUBLIC:
        return PUBLIC
    users = (said(mapping(each.get("user")).get("name")) for each in parts(investigation.get("investigationUsers")))
    named = (
        said(mapping(each.get("grouping")).get("name")) for each in parts(investigation.get("investigationGroups"))
    )
    groups = {user_group(place.facility, name.rpartition("/")[2]) for name in users if name}
    groups |= {group(place.facility, name) for name in named if name}
    return Visibility(public=False, groups=tuple(sorted(groups)), public_from=instant(investigation.get("releaseDate")))


def _access(place: Place, release: Any) -> Access:
    """EMBARGOED until `release` (the document turns OPEN when that instant has come); without a date: closed, or open where the
    facility's rule or an anonymous reading says so."""
    if release is not None:
        return Access.EMBARGOED
    return Access.OPEN if place.rule is RecordRule.PUBLIC else Access.CLOSED


def _entity(place: Place, kind: Kind, raw: object, name: str) -> tuple[str, Mapping[str, Any]] | Reject:
    """Id and attributes, with or without the class name around them."""
    if isinstance(raw, Mapping) and isinstance(raw.get(name), Mapping):
        raw = raw[name]
    if not isinstance(raw, Mapping):
        return reject(place, kind, None, "not-an-object", f"A {name} must be a JSON object.", raw)
    id = text(raw.get("id"), NAME)
    if id is None:
        return reject(place, kind, None, "no-id", f"The {name} has no id.", raw)
    return id, raw


def _page(place: Place, entity: str, id: str) -> str | None:
    return place.page.replace("{entity}", entity).replace("{id}", id) if place.page else None


def _investigation_part(raw: Mapping[str, Any]) -> InvestigationPart | None:
    id = text(raw.get("id"), NAME)
    return InvestigationPart(id=id) if id else None


def _sample_part(raw: Mapping[str, Any]) -> SamplePart:
    kind = mapping(raw.get("type"))
    return SamplePart(
        id=text(raw.get("id"), NAME),
        name=said(raw.get("name"), TITLE),
        formula=said(kind.get("molecularFormula")),
        type=said(kind.get("name")),
    )


def _instruments(links: object) -> tuple[InstrumentPart, ...]:
    found = (mapping(each.get("instrument")) for each in parts(links))
    made = (InstrumentPart(id=text(each.get("id"), NAME), name=said(each.get("name"))) for each in found if each)
    return tuple(sorted(set(made), key=lambda each: (each.name or "", each.id or "")))


def _people(links: object) -> tuple[Person, ...]:
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
    return tuple(sorted(dict.fromkeys(found), key=lambda person: (person.name, person.role or "")))


def _names(links: object) -> tuple[str, ...]:
    return tuple(sorted({name for each in parts(links) if (name := said(each.get("name")))}))


def _parameters(place: Place, raws: object) -> tuple[Parameter, ...]:
    found: list[Parameter] = []
    for each in parts(raws):
        kind = mapping(each.get("type"))
        name = said(kind.get("name"))
        if name is None:
            continue
        value = next(
            (each[key] for key in ("numericValue", "stringValue", "dateTimeValue") if each.get(key) is not None), None
        )
        made = parameter(
            place,
            name,
            value,
            kind.get("units"),
            low=each.get("rangeBottom"),
            high=each.get("rangeTop"),
            unit_name=kind.get("unitsFullName"),
        )
        if made is not None:
            found.append(made)
    return tuple(sorted(found, key=lambda each: (each.source_name, each.unit or "", each.text or "")))


def _publications(raw: Mapping[str, Any]) -> tuple[Related, ...]:
    found: list[Related] = []
    for each in parts(raw.get("publications")):
        identifier = (
            normal_doi(said(each.get("doi")) or "") or said(each.get("url"), TITLE) or said(each.get("repositoryId"))
        )
        title = said(each.get("fullReference"), TITLE)
        if identifier or title:
            found.append(Related(identifier=identifier or title or "", relation="IsCitedBy", title=title))
    return tuple(sorted(dict.fromkeys(found), key=lambda each: each.identifier))


def _funding(raw: Mapping[str, Any]) -> tuple[Detail, ...]:
    found = (mapping(each.get("funding")) for each in parts(raw.get("fundingReferences")))
    return _joined("funding", found, ("funderName", "awardNumber", "awardTitle", "acknowledgement"))


def _shifts(raw: Mapping[str, Any]) -> tuple[Detail, ...]:
    return _joined("shift", parts(raw.get("shifts")), ("startDate", "endDate", "comment"))


def _joined(name: str, rows: Iterable[Mapping[str, Any]], keys: tuple[str, ...]) -> tuple[Detail, ...]:
    lines = (", ".join(part for key in keys if (part := said(each.get(key), TITLE))) for each in rows)
    return tuple(Detail(name, line) for line in sorted(set(filter(None, lines))))


def _incomplete(raw: Mapping[str, Any]) -> tuple[Detail, ...]:
    """ICAT's `complete` says whether all files are registered; only its absence is worth reading."""
    return () if truth(raw.get("complete")) or raw.get("complete") is None else (Detail("complete", "false"),)


CROSSWALKS: dict[Kind, Any] = {
    Kind.INSTRUMENT: instrument,
    Kind.INVESTIGATION: investigation,
    Kind.SAMPLE: sample,
    Kind.DATASET: dataset,
}


def record(place: Place, kind: Kind, raw: object) -> AnyRecord | Reject:
    """The record of an assembled entity of that kind."""
    made: AnyRecord | Reject = CROSSWALKS[kind](place, raw)
    return made
