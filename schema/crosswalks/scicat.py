"""This file is SciCat's dialect (backend 4.x and 5.x, API v3): its JSON to our records.

Shapes: the backend's own OpenAPI document and recorded replies; traps: harvest-sources reference, 1.6 to 1.8.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schema.access import Access
from schema.crosswalks import scicat_parts as of
from schema.crosswalks.naming import details, fitting, identified, reject, techniques
from schema.crosswalks.place import Place
from schema.crosswalks.reading import TEXT, TITLE, count, instant, mapping, prose, said, text, texts, truth
from schema.crosswalks.scientific import scientific
from schema.pids import is_doi, pid_of
from schema.records import (
    Dataset,
    Detail,
    FileTotals,
    Instrument,
    InstrumentPart,
    Investigation,
    InvestigationPart,
    Kind,
    Reject,
    Sample,
    SamplePart,
)

DATASET_DETAILS = (
    "comment",
    "scientificMetadataValid",
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
INSTRUMENT_DETAILS = ("uniqueName", "customMetadata")
PROPOSAL_DETAILS = ("type", "parentProposalId", "metadata", "MeasurementPeriodList")
SAMPLE_DETAILS = ("owner", "parentSampleId", "proposalId")


def dataset(place: Place, raw: object) -> Dataset | Reject:
    """The dataset of a v3 reply; a reject without an object (`not-an-object`) or without pid (`no-id`)."""
    found = identified(place, Kind.DATASET, raw, "dataset", ("pid", "_id"))
    if isinstance(found, Reject):
        return found
    id, fields = found
    if isinstance(fields.get("datasetName"), Mapping | list):
        return reject(place, Kind.DATASET, id, "wrong-type", "datasetName must be a text.", fields)
    pid = pid_of(place.facility, Kind.DATASET, id, [id])
    parameters, rest = scientific(place, fields.get("scientificMetadata"))
    published = truth(fields.get("isPublished"))
    made = Dataset(
        source=place.source,
        id=id,
        pid=pid,
        facility=place.facility,
        visibility=of.visibility(place, fields, published),
        modified=instant(fields.get("updatedAt")),
        revision=text(fields.get("updatedAt"), 64),
        source_url=of.page(place, id),
        details=_circumstances(fields) + rest,
        title=said(fields.get("datasetName"), TITLE) or said(fields.get("description"), 200) or id,
        doi=pid if is_doi(pid) else None,
        type=said(fields.get("type")),
        description=prose("\n".join(texts(fields.get("description"), TEXT))),
        investigation=of.investigation_part(fields),
        instruments=of.instrument_parts(fields),
        techniques=techniques(place, of.techniques(fields)),
        samples=tuple(SamplePart(id=each) for each in of.references(fields, "sampleIds", "sampleId")),
        people=of.people(fields),
        keywords=texts(fields.get("keywords")),
        parameters=parameters,
        start=instant(fields.get("startTime")) or instant(fields.get("creationTime")),
        end=instant(fields.get("endTime")),
        access=Access.OPEN if published else Access.CLOSED,
        license=said(fields.get("license")),
        files=FileTotals(
            count=count(fields.get("numberOfFiles")),
            bytes=count(fields.get("size")),
            formats=texts(fields.get("dataFormat")),
        ),
        location=said(fields.get("sourceFolder"), TITLE),
        related=of.related(fields),
    )
    return fitting(place, made, raw)


def instrument(place: Place, raw: object) -> Instrument | Reject:
    """The instrument of a v3 reply."""
    found = identified(place, Kind.INSTRUMENT, raw, "instrument", ("pid", "_id"))
    if isinstance(found, Reject):
        return found
    id, fields = found
    made = Instrument(
        source=place.source,
        id=id,
        pid=pid_of(place.facility, Kind.INSTRUMENT, id, [id]),
        facility=place.facility,
        modified=instant(fields.get("updatedAt")),
        revision=text(fields.get("updatedAt"), 64),
        details=details(fields, INSTRUMENT_DETAILS),
        name=said(fields.get("name"), TITLE) or said(fields.get("uniqueName"), TITLE) or id,
    )
    return fitting(place, made, raw)


def proposal(place: Place, raw: object) -> Investigation | Reject:
    """The investigation that a v3 proposal is."""
    found = identified(place, Kind.INVESTIGATION, raw, "proposal", ("proposalId", "_id"))
    if isinstance(found, Reject):
        return found
    id, fields = found
    made = Investigation(
        source=place.source,
        id=id,
        pid=pid_of(place.facility, Kind.INVESTIGATION, id, []),
        facility=place.facility,
        visibility=of.visibility(place, fields, truth(fields.get("isPublished"))),
        modified=instant(fields.get("updatedAt")),
        revision=text(fields.get("updatedAt"), 64),
        details=details(fields, PROPOSAL_DETAILS),
        title=said(fields.get("title"), TITLE) or id,
        proposal=id,
        type=said(fields.get("type")),
        abstract=prose(fields.get("abstract")),
        instruments=tuple(InstrumentPart(id=each) for each in texts(fields.get("instrumentIds"))),
        people=of.proposers(fields),
        start=instant(fields.get("startTime")),
        end=instant(fields.get("endTime")),
    )
    return fitting(place, made, raw)


def sample(place: Place, raw: object) -> Sample | Reject:
    """The sample of a v3 reply (4.x has a description only, 5.x a name too)."""
    found = identified(place, Kind.SAMPLE, raw, "sample", ("sampleId", "_id"))
    if isinstance(found, Reject):
        return found
    id, fields = found
    characteristics = mapping(fields.get("sampleCharacteristics"))
    parameters, rest = scientific(place, fields.get("sampleCharacteristics"), "sampleCharacteristics")
    proposal_id, described = said(fields.get("proposalId")), prose(fields.get("description"))
    made = Sample(
        source=place.source,
        id=id,
        pid=pid_of(place.facility, Kind.SAMPLE, id, []),
        facility=place.facility,
        visibility=of.visibility(place, fields, truth(fields.get("isPublished"))),
        modified=instant(fields.get("updatedAt")),
        revision=text(fields.get("updatedAt"), 64),
        details=details(fields, SAMPLE_DETAILS) + rest,
        name=said(fields.get("sampleName"), TITLE) or said(described, TITLE) or id,
        formula=of.first(characteristics, ("chemical_formula", "chemicalFormula", "formula")),
        type=said(fields.get("type")),
        description=described,
        investigation=InvestigationPart(id=proposal_id) if proposal_id else None,
        parameters=parameters,
    )
    return fitting(place, made, raw)


def _circumstances(fields: Mapping[str, Any]) -> tuple[Detail, ...]:
    """What a dataset tells that has no field of its own, and what is of a wrong kind for its field."""
    begun = ("creationTime",) if instant(fields.get("startTime")) and instant(fields.get("creationTime")) else ()
    return (
        *details(fields, DATASET_DETAILS),
        *details(fields, begun),
        *of.lifecycle(fields),
        *of.more_proposals(fields),
        *of.unread(fields),
    )
