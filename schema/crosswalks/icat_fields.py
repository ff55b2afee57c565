"""This file is ICAT's fields (schema 6.2) and what becomes of each; `docs/crosswalks.md` is made of it.

The stamps of nested entities (id, createId, createTime, modId, modTime) and the way back from a child to its parent are not
listed: they carry the structure.
"""

from __future__ import annotations

from schema.crosswalks.tables import Field, Table, all_left, kept, left
from schema.records import Kind

_ACCOUNT = "names an account of the source's database, not a person's part in the data"
_MAIL = "an e-mail address is personal; the name is kept"
_OTHERS = "told where the other side is harvested"
_FACILITY = "the federation knows its facilities"
_CHECK = "a rule for those who enter data"

_STAMPS = (
    kept("id", "id; pid where there is no DOI"),
    kept("modTime", "modified; part of revision", "time"),
    left("createTime", "when the row was made; when the data were made is kept"),
    *all_left(_ACCOUNT, "createId", "modId"),
)


def _instrument(prefix: str) -> tuple[Field, ...]:
    why = "kept with the instrument's own record, which is joined"
    names = ("fullName", "description", "type", "url", "pid", "startDate", "endDate")
    lists = ("instrumentScientists[]", "investigationInstruments[]", "datasetInstruments[]", "shifts[]", "facility")
    return (
        kept(f"{prefix}name", "instruments.name"),
        *all_left(why, *(f"{prefix}{name}" for name in names)),
        *all_left(_OTHERS, *(f"{prefix}{name}" for name in lists)),
    )


def _parameters() -> tuple[Field, ...]:
    kinds = ("Investigation", "Dataset", "Datafile", "Sample", "DataCollection")
    checks = ("valueType", "minimumNumericValue", "maximumNumericValue", "enforced", "verified")
    lists = (f"{kind[0].lower()}{kind[1:]}Parameters[]" for kind in kinds)
    return (
        kept("parameters[].numericValue", "parameters.value", "number"),
        kept("parameters[].stringValue", "parameters.text"),
        kept("parameters[].dateTimeValue", "parameters.text where there is no other value", "time"),
        kept("parameters[].rangeBottom", "parameters.min", "number"),
        kept("parameters[].rangeTop", "parameters.max", "number"),
        kept("parameters[].error", "details (error of …)", "number"),
        kept("parameters[].type.name", "parameters.name, parameters.source_name"),
        kept("parameters[].type.units", "parameters.unit"),
        left("parameters[].type.unitsFullName", "read to understand units; the symbol is kept"),
        left("parameters[].type.description", "explains the name; the same for every record"),
        left("parameters[].type.pid", "names the parameter's definition, the same for every record"),
        *all_left(_CHECK, *(f"parameters[].type.{name}" for name in checks)),
        *all_left(_CHECK, *(f"parameters[].type.applicableTo{kind}" for kind in kinds)),
        *all_left(_OTHERS, *(f"parameters[].type.{name}" for name in lists)),
        left("parameters[].type.facility", _FACILITY),
        left("parameters[].type.permissibleStringValues[]", _CHECK),
    )


def _user(prefix: str, role: str) -> tuple[Field, ...]:
    lists = ("studies", "investigationUsers", "instrumentScientists", "userGroups", "dataPublicationUsers")
    return (
        kept(f"{prefix}fullName", f"{role}.name"),
        kept(f"{prefix}givenName", f"{role}.name where fullName is missing"),
        kept(f"{prefix}familyName", f"{role}.name where fullName is missing"),
        kept(f"{prefix}orcidId", f"{role}.orcid", "orcid"),
        kept(f"{prefix}affiliation", f"{role}.affiliation"),
        left(f"{prefix}email", _MAIL),
        *all_left(_OTHERS, *(f"{prefix}{name}[]" for name in lists)),
    )


def _type(prefix: str, to: str, back: str) -> tuple[Field, ...]:
    return (
        kept(f"{prefix}name", to),
        kept(f"{prefix}description", "details (description)"),
        left(f"{prefix}facility", _FACILITY),
        left(f"{prefix}{back}[]", _OTHERS),
    )


def _funding(prefix: str) -> tuple[Field, ...]:
    names = ("funderName", "funderIdentifier", "awardNumber", "awardTitle", "acknowledgement")
    return (
        *(kept(f"{prefix}{name}", "details (funding)") for name in names),
        *all_left(_OTHERS, f"{prefix}investigations[]", f"{prefix}publications[]"),
    )


def _sample_type(prefix: str, to: str) -> tuple[Field, ...]:
    return (
        kept(f"{prefix}name", f"{to}type"),
        kept(f"{prefix}molecularFormula", f"{to}formula"),
        kept(f"{prefix}safetyInformation", "details (safetyInformation)"),
        left(f"{prefix}facility", _FACILITY),
        left(f"{prefix}samples[]", _OTHERS),
    )


DATASET = Table(
    "icat",
    "Dataset",
    Kind.DATASET,
    (
        *_STAMPS,
        kept("name", "title"),
        kept("description", "description"),
        kept("doi", "doi, pid", "doi"),
        kept("location", "location"),
        kept("startDate", "start", "time"),
        kept("endDate", "end", "time"),
        kept("fileSize", "files.bytes", "whole"),
        kept("fileCount", "files.count", "whole"),
        kept("complete", "details (complete), when it is not", "no", "false"),
        *_type("type.", "type", "datasets"),
        kept("investigation.id", "investigation.id; what it says is joined from its own record"),
        kept("investigation.releaseDate", "release, access, visibility.public_from", "time"),
        kept("investigation.investigationUsers[].role", "people.role"),
        kept("investigation.investigationUsers[].user.fullName", "people.name"),
        kept("investigation.investigationUsers[].user.name", "visibility.groups, unless the record is public"),
        kept("investigation.investigationGroups[].grouping.name", "visibility.groups, unless the record is public"),
        kept("investigation.keywords[].name", "keywords"),
        kept("investigation.investigationInstruments[].instrument.name", "instruments.name without datasetInstruments"),
        kept("sample.id", "samples.id; what it says is joined from its own record"),
        *_parameters(),
        *_instrument("datasetInstruments[].instrument."),
        kept("datasetTechniques[].technique.pid", "techniques.pid when PaNET knows it; else techniques.source_name"),
        kept("datasetTechniques[].technique.name", "techniques.name or techniques.source_name"),
        left("datasetTechniques[].technique.description", "explains the technique; PaNET does"),
        left("datasetTechniques[].technique.datasetTechniques[]", _OTHERS),
        left("datafiles[]", "files are not harvested; their number and size are"),
        left("dataCollectionDatasets[]", "collections are harvested as publications"),
    ),
)
INVESTIGATION = Table(
    "icat",
    "Investigation",
    Kind.INVESTIGATION,
    (
        *_STAMPS,
        kept("name", "proposal"),
        kept("title", "title"),
        kept("visitId", "details (visitId)"),
        kept("summary", "abstract"),
        kept("doi", "doi, pid", "doi"),
        kept("startDate", "start", "time"),
        kept("endDate", "end", "time"),
        kept("releaseDate", "release, visibility.public_from", "time"),
        kept("fileSize", "details (fileSize)", "whole"),
        kept("fileCount", "details (fileCount)", "whole"),
        *_type("type.", "type", "investigations"),
        left("facility", _FACILITY),
        kept("investigationUsers[].role", "people.role"),
        *_user("investigationUsers[].user.", "people"),
        kept("investigationUsers[].user.name", "visibility.groups, unless the record is public"),
        *_instrument("investigationInstruments[].instrument."),
        left("investigationGroups[].role", "says why a group has rights; that it has them is kept"),
        kept("investigationGroups[].grouping.name", "visibility.groups, unless the record is public"),
        *all_left(
            _OTHERS,
            "investigationGroups[].grouping.userGroups[]",
            "investigationGroups[].grouping.investigationGroups[]",
            "investigationGroups[].grouping.rules[]",
        ),
        kept("keywords[].name", "keywords"),
        *_parameters(),
        kept("publications[].doi", "related.identifier", "doi"),
        kept("publications[].fullReference", "related.title"),
        kept("publications[].url", "related.identifier without doi, else details (publication)"),
        kept("publications[].repository", "details (publication)"),
        kept("publications[].repositoryId", "related.identifier without doi and url, else details (publication)"),
        kept("shifts[].startDate", "details (shift)", "time"),
        kept("shifts[].endDate", "details (shift)", "time"),
        kept("shifts[].comment", "details (shift)"),
        left("shifts[].instrument", "the investigation's instruments are kept"),
        kept("investigationFacilityCycles[].facilityCycle.name", "details (cycle)"),
        kept("investigationFacilityCycles[].facilityCycle.description", "details (cycle)"),
        *all_left(
            "the investigation's own dates are kept",
            "investigationFacilityCycles[].facilityCycle.startDate",
            "investigationFacilityCycles[].facilityCycle.endDate",
        ),
        left("investigationFacilityCycles[].facilityCycle.facility", _FACILITY),
        left("investigationFacilityCycles[].facilityCycle.investigationFacilityCycles[]", _OTHERS),
        *_funding("fundingReferences[].funding."),
        kept("studyInvestigations[].study.name", "details (study)"),
        kept("studyInvestigations[].study.description", "details (study)"),
        kept("studyInvestigations[].study.pid", "details (study)"),
        *all_left(
            "the study's own course; the investigation's dates are kept",
            "studyInvestigations[].study.startDate",
            "studyInvestigations[].study.endDate",
            "studyInvestigations[].study.status",
        ),
        left("studyInvestigations[].study.user", "who keeps the study's entry, not a part in the data"),
        left("studyInvestigations[].study.studyInvestigations[]", _OTHERS),
        *all_left(_OTHERS, "datasets[]", "samples[]", "dataCollectionInvestigations[]"),
    ),
)
SAMPLE = Table(
    "icat",
    "Sample",
    Kind.SAMPLE,
    (
        *_STAMPS,
        kept("name", "name"),
        kept("pid", "pid, details (pid)", "doi"),
        *_sample_type("type.", ""),
        kept("investigation.id", "investigation.id; what it says is joined from its own record"),
        kept("investigation.investigationUsers[].user.name", "visibility.groups, unless the record is public"),
        kept("investigation.investigationGroups[].grouping.name", "visibility.groups, unless the record is public"),
        *_parameters(),
        left("datasets[]", _OTHERS),
    ),
)
INSTRUMENT = Table(
    "icat",
    "Instrument",
    Kind.INSTRUMENT,
    (
        *_STAMPS,
        kept("name", "name"),
        kept("fullName", "full_name"),
        kept("description", "description"),
        kept("type", "type"),
        kept("url", "url"),
        kept("pid", "pid, details (pid)", "doi"),
        kept("startDate", "details (startDate)", "time"),
        kept("endDate", "details (endDate)", "time"),
        left("facility", _FACILITY),
        left("instrumentScientists[]", "who serves the instrument today is not a part in its data"),
        *all_left(_OTHERS, "investigationInstruments[]", "datasetInstruments[]", "shifts[]"),
    ),
)
PUBLICATION = Table(
    "icat",
    "DataPublication",
    Kind.PUBLICATION,
    (
        *_STAMPS,
        kept("pid", "doi, pid", "doi"),
        kept("title", "title"),
        kept("description", "abstract"),
        kept("subject", "details (subject)"),
        kept("publicationDate", "published, year", "time"),
        kept("internalId", "details (internalId)"),
        *_type("type.", "type", "dataPublications"),
        left("facility", _FACILITY),
        kept("users[].contributorType", "people.role"),
        kept("users[].fullName", "people.name"),
        kept("users[].givenName", "people.name where fullName is missing"),
        kept("users[].familyName", "people.name where fullName is missing"),
        left("users[].orderKey", "the order of people is kept"),
        left("users[].email", _MAIL),
        kept("users[].user.fullName", "people.name where the entry has none of its own"),
        kept("users[].user.orcidId", "people.orcid", "orcid"),
        kept("users[].user.affiliation", "people.affiliation where there are no affiliations"),
        *all_left("as the name in the entry itself", "users[].user.givenName", "users[].user.familyName"),
        left("users[].user.name", _ACCOUNT),
        left("users[].user.email", _MAIL),
        *all_left(
            _OTHERS,
            *(f"users[].user.{name}[]" for name in ("studies", "investigationUsers", "instrumentScientists")),
            *(f"users[].user.{name}[]" for name in ("userGroups", "dataPublicationUsers")),
        ),
        kept("users[].affiliations[].name", "people.affiliation"),
        left("users[].affiliations[].fullReference", "the address; the name is kept"),
        kept("users[].affiliations[].pid", "details (affiliation)"),
        kept("dates[].dateType", "details (date …)"),
        kept("dates[].date", "details (date …); published where publicationDate is missing"),
        kept("relatedItems[].identifier", "related.identifier"),
        kept("relatedItems[].relationType", "related.relation"),
        kept("relatedItems[].relatedItemType", "related.type"),
        kept("relatedItems[].title", "related.title"),
        kept("relatedItems[].fullReference", "related.title without title, else details (related item)"),
        *_funding("fundingReferences[].funding."),
        kept("subjects[].name", "keywords"),
        kept("subjects[].pid", "details (subject)"),
        kept("subjects[].valueURI", "details (subject)"),
        kept("subjects[].classificationCode", "details (subject)"),
        kept("subjects[].subjectScheme", "details (subject)"),
        left("subjects[].schemeURI", "the scheme's name is kept"),
        kept("content.dataCollectionDatasets[].dataset.id", "datasets"),
        kept("content.dataCollectionInvestigations[].investigation.id", "details (investigations)"),
        left("content.dataCollectionDatafiles[]", "files are not harvested"),
        left("content.doi", "the publication's own is kept"),
        left("content.parameters[]", "values of the collection as a whole; those of its datasets are kept"),
        *all_left(_OTHERS, "content.jobsAsInput[]", "content.jobsAsOutput[]", "content.dataPublications[]"),
    ),
)
TABLES = (DATASET, INVESTIGATION, SAMPLE, INSTRUMENT, PUBLICATION)
