"""This file is which of ICAT's tables hang on which, as far as a harvest reads them (ICAT schema 4.10 to 6.2).

Data only: harvest-sources reference, 2.6, with its version marks.
"""

from __future__ import annotations

import msgspec

from schema.records import Kind

FIRST: tuple[int, ...] = (4, 0)
V5: tuple[int, ...] = (5, 0)
V6_2: tuple[int, ...] = (6, 2)


class Child(msgspec.Struct, frozen=True):
    """A to-many relation: `relation` is its name in a nested reply, `entity` the table, `parent` the path to what it hangs on,
    `columns` its plain attributes, `links` its to-one paths with the shared table each leads to."""

    relation: str
    entity: str
    parent: str
    columns: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    since: tuple[int, ...] = FIRST


class Root(msgspec.Struct, frozen=True):
    """A table whose rows become records: its to-one paths (with the shared table, or None when only the id is wanted) and children.

    `needed`: the paths that no row of the schema can be without, so that a row without one leads to what we may not read.
    """

    kind: Kind
    entity: str
    links: tuple[tuple[str, str | None], ...]
    children: tuple[Child, ...]
    needed: tuple[str, ...]
    since: tuple[int, ...] = FIRST


_VALUES = ("numericValue", "stringValue", "dateTimeValue", "rangeBottom", "rangeTop", "error")
_TYPE = (("type", "ParameterType"),)

SHARED: tuple[tuple[str, tuple[int, ...]], ...] = (
    ("ParameterType", FIRST),
    ("Instrument", FIRST),
    ("SampleType", FIRST),
    ("DatasetType", FIRST),
    ("InvestigationType", FIRST),
    ("User", FIRST),
    ("Grouping", FIRST),
    ("Study", FIRST),
    ("FacilityCycle", FIRST),
    ("Technique", V5),
    ("FundingReference", V5),
    ("DataPublicationType", V5),
)
"""Small tables that many rows point to; read fully each time, since their changes move nobody else's modTime."""

INVESTIGATION = Root(
    Kind.INVESTIGATION,
    "Investigation",
    (("type", "InvestigationType"),),
    (
        Child("investigationUsers", "InvestigationUser", "investigation", ("role",), (("user", "User"),)),
        Child(
            "investigationInstruments", "InvestigationInstrument", "investigation", (), (("instrument", "Instrument"),)
        ),
        Child("investigationGroups", "InvestigationGroup", "investigation", ("role",), (("grouping", "Grouping"),)),
        Child("keywords", "Keyword", "investigation", ("name",)),
        Child("parameters", "InvestigationParameter", "investigation", _VALUES, _TYPE),
        Child(
            "publications",
            "Publication",
            "investigation",
            ("fullReference", "doi", "url", "repository", "repositoryId"),
        ),
        Child("shifts", "Shift", "investigation", ("startDate", "endDate", "comment")),
        Child("studyInvestigations", "StudyInvestigation", "investigation", (), (("study", "Study"),)),
        Child(
            "investigationFacilityCycles",
            "InvestigationFacilityCycle",
            "investigation",
            (),
            (("facilityCycle", "FacilityCycle"),),
            V5,
        ),
        Child("fundingReferences", "InvestigationFunding", "investigation", (), (("funding", "FundingReference"),), V5),
    ),
    needed=("type",),
)
SAMPLE = Root(
    Kind.SAMPLE,
    "Sample",
    (("type", "SampleType"), ("investigation", None)),
    (Child("parameters", "SampleParameter", "sample", _VALUES, _TYPE),),
    needed=("investigation",),
)
DATASET = Root(
    Kind.DATASET,
    "Dataset",
    (("type", "DatasetType"), ("investigation", None), ("sample", None)),
    (
        Child("parameters", "DatasetParameter", "dataset", _VALUES, _TYPE),
        Child("datasetTechniques", "DatasetTechnique", "dataset", (), (("technique", "Technique"),), V5),
        Child("datasetInstruments", "DatasetInstrument", "dataset", (), (("instrument", "Instrument"),), V5),
    ),
    needed=("type", "investigation"),
)
PUBLICATION = Root(
    Kind.PUBLICATION,
    "DataPublication",
    (("type", "DataPublicationType"), ("content", None)),
    (
        Child(
            "users",
            "DataPublicationUser",
            "publication",
            ("contributorType", "orderKey", "fullName", "givenName", "familyName"),
            (("user", "User"),),
        ),
        Child("dates", "DataPublicationDate", "publication", ("dateType", "date")),
        Child(
            "relatedItems",
            "RelatedItem",
            "publication",
            ("identifier", "relationType", "fullReference", "relatedItemType", "title"),
        ),
        Child(
            "subjects",
            "Subject",
            "dataPublication",
            ("name", "pid", "subjectScheme", "valueURI", "classificationCode"),
            (),
            V6_2,
        ),
        Child(
            "fundingReferences", "DataPublicationFunding", "dataPublication", (), (("funding", "FundingReference"),), V5
        ),
    ),
    needed=("content",),
    since=V5,
)
ROOTS = (INVESTIGATION, SAMPLE, DATASET, PUBLICATION)
CONTENTS = (
    Child("dataCollectionDatasets", "DataCollectionDataset", "dataCollection", (), (("dataset", ""),)),
    Child(
        "dataCollectionInvestigations", "DataCollectionInvestigation", "dataCollection", (), (("investigation", ""),)
    ),
)
AFFILIATION = Child("affiliations", "Affiliation", "user", ("name", "pid"))
