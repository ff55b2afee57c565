"""Freya Light Source, an invented synchrotron, as SciCat documents: its life from demo.world, with real catalogues' blemishes."""

from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from demo.scicat import blemishes
from demo.scicat.store import Store
from demo.scicat.values import Doc
from demo.world import Dataset, Investigation, World, world
from demo.world.generate import TODAY

FACILITY = "freya"
PREFIX = "20.500.99001"
STAFF = "staff"
"""The group that is in every embargoed record's accessGroups."""

PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
"""A picture of one pixel."""


def fill(store: Store, datasets: int = 2_500, seed: int = 2026) -> World:
    """Lay the facility's life into the store; gives it, so that a test knows what must be found."""
    life = world(FACILITY, seed, datasets)
    rng = Random(f"scicat/{seed}")  # noqa: S311 - invented data, not secrets
    for number, instrument in enumerate(life.instruments):
        about = {"full.name": instrument.full_name, "description": instrument.description}
        store.put_instrument(pid=_instrument(number), name=instrument.name, customMetadata=about)
    for number in range(len(life.investigations)):
        _proposal(store, life, number)
    for number in range(len(life.samples)):
        _sample(store, life, number)
    for number, dataset in enumerate(life.datasets):
        store.load("Dataset", _document(rng, life, number, dataset))
        _files(rng, store, life, number, dataset)
    for number in range(len(life.publications)):
        _publication(store, life, number)
    return life


def pid(number: int) -> str:
    """The persistent id of the dataset of that place in World.datasets."""
    return f"{PREFIX}/{uuid5(NAMESPACE_URL, f'freya/{number}')}"


def _instrument(number: int) -> str:
    return f"freya/instrument/{number + 1:02d}"


def _access(life: World, place: int) -> Doc:
    """Published when the embargo is over; else the group of the proposal, the staff, and visitors by e-mail."""
    told = life.investigations[place]
    visitors = [life.people[member.person].user for member in told.members]
    return {
        "ownerGroup": told.number,
        "accessGroups": [STAFF],
        "sharedWith": [f"{user}@example.org" for user in visitors if user],
        "isPublished": told.release <= TODAY,
    }


def _proposal(store: Store, life: World, place: int) -> None:
    told = life.investigations[place]
    leader = life.people[told.members[0].person]
    access = {name: value for name, value in _access(life, place).items() if name != "sharedWith"}
    store.put_proposal(
        proposalId=told.number,
        title=told.title,
        abstract=told.abstract,
        pi_firstname=leader.given,
        pi_lastname=leader.family,
        pi_email=leader.email,
        firstname=leader.given,
        lastname=leader.family,
        email=leader.email,
        startTime=told.start,
        endTime=told.end,
        instrumentIds=[_instrument(told.instrument)],
        MeasurementPeriodList=[_period(life, told)],
        metadata={"release": told.release, "members": [life.people[m.person].full_name for m in told.members]},
        createdAt=told.start - timedelta(days=90),
        updatedAt=told.end + timedelta(days=1),
        **access,
    )


def _period(life: World, told: Investigation) -> Doc:
    place = f"/Freya/{life.instruments[told.instrument].name}"
    return {"instrument": place, "start": told.start, "end": told.end, "comment": "", "createdAt": told.start}


def _sample(store: Store, life: World, number: int) -> None:
    sample = life.samples[number]
    told = life.investigations[sample.investigation]
    access = {name: value for name, value in _access(life, sample.investigation).items() if name != "sharedWith"}
    store.put_sample(
        sampleId=f"S-{number + 1:05d}",
        sampleName=sample.name,
        description=f"{sample.name}, {sample.type}",
        type=sample.type,
        owner=life.people[told.members[0].person].full_name,
        proposalId=told.number,
        sampleCharacteristics={"chemical.formula": {"value": sample.formula, "unit": ""}},
        createdAt=told.start,
        updatedAt=told.end,
        **access,
    )


def _document(rng: Random, life: World, number: int, dataset: Dataset) -> Doc:
    """A dataset as it lies in the database, bad habits included."""
    key = pid(number)
    derived = number > 0 and rng.random() < 0.12 and life.datasets[number - 1].investigation == dataset.investigation
    written = _written(rng, dataset)
    doc = {
        "_id": key,
        "pid": key,
        "type": "derived" if derived else "raw",
        **_told(rng, life, dataset),
        **_access(life, dataset.investigation),
        **_linked(rng, life, dataset),
        "createdBy": "ingestor",
        "updatedBy": "ingestor",
        "createdAt": dataset.end + timedelta(minutes=5),
        "updatedAt": written,
        "__v": 0,
    }
    if derived:
        doc |= {"inputDatasets": [pid(number - 1)], "usedSoftware": ["https://example.org/freya/reduce@2.3"]}
    if rng.random() < 0.75:
        doc["keywords"] = [*dataset.keywords, *([None] if rng.random() < 0.02 else [])]
    if rng.random() < 0.006:
        doc |= blemishes.wrong(rng, dataset)
    return {name: value for name, value in doc.items() if value is not _ABSENT}


_ABSENT = object()


def _written(rng: Random, dataset: Dataset) -> datetime | str:
    dice = rng.random()
    if dice < 0.15 and dataset.end.year < 2025:
        return blemishes.MIGRATED
    last = dataset.end + timedelta(minutes=5) + timedelta(days=rng.expovariate(1 / 40))
    return min(last, TODAY - timedelta(hours=2)).replace(microsecond=0)


def _told(rng: Random, life: World, dataset: Dataset) -> Doc:
    """What the dataset says of itself."""
    nan = float("nan")
    lifecycle = {"archivable": True, "retrievable": False, "publishable": False, "isOnCentralDisk": True}
    status = {"archiveStatusMessage": "datasetCreated", "retrieveStatusMessage": "", "retrieveIntegrityCheck": False}
    station = life.instruments[dataset.instrument].name
    return {
        "datasetName": dataset.title if rng.random() < 0.8 else dataset.name,
        "description": blemishes.description(rng, dataset.description),
        "creationLocation": f"/Freya/{station}"
        if rng.random() < 0.85
        else f"Experimental hall west, {station} hutch 2",
        "sourceFolder": dataset.location,
        "sourceFolderHost": "storage.freya.example.org",
        "size": dataset.bytes if rng.random() < 0.97 else nan,
        "packedSize": 0 if rng.random() < 0.9 else nan,
        "numberOfFiles": dataset.file_count,
        "numberOfFilesArchived": 0,
        "creationTime": dataset.end,
        "startTime": dataset.start,
        "endTime": dataset.end if rng.random() < 0.9 else _ABSENT,
        "dataFormat": dataset.formats[0] if rng.random() < 0.8 else " / ".join(dataset.formats),
        "classification": "IN=medium,AV=low,CO=low",
        "license": rng.choice(
            ("CC-BY-4.0", "CC-BY-4.0", "CC0-1.0", "", "https://creativecommons.org/licenses/by/4.0/")
        ),
        "version": "5.2.1",
        "runNumber": dataset.name.rpartition("_")[2],
        "techniques": blemishes.techniques(rng, dataset.techniques),
        "scientificMetadata": blemishes.metadata(rng, dataset.parameters),
        "datasetlifecycle": {**lifecycle, **status},
    }


def _linked(rng: Random, life: World, dataset: Dataset) -> Doc:
    """Whom and what the dataset belongs to; one in a hundred to a proposal that nobody knows."""
    told = life.investigations[dataset.investigation]
    members = [life.people[member.person] for member in told.members]
    names = [person.full_name for person in members]
    known = rng.random() > 0.01
    proposals: list[Any] = [told.number if known else f"p-1999-{rng.randrange(1000):03d}"]
    return {
        "owner": blemishes.owner(rng, names),
        "ownerEmail": members[0].email,
        "orcidOfOwner": f"https://orcid.org/{members[0].orcid}" if members[0].orcid else "",
        "contactEmail": members[-1].email,
        "principalInvestigators": blemishes.investigators(rng, names, [person.email for person in members]),
        "proposalIds": proposals if rng.random() > 0.02 else [None],
        "sampleIds": [f"S-{dataset.sample + 1:05d}"] if rng.random() > 0.05 else [None],
        "instrumentIds": [_instrument(dataset.instrument)] if rng.random() > 0.02 else [],
    }


def _files(rng: Random, store: Store, life: World, number: int, dataset: Dataset) -> None:
    """A file list of at most twelve names for every dataset, and a picture for some."""
    access = {name: value for name, value in _access(life, dataset.investigation).items() if name != "sharedWith"}
    shown = min(dataset.file_count, 12)
    ending = {"TIFF": "tif", "NeXus": "nxs", "CBF": "cbf", "CXI": "cxi"}.get(dataset.formats[0], "h5")
    made = {"createdBy": "ingestor", "updatedBy": "ingestor", "createdAt": dataset.end, "updatedAt": dataset.end}
    files = [
        {
            "path": f"{dataset.name}_{index:05d}.{ending}",
            "size": dataset.bytes // dataset.file_count,
            "time": dataset.end,
            "perm": "-r--r-----",
        }
        for index in range(shown)
    ]
    key = f"{number + 1:08d}"
    block = {"datasetId": pid(number), "size": dataset.bytes, "chkAlg": "sha256", "dataFileList": files}
    store.load("OrigDatablock", {"_id": f"orig-{key}", **block, **access, **made})
    if rng.random() < 0.1:
        picture = {"datasetId": pid(number), "thumbnail": PIXEL, "caption": "detector frame"}
        store.load("Attachment", {"_id": f"picture-{key}", **picture, **access, **made})


def _publication(store: Store, life: World, number: int) -> None:
    told = life.publications[number]
    creators = [life.people[person] for person in told.creators]
    store.put_published(
        doi=told.doi,
        title=told.title,
        abstract=told.abstract,
        dataDescription=told.abstract.partition(". ")[0],
        creator=[person.full_name for person in creators],
        affiliation=creators[0].affiliation,
        publisher=life.full_name,
        publicationYear=told.year,
        url=f"https://doi.org/{told.doi}",
        pidArray=[pid(place) for place in told.datasets] + ([f"{PREFIX}/gone-{number}"] if number % 20 == 7 else []),
        relatedPublications=[
            f"A. Nonymous et al., Journal of Invented Results {told.year % 50}, {number} ({told.year})."
        ],
        numberOfFiles=sum(life.datasets[place].file_count for place in told.datasets),
        sizeOfArchive=sum(life.datasets[place].bytes for place in told.datasets),
        registeredTime=told.published,
        status="registered" if number % 9 else "pending_registration",
        createdAt=told.published,
        updatedAt=told.published,
    )
