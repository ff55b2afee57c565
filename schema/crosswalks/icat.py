"""This file is ICAT's dialect (icat.server 4.10 to 6.2, REST): its JSON to our records.

The input is an entity as an INCLUDE query would nest it (the harvester assembles the same from plain entities and columns).
Shapes: ICAT schema 6.2 and recorded replies; traps: harvest-sources reference, section 2.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from schema.access import Access
from schema.crosswalks import icat_parts as of
from schema.crosswalks.naming import details, fitting, identified, techniques
from schema.crosswalks.place import Place
from schema.crosswalks.reading import TITLE, count, instant, mapping, parts, prose, said, text
from schema.federation import RecordRule
from schema.pids import normal_doi, pid_of
from schema.records import (
    AnyRecord,
    Dataset,
    Detail,
    FileTotals,
    Instrument,
    Investigation,
    Kind,
    Reject,
    Sample,
    Technique,
)

INSTRUMENT_DETAILS = ("startDate", "endDate")
INVESTIGATION_DETAILS = ("visitId", "fileSize", "fileCount")
SHIFT = ("startDate", "endDate", "comment")


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
    used = of.instruments(inner.get("datasetInstruments"))
    made = Dataset(
        source=place.source,
        id=id,
        pid=pid_of(place.facility, Kind.DATASET, id, [doi] if doi else []),
        facility=place.facility,
        visibility=of.visibility(place, investigation),
        modified=instant(inner.get("modTime")),
        revision=_revision(inner),
        source_url=_page(place, "Dataset", id),
        details=of.incomplete(inner)
        + details(mapping(inner.get("type")), ("description",))
        + _odd_doi(inner)
        + of.errors(inner.get("parameters")),
        title=said(inner.get("name"), TITLE) or id,
        doi=doi,
        type=said(mapping(inner.get("type")).get("name")),
        description=prose(inner.get("description")),
        investigation=of.investigation_part(investigation),
        instruments=used or of.instruments(investigation.get("investigationInstruments")),
        techniques=_techniques(place, inner),
        samples=(of.sample_part(sample),) if sample else (),
        people=of.people(investigation.get("investigationUsers")),
        keywords=of.names(investigation.get("keywords")),
        parameters=of.parameters(place, inner.get("parameters")),
        start=instant(inner.get("startDate")),
        end=instant(inner.get("endDate")),
        release=release,
        access=_access(place, release),
        files=FileTotals(count=count(inner.get("fileCount")), bytes=count(inner.get("fileSize"))),
        location=said(inner.get("location"), TITLE),
    )
    return fitting(place, made, raw)


def investigation(place: Place, raw: object) -> Investigation | Reject:
    """The investigation of an ICAT Investigation (a visit of a proposal: `name` is the proposal, `visitId` the visit)."""
    found = _entity(place, Kind.INVESTIGATION, raw, "Investigation")
    if isinstance(found, Reject):
        return found
    id, inner = found
    doi = normal_doi(said(inner.get("doi")) or "")
    kind = mapping(inner.get("type"))
    made = Investigation(
        source=place.source,
        id=id,
        pid=pid_of(place.facility, Kind.INVESTIGATION, id, [doi] if doi else []),
        facility=place.facility,
        visibility=of.visibility(place, inner),
        modified=instant(inner.get("modTime")),
        revision=_revision(inner),
        source_url=_page(place, "Investigation", id),
        details=_circumstances(inner),
        title=said(inner.get("title"), TITLE) or said(inner.get("name"), TITLE) or id,
        proposal=said(inner.get("name")),
        doi=doi,
        type=said(kind.get("name")),
        abstract=prose(inner.get("summary")),
        instruments=of.instruments(inner.get("investigationInstruments")),
        people=of.people(inner.get("investigationUsers")),
        keywords=of.names(inner.get("keywords")),
        parameters=of.parameters(place, inner.get("parameters")),
        start=instant(inner.get("startDate")),
        end=instant(inner.get("endDate")),
        release=instant(inner.get("releaseDate")),
        related=of.publications(inner),
    )
    return fitting(place, made, raw)


def instrument(place: Place, raw: object) -> Instrument | Reject:
    """The instrument of an ICAT Instrument."""
    found = _entity(place, Kind.INSTRUMENT, raw, "Instrument")
    if isinstance(found, Reject):
        return found
    id, inner = found
    pid = said(inner.get("pid"))
    made = Instrument(
        source=place.source,
        id=id,
        pid=pid_of(place.facility, Kind.INSTRUMENT, id, [pid] if pid else []),
        facility=place.facility,
        modified=instant(inner.get("modTime")),
        revision=_revision(inner),
        source_url=_page(place, "Instrument", id),
        details=details(inner, INSTRUMENT_DETAILS) + ((Detail("pid", pid),) if pid else ()),
        name=said(inner.get("name"), TITLE) or id,
        full_name=said(inner.get("fullName"), TITLE),
        description=prose(inner.get("description")),
        type=said(inner.get("type")),
        url=said(inner.get("url"), TITLE),
    )
    return fitting(place, made, raw)


def sample(place: Place, raw: object) -> Sample | Reject:
    """The sample of an ICAT Sample; it is seen by whoever sees its investigation."""
    found = _entity(place, Kind.SAMPLE, raw, "Sample")
    if isinstance(found, Reject):
        return found
    id, inner = found
    kind = mapping(inner.get("type"))
    owner = mapping(inner.get("investigation"))
    pid = said(inner.get("pid"))
    made = Sample(
        source=place.source,
        id=id,
        pid=pid_of(place.facility, Kind.SAMPLE, id, [pid] if pid else []),
        facility=place.facility,
        visibility=of.visibility(place, owner),
        modified=instant(inner.get("modTime")),
        revision=_revision(inner),
        details=details(kind, ("safetyInformation",))
        + ((Detail("pid", pid),) if pid else ())
        + of.errors(inner.get("parameters")),
        name=said(inner.get("name"), TITLE) or id,
        formula=said(kind.get("molecularFormula")),
        type=said(kind.get("name")),
        investigation=of.investigation_part(owner),
        parameters=of.parameters(place, inner.get("parameters")),
    )
    return fitting(place, made, raw)


def _techniques(place: Place, inner: Mapping[str, Any]) -> tuple[Technique, ...]:
    """By name, since included lists come in no fixed order."""
    linked = (mapping(link.get("technique")) for link in parts(inner.get("datasetTechniques")))
    named = sorted(((each.get("pid"), each.get("name")) for each in linked if each), key=repr)
    return tuple(sorted(techniques(place, named), key=lambda each: (each.name, each.pid or "")))


def _access(place: Place, release: datetime | None) -> Access:
    """EMBARGOED until `release` (the document turns OPEN when that instant has come); without a date: closed, or open where the
    facility's rule or an anonymous reading says so."""
    if release is not None:
        return Access.EMBARGOED
    return Access.OPEN if place.rule is RecordRule.PUBLIC else Access.CLOSED


def _entity(place: Place, kind: Kind, raw: object, name: str) -> tuple[str, Mapping[str, Any]] | Reject:
    """Id and attributes, with or without the class name around them."""
    inner = raw[name] if isinstance(raw, Mapping) and isinstance(raw.get(name), Mapping) else raw
    return identified(place, kind, inner, name, ("id",))


def _revision(inner: Mapping[str, Any]) -> str | None:
    return text(inner.get("revision"), 128) or text(inner.get("modTime"), 64)


def _page(place: Place, entity: str, id: str) -> str | None:
    return place.page.replace("{entity}", entity).replace("{id}", id) if place.page else None


def _odd_doi(inner: Mapping[str, Any]) -> tuple[Detail, ...]:
    """What stands for a DOI and is none, kept to be read."""
    given = said(inner.get("doi"))
    return (Detail("doi", given),) if given and normal_doi(given) is None else ()


def _circumstances(inner: Mapping[str, Any]) -> tuple[Detail, ...]:
    """What an investigation tells that has no field of its own."""
    cycles = (mapping(each.get("facilityCycle")) for each in parts(inner.get("investigationFacilityCycles")))
    studies = (mapping(each.get("study")) for each in parts(inner.get("studyInvestigations")))
    return (
        *details(inner, INVESTIGATION_DETAILS),
        *details(mapping(inner.get("type")), ("description",)),
        *_odd_doi(inner),
        *of.funding(inner),
        *of.joined("shift", parts(inner.get("shifts")), SHIFT),
        *of.joined("cycle", cycles, ("name", "description")),
        *of.joined("study", studies, ("name", "description", "pid")),
        *of.papers(inner),
        *of.errors(inner.get("parameters")),
    )


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
