"""This file is the invented neutron facility skadi as ICAT objects, with the blemishes of real records."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from demo.icat import blemishes, publications
from demo.icat.store import Store
from demo.icat.writing import Writing
from demo.world import Dataset, Investigation, Parameter, World, world

FACILITY = "skadi"
HIDDEN = ("Rule", "UserGroup", "PublicStep", "Job", "Application")
RELEASED = "i.releaseDate < CURRENT_TIMESTAMP"
ANONYMOUS = (
    "Facility",
    "Instrument",
    "Technique",
    "InvestigationType",
    "DatasetType",
    "DatafileFormat",
    "ParameterType",
    "PermissibleStringValue",
    "SampleType",
    "FacilityCycle",
    "FundingReference",
    "DataPublication",
    "DataPublicationType",
    "DataPublicationUser",
    "DataPublicationDate",
    "DataPublicationFunding",
    "Affiliation",
    "RelatedItem",
    "Subject",
    f"SELECT i FROM Investigation i WHERE {RELEASED}",
    f"SELECT d FROM Dataset d JOIN d.investigation i WHERE {RELEASED}",
    f"SELECT p FROM DatasetParameter p JOIN p.dataset d JOIN d.investigation i WHERE {RELEASED}",
    f"SELECT p FROM InvestigationParameter p JOIN p.investigation i WHERE {RELEASED}",
    f"SELECT x FROM InvestigationInstrument x JOIN x.investigation i WHERE {RELEASED}",
    f"SELECT x FROM DatasetInstrument x JOIN x.dataset d JOIN d.investigation i WHERE {RELEASED}",
    f"SELECT x FROM DatasetTechnique x JOIN x.dataset d JOIN d.investigation i WHERE {RELEASED}",
    f"SELECT x FROM Keyword x JOIN x.investigation i WHERE {RELEASED}",
)


def fill(
    store: Store,
    seed: int = 1,
    datasets: int = 2000,
    facility: str = FACILITY,
    reader: str = "db/reader",
    password: str = "reader-secret",  # noqa: S107
) -> World:
    """Fill an empty store with a facility's life and its accounts: anon sees what is released, the reader everything."""
    made = world(facility, seed, datasets)
    with store.lock:
        store.add_user("anon/anon", "", [what for what in ANONYMOUS if " " in what or what in store.schema])
        store.add_user(reader, password, [name for name in store.schema if name not in HIDDEN])
        writing = Writing(store, made)
        _tables(writing)
        for place, investigation in enumerate(made.investigations):
            _investigation(writing, place, investigation)
        for place, dataset in enumerate(made.datasets):
            _dataset(writing, place, dataset)
        publications.write(writing)
    return made


def _tables(w: Writing) -> None:
    """What is shared: facility, types, instruments, people, techniques, cycles, funding."""
    facility = w.load(
        "Facility",
        "facility",
        name=w.world.facility.upper(),
        fullName=w.world.full_name,
        description="An invented facility",
        url=f"https://{w.world.facility}.example.org/",
        daysUntilRelease=1095,
    )
    for name in ("experiment", "commissioning"):
        w.load("InvestigationType", name, name=name, facility=facility)
    for name in ("raw", "processed"):
        w.load("DatasetType", name, name=name, facility=facility)
    for name, version in (("NeXus", "4.3"), ("XYE", "1.0"), ("HDF5", "1.14")):
        w.load("DatafileFormat", name, name=name, version=version, facility=facility)
    for place, station in enumerate(w.world.instruments):
        pid = blemishes.doi(f"10.82002/instrument.{station.name.lower()}", place)
        values = {"fullName": station.full_name, "description": station.description, "pid": pid}
        opened = datetime(2009 + place, 5, 4, 9)
        w.load("Instrument", place, name=station.name, type="neutron", startDate=opened, facility=facility, **values)
    for year in range(2015, 2028):
        first, last = datetime(year, 1, 15, 8), datetime(year, 12, 15, 8)
        w.load("FacilityCycle", year, name=f"{year}-1", startDate=first, endDate=last, facility=facility)
    for place, funder in enumerate(("Invented Science Foundation", "Council of Imaginary Research")):
        award = {"awardNumber": f"ISF-{4711 + place}", "awardTitle": "Neutrons for all"}
        w.load("FundingReference", place, funderName=funder, acknowledgement="We thank nobody real.", **award)
    _people(w)


def _people(w: Writing) -> None:
    for place, person in enumerate(w.world.people):
        name = f"oidc/{person.user}" if person.user else f"db/u{place:04}"
        halves = {"givenName": person.given, "familyName": person.family} if person.user or place % 5 else {}
        w.load(
            "User",
            place,
            name=name,
            fullName=blemishes.full_name(person.given, person.family, 0 if person.user else place),
            email=person.email if place % 6 else None,
            orcidId=blemishes.orcid(person.orcid, place),
            affiliation=person.affiliation,
            **halves,
        )


def _investigation(w: Writing, place: int, item: Investigation) -> None:
    born = item.start - timedelta(days=40)
    investigation = w.load(
        "Investigation",
        place,
        born=born,
        name=item.number,
        visitId="1",
        title=item.title if place % 17 else f"{item.title} <sub>2</sub> &amp; more",
        summary=blemishes.summary(item.abstract, place),
        doi=blemishes.doi(f"10.82002/skadi.inv.{place:05}", place) if place % 3 == 0 else None,
        startDate=item.start,
        endDate=blemishes.end(item.start, item.end, place),
        releaseDate=item.release,
        facility=w.ids["Facility", "facility"],
        type=w.ids["InvestigationType", "experiment" if place % 9 else "commissioning"],
    )
    link = {"born": born, "investigation": investigation}
    w.load("InvestigationInstrument", None, instrument=w.ids["Instrument", item.instrument], **link)
    for member in item.members:
        w.once("InvestigationUser", role=member.role, user=w.ids["User", member.person], **link)
    for word in item.keywords:
        w.once("Keyword", name=word, **link)
    w.load("InvestigationFacilityCycle", None, facilityCycle=w.ids.get(("FacilityCycle", item.start.year)), **link)
    if place % 4 == 0:
        w.load("InvestigationFunding", None, funding=w.ids.get(("FundingReference", place % 2)), **link)
    if any(w.world.people[member.person].user for member in item.members):
        grouping = w.load("Grouping", place, name=item.number)
        w.load("InvestigationGroup", None, role="proposal team", grouping=grouping, **link)
    _samples(w, place, link)


def _samples(w: Writing, place: int, link: dict[str, Any]) -> None:
    used: set[str] = set()
    for number, sample in enumerate(w.world.samples):
        if sample.investigation != place:
            continue
        kind = ("SampleType", (sample.formula, sample.type))
        if kind not in w.ids:
            facility = w.ids["Facility", "facility"]
            formula = sample.formula or "unknown"
            w.load(*kind, name=sample.type, molecularFormula=formula, safetyInformation="none", facility=facility)
        name = sample.name if sample.name not in used else f"{sample.name} ({number})"
        used.add(name)
        w.load("Sample", number, name=name, type=w.ids[kind], **link)


def _dataset(w: Writing, place: int, item: Dataset) -> None:
    first = blemishes.start(item.start, place)
    # The title is nowhere in ICAT; names repeat from one investigation to the next.
    name = item.name if place and w.world.datasets[place - 1].investigation == item.investigation else "scan_0001"
    dataset = w.load(
        "Dataset",
        place,
        born=item.end,
        name=name,
        complete=True,
        description=item.description if place % 8 else None,
        doi=blemishes.doi(item.doi, place),
        location=item.location,
        startDate=first,
        endDate=blemishes.end(first, item.end, place) if first == item.start else item.end,
        fileSize=item.bytes if place % 19 else 0,
        fileCount=item.file_count if place % 19 else 0,
        investigation=w.ids["Investigation", item.investigation],
        type=w.ids["DatasetType", "raw" if place % 6 else "processed"],
        sample=w.ids["Sample", item.sample] if place % 5 else None,
    )
    link = {"born": item.end, "dataset": dataset}
    if place % 21:
        w.load("DatasetInstrument", None, instrument=w.ids["Instrument", item.instrument], **link)
    for number, technique in enumerate(item.techniques):
        for name, pid in _named(technique.label, technique.iri, technique.code, place + number):
            w.once("DatasetTechnique", technique=w.shared("Technique", name=name, pid=pid), **link)
    for parameter in item.parameters:
        _parameter(w, place, parameter, link)
    if place % 5 == 0:
        w.once(
            "DatasetParameter",
            type=_type(w, "measurement_start", "", "DATE_AND_TIME"),
            dateTimeValue=item.start,
            **link,
        )
    if place % 25 == 0:
        _files(w, item, link)


def _named(label: str, iri: str, code: str, place: int) -> Iterable[tuple[str, str | None]]:
    """A technique by IRI, by code, by its label alone, or twice in two spellings."""
    if place % 4 == 1:
        return [(f"{label} ", None)]
    if place % 9 == 2:
        return [(label, iri), (label.title(), code)]
    return [(label, iri)]


def _type(w: Writing, name: str, unit: str, kind: str) -> int:
    return w.shared(
        "ParameterType",
        name=name,
        units=unit,
        valueType=kind,
        description=name.replace("_", " "),
        facility=w.ids["Facility", "facility"],
        applicableToDataset=True,
        enforced=False,
        verified=False,
    )


def _parameter(w: Writing, place: int, parameter: Parameter, link: dict[str, Any]) -> None:
    unit = blemishes.unit(parameter.unit, place)
    value = parameter.value
    if isinstance(value, str):
        w.once("DatasetParameter", type=_type(w, parameter.name, unit, "STRING"), stringValue=value, **link)
    elif isinstance(value, tuple):
        low, high = value
        middle = {"numericValue": (low + high) / 2} if place % 2 else {}
        kind = _type(w, parameter.name, unit, "NUMERIC")
        w.once("DatasetParameter", type=kind, rangeBottom=low, rangeTop=high, **middle, **link)
    else:
        error = {"error": abs(value) / 100} if place % 3 == 0 else {}
        w.once("DatasetParameter", type=_type(w, parameter.name, unit, "NUMERIC"), numericValue=value, **error, **link)


def _files(w: Writing, item: Dataset, link: dict[str, Any]) -> None:
    for number in range(min(item.file_count, 4)):
        name = f"{item.name}_{number:03}.nxs"
        place = {"location": f"{item.location}/{name}", "datafileFormat": w.ids["DatafileFormat", "NeXus"]}
        w.load("Datafile", None, name=name, fileSize=item.bytes // item.file_count, **place, **link)
