"""This file is SciCat's dialect (backend 4.x and 5.x, API v3): its JSON to our records.

Shapes: the backend's own OpenAPI document and recorded replies; traps: harvest-sources reference, 1.6 to 1.8.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from schema.access import PUBLIC, Access, Visibility, groups_of
from schema.crosswalks.naming import details, reject, shown, techniques
from schema.crosswalks.place import Place
from schema.crosswalks.reading import NAME, TEXT, TITLE, count, instant, items, mapping, parts, said, text, texts, truth
from schema.crosswalks.scientific import scientific
from schema.federation import RecordRule
from schema.pids import is_doi, normal_doi, normal_orcid, pid_of
from schema.records import (
    Dataset,
    Detail,
    FileTotals,
    Instrument,
    InstrumentPart,
    Investigation,
    InvestigationPart,
    Kind,
    Person,
    Reject,
    Related,
    Sample,
    SamplePart,
)

DATASET_DETAILS = (
    "comment",
    "classification",
    "version",
    "validationStatus",
    "dataFormat",
    "runNumber",
    "creationLocation",
    "sourceFolderHost",
    "usedSoftware",
    "scientificMetadataSchema",
    "dataQualityMetrics",
    "jobParameters",
    "jobLogData",
    "packedSize",
    "numberOfFilesArchived",
)
LIFECYCLE_DETAILS = (
    "isOnCentralDisk",
    "archiveStatusMessage",
    "retrieveStatusMessage",
    "storageLocation",
    "exportedTo",
)
INSTRUMENT_DETAILS = ("uniqueName", "customMetadata")
PROPOSAL_DETAILS = ("type", "parentProposalId", "metadata", "MeasurementPeriodList")
SAMPLE_DETAILS = ("owner", "parentSampleId", "proposalId")


def dataset(place: Place, raw: object) -> Dataset | Reject:
    """The dataset of a v3 reply; a reject without an object (`not-an-object`) or without pid (`no-id`)."""
    if not isinstance(raw, Mapping):
        return reject(place, Kind.DATASET, None, "not-an-object", "A dataset must be a JSON object.", raw)
    id = text(raw.get("pid"), NAME) or text(raw.get("_id"), NAME)
    if id is None:
        return reject(place, Kind.DATASET, None, "no-id", "The dataset has no pid.", raw)
    if isinstance(raw.get("datasetName"), Mapping | list):
        return reject(place, Kind.DATASET, id, "wrong-type", "datasetName must be a text.", raw)
    pid = pid_of(place.facility, Kind.DATASET, id, [id])
    parameters, rest = scientific(place, raw.get("scientificMetadata"))
    published = truth(raw.get("isPublished"))
    return Dataset(
        source=place.source,
        id=id,
        pid=pid,
        facility=place.facility,
        visibility=_visibility(place, raw, published),
        modified=instant(raw.get("updatedAt")),
        revision=text(raw.get("updatedAt"), 64),
        source_url=_page(place, id),
        details=details(raw, DATASET_DETAILS) + _lifecycle(raw) + _more_proposals(raw) + _unread(raw) + rest,
        title=said(raw.get("datasetName"), TITLE) or said(raw.get("description"), 200) or id,
        doi=pid if is_doi(pid) else None,
        type=said(raw.get("type")),
        description="\n".join(texts(raw.get("description"), TEXT)) or None,
        investigation=_investigation_part(raw),
        instruments=_instrument_parts(raw),
        techniques=techniques(place, _techniques(raw)),
        samples=tuple(SamplePart(id=each) for each in _references(raw, "sampleIds", "sampleId")),
        people=_people(raw),
        keywords=texts(raw.get("keywords")),
        parameters=parameters,
        start=instant(raw.get("startTime")) or instant(raw.get("creationTime")),
        end=instant(raw.get("endTime")),
        access=Access.OPEN if published else Access.CLOSED,
        license=said(raw.get("license")),
        files=FileTotals(
            count=count(raw.get("numberOfFiles")), bytes=count(raw.get("size")), formats=texts(raw.get("dataFormat"))
        ),
        location=said(raw.get("sourceFolder"), TITLE),
        related=_related(raw),
    )


def instrument(place: Place, raw: object) -> Instrument | Reject:
    """The instrument of a v3 reply."""
    if not isinstance(raw, Mapping):
        return reject(place, Kind.INSTRUMENT, None, "not-an-object", "An instrument must be a JSON object.", raw)
    id = text(raw.get("pid"), NAME) or text(raw.get("_id"), NAME)
    if id is None:
        return reject(place, Kind.INSTRUMENT, None, "no-id", "The instrument has no pid.", raw)
    return Instrument(
        source=place.source,
        id=id,
        pid=pid_of(place.facility, Kind.INSTRUMENT, id, [id]),
        facility=place.facility,
        modified=instant(raw.get("updatedAt")),
        revision=text(raw.get("updatedAt"), 64),
        details=details(raw, INSTRUMENT_DETAILS),
        name=said(raw.get("name"), TITLE) or said(raw.get("uniqueName"), TITLE) or id,
    )


def proposal(place: Place, raw: object) -> Investigation | Reject:
    """The investigation that a v3 proposal is."""
    if not isinstance(raw, Mapping):
        return reject(place, Kind.INVESTIGATION, None, "not-an-object", "A proposal must be a JSON object.", raw)
    id = text(raw.get("proposalId"), NAME) or text(raw.get("_id"), NAME)
    if id is None:
        return reject(place, Kind.INVESTIGATION, None, "no-id", "The proposal has no proposalId.", raw)
    return Investigation(
        source=place.source,
        id=id,
        pid=pid_of(place.facility, Kind.INVESTIGATION, id, []),
        facility=place.facility,
        visibility=_visibility(place, raw, truth(raw.get("isPublished"))),
        modified=instant(raw.get("updatedAt")),
        revision=text(raw.get("updatedAt"), 64),
        details=details(raw, PROPOSAL_DETAILS),
        title=said(raw.get("title"), TITLE) or id,
        proposal=id,
        type=said(raw.get("type")),
        abstract=said(raw.get("abstract"), TEXT),
        instruments=tuple(InstrumentPart(id=each) for each in texts(raw.get("instrumentIds"))),
        people=_proposers(raw),
        start=instant(raw.get("startTime")),
        end=instant(raw.get("endTime")),
    )


def sample(place: Place, raw: object) -> Sample | Reject:
    """The sample of a v3 reply (4.x has a description only, 5.x a name too)."""
    if not isinstance(raw, Mapping):
        return reject(place, Kind.SAMPLE, None, "not-an-object", "A sample must be a JSON object.", raw)
    id = text(raw.get("sampleId"), NAME) or text(raw.get("_id"), NAME)
    if id is None:
        return reject(place, Kind.SAMPLE, None, "no-id", "The sample has no sampleId.", raw)
    characteristics = mapping(raw.get("sampleCharacteristics"))
    parameters, rest = scientific(place, raw.get("sampleCharacteristics"))
    proposal_id = said(raw.get("proposalId"))
    return Sample(
        source=place.source,
        id=id,
        pid=pid_of(place.facility, Kind.SAMPLE, id, []),
        facility=place.facility,
        visibility=_visibility(place, raw, truth(raw.get("isPublished"))),
        modified=instant(raw.get("updatedAt")),
        revision=text(raw.get("updatedAt"), 64),
        details=details(raw, SAMPLE_DETAILS) + rest,
        name=said(raw.get("sampleName"), TITLE) or said(raw.get("description"), TITLE) or id,
        formula=_first(characteristics, ("chemical_formula", "chemicalFormula", "formula")),
        type=said(raw.get("type")),
        description=said(raw.get("description"), TEXT),
        investigation=InvestigationPart(id=proposal_id) if proposal_id else None,
        parameters=parameters,
    )


def _visibility(place: Place, raw: Mapping[str, Any], published: bool) -> Visibility:
    """Design section 3: without a login everything we are shown is public; with one, `isPublished`, else the groups."""
    if not place.authenticated or published or place.rule is RecordRule.PUBLIC:
        return PUBLIC
    return Visibility(
        public=False, groups=groups_of(place.facility, [raw.get("ownerGroup"), *items(raw.get("accessGroups"))])
    )


def _page(place: Place, id: str) -> str | None:
    return place.page.replace("{id}", quote(id, safe="")) if place.page else None


def _references(raw: Mapping[str, Any], many: str, one: str) -> tuple[str, ...]:
    return texts(raw.get(many)) or texts(raw.get(one))


def _investigation_part(raw: Mapping[str, Any]) -> InvestigationPart | None:
    ids = _references(raw, "proposalIds", "proposalId")
    return InvestigationPart(id=ids[0], proposal=ids[0]) if ids else None


def _more_proposals(raw: Mapping[str, Any]) -> tuple[Detail, ...]:
    ids = _references(raw, "proposalIds", "proposalId")
    return (Detail("proposalIds", ", ".join(ids)),) if len(ids) > 1 else ()


def _techniques(raw: Mapping[str, Any]) -> Iterator[tuple[object, object]]:
    for each in items(raw.get("techniques")):
        yield (each.get("pid"), each.get("name")) if isinstance(each, Mapping) else (None, each)


def _unread(raw: Mapping[str, Any]) -> tuple[Detail, ...]:
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


def _lifecycle(raw: Mapping[str, Any]) -> tuple[Detail, ...]:
    """Where the files lie at present. The dates of the life cycle are computed defaults and are left out on purpose."""
    return details(mapping(raw.get("datasetlifecycle")), LIFECYCLE_DETAILS)


def _instrument_parts(raw: Mapping[str, Any]) -> tuple[InstrumentPart, ...]:
    """The named instruments; without any, the last step of a creationLocation in the conventional form /facility/instrument."""
    ids = _references(raw, "instrumentIds", "instrumentId")
    if ids:
        return tuple(InstrumentPart(id=each) for each in ids)
    place = said(raw.get("creationLocation"), NAME) or ""
    steps = [step for step in place.strip("/").split("/") if step]
    return (InstrumentPart(name=steps[-1]),) if place.startswith("/") and len(steps) >= 2 else ()


def _people(raw: Mapping[str, Any]) -> tuple[Person, ...]:
    """Owner, principal investigators and investigator. E-mail addresses are left out on purpose, also where one stands for a name."""
    owner, orcid = said(raw.get("owner")), normal_orcid(said(raw.get("orcidOfOwner")) or "")
    found = [Person(name=owner, orcid=orcid, role="Owner")] if owner else []
    names = texts(raw.get("principalInvestigators")) or texts(raw.get("principalInvestigator"))
    found += [Person(name=each, role="Principal investigator") for each in names]
    found += [Person(name=each, role="Investigator") for each in texts(raw.get("investigator")) if each not in names]
    return tuple(dict.fromkeys(each for each in found if "@" not in each.name))


def _proposers(raw: Mapping[str, Any]) -> tuple[Person, ...]:
    pairs = ((("pi_firstname", "pi_lastname"), "Principal investigator"), (("firstname", "lastname"), "Proposer"))
    named = ((" ".join(each for key in keys if (each := said(raw.get(key)))), role) for keys, role in pairs)
    return tuple(Person(name=name, role=role) for name, role in named if name)


def _related(raw: Mapping[str, Any]) -> tuple[Related, ...]:
    parents = [
        Related(identifier=normal_doi(each) or each, relation="IsDerivedFrom")
        for each in texts(raw.get("inputDatasets"))
    ]
    for each in parts(raw.get("relationships")):
        identifier = said(each.get("identifier")) or said(each.get("pid")) or said(each.get("externalId"))
        relation = said(each.get("relationship"), 64)
        if identifier and relation:
            kind = said(each.get("entityType"), 64)
            parents.append(Related(identifier=normal_doi(identifier) or identifier, relation=relation, type=kind))
    return tuple(dict.fromkeys(parents))


def _first(values: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    for name in names:
        value = values.get(name)
        found = said(value.get("value", value.get("v"))) if isinstance(value, Mapping) else said(value)
        if found:
            return found
    return None
