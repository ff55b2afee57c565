"""How a stored document looks when it is sent: what each release and API version adds, fills in and leaves out."""

import re
from collections.abc import Callable
from datetime import datetime
from math import isnan
from typing import Any

from demo.scicat.releases import Release
from demo.scicat.values import Doc, decoded, iso, plain

FRESH = "@a-new-id-at-every-read@"
"""Stands in a rendered document where an id is made up at each read."""

_OBJECT_ID = re.compile("[0-9a-f]{24}")
_SINGLES = (
    ("proposalIds", "proposalId"),
    ("sampleIds", "sampleId"),
    ("instrumentIds", "instrumentId"),
    ("principalInvestigators", "principalInvestigator"),
)
_FILLED: dict[str, Callable[[], Any]] = {
    "keywords": list,
    "sharedWith": list,
    "inputDatasets": list,
    "relationships": list,
    "techniques": list,
    "scientificMetadata": dict,
}


def raw(doc: Doc) -> Doc:
    """A v4 dataset: what lies in the database, with the ObjectIds of its parts as their bytes, as v4 sends them."""
    sent = _stored(doc)
    return {name: _bytes_for_ids(value) if name != "scientificMetadata" else value for name, value in sent.items()}


def _bytes_for_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [_bytes_for_ids(inner) for inner in value]
    if not isinstance(value, dict) or not isinstance(value.get("_id"), str) or not _OBJECT_ID.fullmatch(value["_id"]):
        return value
    return {**value, "_id": {"buffer": {"type": "Buffer", "data": list(bytes.fromhex(value["_id"]))}}}


def _stored(doc: Doc) -> Doc:
    sent: Doc = plain(decoded(doc))
    sent.pop("history", None)
    return sent


def dataset(doc: Doc, release: Release, started: datetime) -> Doc:
    """As v3 lists and single reads send it (a single read on 5.x adds history: see `single`)."""
    sent = _stored(doc) if release.modern else filled(doc, started)
    if not release.modern:
        sent["history"] = []
    return _with_singles(sent)


def filled(doc: Doc, started: datetime) -> Doc:
    """Through the object mapper: missing arrays, computed dates, ids that are new at every read; NaN is left out."""
    sent = {name: value for name, value in _stored(doc).items() if not (isinstance(value, float) and isnan(value))}
    for name, empty in _FILLED.items():
        if sent.get(name) is None:
            sent[name] = empty()
    lifecycle = sent.get("datasetlifecycle")
    if isinstance(lifecycle, dict) or lifecycle is None:
        computed = {"dateOfDiskPurging": iso(started), "publishedOn": iso(started), "_id": FRESH}
        sent["datasetlifecycle"] = {**computed, **(lifecycle or {})}
    if isinstance(sent["techniques"], list):
        sent["techniques"] = [{"_id": FRESH, **part} if isinstance(part, dict) else part for part in sent["techniques"]]
    return sent


def fullquery(doc: Doc, started: datetime) -> Doc:
    """As fullquery sends it on both releases: filled in, with the singular names."""
    return _with_singles(filled(doc, started))


def single(sent: Doc) -> Doc:
    """A single read carries the history, which is empty here."""
    return {**sent, "history": sent.get("history", [])}


def _with_singles(sent: Doc) -> Doc:
    for many, one in _SINGLES:
        values = sent.get(many)
        if isinstance(values, list) and values:
            sent[one] = values[0]
    investigators = sent.get("principalInvestigators")
    if sent.get("type") == "derived" and isinstance(investigators, list) and investigators:
        sent["investigator"] = investigators[0]
    return sent


def projected(sent: Doc, fields: tuple[str, ...], release: Release) -> Doc:
    """Only the fields asked for (a dotted name keeps its top), and `_id`; 4.x adds history."""
    tops = {name.partition(".")[0] for name in fields}
    chosen = {name: value for name, value in sent.items() if name in tops}
    chosen["_id"] = sent["_id"]
    if not release.modern:
        chosen["history"] = []
    return chosen


def block(doc: Doc, new_id: Callable[[], str]) -> Doc:
    """An origdatablock or datablock through the object mapper: every file gets an id at every read."""
    sent: Doc = plain(doc)
    files = []
    for file in sent.get("dataFileList", []):
        fresh = new_id()
        files.append({"_id": fresh, **file, "id": fresh})
    return {**sent, "dataFileList": files, "id": sent["_id"]}


def with_id(doc: Doc) -> Doc:
    """Instruments, proposals and attachments: `id` beside `_id`."""
    sent: Doc = plain(decoded(doc))
    return {**sent, "id": sent["_id"]}


def sample(doc: Doc) -> Doc:
    """A sample, as it lies there."""
    sent: Doc = plain(decoded(doc))
    return sent


def published_v3(doc: Doc) -> Doc:
    """Published data in the flat shape; nobody's createdBy, no counts that are missing."""
    sent: Doc = plain(doc)
    for name in ("createdBy", "updatedBy", "accessGroups", "ownerGroup"):
        sent.pop(name, None)
    for name in ("numberOfFiles", "sizeOfArchive"):
        if sent.get(name) is None:
            sent.pop(name, None)
    return {"affiliation": None, "authors": [], **sent, "doi": sent["_id"]}


def published_v4(doc: Doc) -> Doc:
    """Published data in the nested shape of v4."""
    flat: Doc = plain(doc)
    affiliation = flat.get("affiliation")
    metadata = {
        **{name: flat.get(name) for name in ("affiliation", "downloadLink", "scicatUser", "thumbnail", "url")},
        "creators": [{"name": name, "affiliation": [{"name": affiliation or ""}]} for name in flat.get("creator", [])],
        "publisher": {"name": flat.get("publisher")},
        "publicationYear": flat.get("publicationYear"),
        "dataDescription": flat.get("dataDescription"),
        "resourceType": flat.get("resourceType"),
        "contributors": [],
        "relatedIdentifiers": [{"relatedIdentifier": text} for text in flat.get("relatedPublications", [])],
    }
    top = ("title", "abstract", "numberOfFiles", "sizeOfArchive", "registeredTime", "status")
    times = ("createdBy", "updatedBy", "createdAt", "updatedAt")
    sent = {"_id": flat["_id"], **{name: flat.get(name) for name in (*top, *times)}, "metadata": metadata}
    if sent["status"] == "pending_registration":
        sent["status"] = "public"
    return {**sent, "doi": flat["_id"], "datasetPids": flat.get("pidArray", []), "pid": flat["_id"], "id": flat["_id"]}


def proposal(doc: Doc) -> Doc:
    """A proposal; the ids of its measurement periods come out as null."""
    sent = with_id(doc)
    periods = sent.get("MeasurementPeriodList")
    if isinstance(periods, list):
        sent["MeasurementPeriodList"] = [{**part, "id": None} if isinstance(part, dict) else part for part in periods]
    return sent
