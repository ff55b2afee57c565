"""This file is the data publications of the invented facility: DOI, collection, people, dates, related items."""

from __future__ import annotations

from datetime import timedelta

from demo.icat import blemishes
from demo.icat.writing import Writing
from demo.world import Publication


def write(w: Writing) -> None:
    """Every publication of the world, its collection first (only the collection where the version knows no more)."""
    facility = w.ids["Facility", "facility"]
    w.load("DataPublicationType", "session", name="Investigation", facility=facility)
    for place, item in enumerate(w.world.publications):
        _publication(w, place, item)


def _publication(w: Writing, place: int, item: Publication) -> None:
    born = item.published + timedelta(hours=1)
    collection = w.load("DataCollection", place, born=born, doi=item.doi if place % 4 == 0 else None)
    for number in item.datasets:
        w.once("DataCollectionDataset", born=born, dataCollection=collection, dataset=w.ids["Dataset", number])
    if "DataPublication" not in w.store.schema:
        return
    publication = w.load(
        "DataPublication",
        place,
        born=born,
        pid=blemishes.doi(item.doi, place),
        title=item.title,
        description=blemishes.summary(item.abstract, place),
        subject="neutron scattering" if place % 2 else None,
        publicationDate=item.published,
        internalId=f"int{place}",
        facility=w.ids["Facility", "facility"],
        content=collection,
        type=w.ids["DataPublicationType", "session"],
    )
    _people(w, place, item, publication)
    link = {"born": born, "publication": publication}
    w.load("DataPublicationDate", None, dateType="Available", date=str(item.year), **link)
    w.load("DataPublicationDate", None, dateType="Collected", date=f"{item.year - 1}-03/{item.year - 1}-11", **link)
    paper = {
        "identifier": f"DOI:10.82002/paper.{place:04}",
        "relationType": "IsCitedBy",
        "relatedItemType": "JournalArticle",
    }
    w.load("RelatedItem", None, fullReference="J. Inv. Res. 1 (2026) 1", title=f"On {item.title}", **paper, **link)
    w.load("Subject", None, name="neutron scattering", dataPublication=publication, born=born)
    if place % 3 == 0:
        funding = w.ids["FundingReference", place % 2]
        w.load("DataPublicationFunding", None, dataPublication=publication, funding=funding, born=born)


def _people(w: Writing, place: int, item: Publication, publication: int) -> None:
    for order, number in enumerate(item.creators):
        person = w.world.people[number]
        user = w.load(
            "DataPublicationUser",
            None,
            contributorType="Creator",
            orderKey=f"{order:02}",
            fullName=blemishes.full_name(person.given, person.family, place),
            givenName=person.given,
            familyName=person.family,
            email=person.email,
            publication=publication,
            user=w.ids["User", number],
        )
        w.load("Affiliation", None, name=person.affiliation, user=user)
