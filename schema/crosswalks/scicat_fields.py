"""This file is SciCat's fields (OpenAPI of 5.2, replies of 4.25) and what becomes of each; `docs/crosswalks.md` is made of it."""

from __future__ import annotations

from schema.crosswalks.tables import Field, Table, all_left, details, kept, left
from schema.records import Kind

_ACCOUNT = "names an account of the source's database, not a person's part in the data"
_MAIL = "an e-mail address is personal; the name is kept"
_ROW = "the database's own bookkeeping"
_FILES = "file lists are not harvested; their number, size and formats are"

_STAMPS = (
    *all_left(_ACCOUNT, "createdBy", "updatedBy"),
    left("createdAt", "when the row was made; when the data were made is kept"),
    kept("updatedAt", "modified, revision", "time"),
    *all_left(_ROW, "_id", "__v", "id"),
)
_OWNED = (
    kept("ownerGroup", "visibility.groups, unless the record is public"),
    kept("accessGroups[]", "visibility.groups, unless the record is public"),
    left("instrumentGroup", "opens nothing to readers at the source, so it must not here"),
)


def _quantities(name: str) -> tuple[Field, ...]:
    return (
        kept(f"{name}.*.value", "parameters: value (number), text, min and max (pair)", "number"),
        kept(f"{name}.*.unit", "parameters: unit; SI beside it when it is known"),
        left(f"{name}.*.valueSI", "made by the server from value and unit; we make our own, more units are understood"),
        left(f"{name}.*.unitSI", "as valueSI"),
        left(f"{name}.*.type", "the value shows it"),
        kept(f"{name}.*.human_name", f"details ({name})"),
        kept(f"{name}.*.v", "parameters: as value", "number"),
        kept(f"{name}.*.u", "parameters: as unit"),
        kept(f"{name}.*.*", "parameters, by dotted path to any depth; beyond 500, and what is no quantity: details"),
    )


DATASET = Table(
    "scicat",
    "dataset",
    Kind.DATASET,
    (
        kept("pid", "id; pid when it is a DOI or handle"),
        kept("datasetName", "title"),
        kept("description", "description; title where datasetName is missing"),
        kept("type", "type"),
        *_OWNED,
        kept("isPublished", "visibility.public, access", "yes", "OPEN"),
        left("sharedWith[]", _MAIL),
        kept("owner", "people (Owner)"),
        kept("orcidOfOwner", "people.orcid", "orcid"),
        left("ownerEmail", _MAIL),
        left("contactEmail", _MAIL),
        kept("principalInvestigators[]", "people (Principal investigator); what is no name: details"),
        kept("principalInvestigator", "as principalInvestigators, where those are missing"),
        kept("investigator", "people (Investigator)"),
        kept("keywords[]", "keywords"),
        kept("license", "license"),
        kept("techniques[].pid", "techniques.pid when PaNET knows it; else techniques.source_name"),
        kept("techniques[].name", "techniques.name or techniques.source_name"),
        left("techniques[]._id", _ROW),
        kept("proposalIds[]", "investigation.id; several: details"),
        kept("proposalId", "the same, where proposalIds is missing"),
        kept("sampleIds[]", "samples.id"),
        kept("sampleId", "the same, where sampleIds is missing"),
        kept("instrumentIds[]", "instruments.id"),
        kept("instrumentId", "the same, where instrumentIds is missing"),
        kept("creationLocation", "details; instruments.name where instrumentIds is missing"),
        kept("startTime", "start", "time"),
        kept("endTime", "end", "time"),
        kept("creationTime", "start where startTime is missing, else details", "time"),
        kept("size", "files.bytes", "whole"),
        kept("numberOfFiles", "files.count", "whole"),
        kept("dataFormat", "files.formats, details"),
        kept("sourceFolder", "location"),
        kept("inputDatasets[]", "related (IsDerivedFrom)"),
        kept("relationships[].identifier", "related.identifier"),
        kept("relationships[].pid", "related.identifier"),
        kept("relationships[].externalId", "related.identifier"),
        kept("relationships[].relationship", "related.relation"),
        kept("relationships[].entityType", "related.type"),
        left("relationships[].identifierType", "the identifier shows it; related.type where entityType is missing"),
        *_quantities("scientificMetadata"),
        *details("", "comment", "classification", "version", "validationStatus", "runNumber", "sourceFolderHost"),
        *details("", "scientificMetadataSchema", "jobLogData"),
        kept("usedSoftware[]", "details (usedSoftware)"),
        kept("scientificMetadataValid", "details (scientificMetadataValid)", "no", "false"),
        *details("", "dataQualityMetrics", like="number"),
        *details("", "packedSize", "numberOfFilesArchived", like="whole"),
        kept("jobParameters", "details (jobParameters)", "object"),
        *details("datasetlifecycle.", "archiveStatusMessage", "retrieveStatusMessage", "storageLocation", "exportedTo"),
        kept("datasetlifecycle.isOnCentralDisk", "details (isOnCentralDisk)", "no", "false"),
        *all_left(
            "a computed default, on some servers a wrong one",
            "datasetlifecycle.dateOfDiskPurging",
            "datasetlifecycle.archiveRetentionTime",
            "datasetlifecycle.dateOfPublishing",
            "datasetlifecycle.publishedOn",
        ),
        *all_left(
            "steers the site's archive system and says nothing of the data",
            "datasetlifecycle.archivable",
            "datasetlifecycle.retrievable",
            "datasetlifecycle.publishable",
            "datasetlifecycle.retrieveIntegrityCheck",
            "datasetlifecycle.archiveReturnMessage",
            "datasetlifecycle.retrieveReturnMessage",
        ),
        left("datasetlifecycle._id", _ROW),
        left("attachments[]", "pictures; the page at the source shows them"),
        *all_left(_FILES, "origdatablocks[]", "datablocks[]"),
        left("history[]", "former states of the record, sent with single reads only"),
        *_STAMPS,
    ),
)
INSTRUMENT = Table(
    "scicat",
    "instrument",
    Kind.INSTRUMENT,
    (
        kept("pid", "id; pid when it is a DOI or handle"),
        kept("name", "name"),
        kept("uniqueName", "details (uniqueName); name where that is missing"),
        kept("customMetadata", "details (customMetadata)", "object"),
        *_STAMPS,
    ),
)
PROPOSAL = Table(
    "scicat",
    "proposal",
    Kind.INVESTIGATION,
    (
        kept("proposalId", "id, proposal"),
        kept("title", "title"),
        kept("abstract", "abstract"),
        kept("type", "type"),
        kept("pi_firstname", "people (Principal investigator)"),
        kept("pi_lastname", "people (Principal investigator)"),
        kept("firstname", "people (Proposer)"),
        kept("lastname", "people (Proposer)"),
        *all_left(_MAIL, "pi_email", "email"),
        kept("startTime", "start", "time"),
        kept("endTime", "end", "time"),
        kept("instrumentIds[]", "instruments.id"),
        kept("parentProposalId", "details (parentProposalId)"),
        kept("metadata", "details (metadata)", "object"),
        kept("MeasurementPeriodList[].instrument", "details (MeasurementPeriodList)"),
        kept("MeasurementPeriodList[].start", "details (MeasurementPeriodList)", "time"),
        kept("MeasurementPeriodList[].end", "details (MeasurementPeriodList)", "time"),
        kept("MeasurementPeriodList[].comment", "details (MeasurementPeriodList)"),
        *all_left(_ROW, "MeasurementPeriodList[]._id", "MeasurementPeriodList[].id"),
        left("numberOfDatasets", "counted anew by every search"),
        *_OWNED,
        kept("isPublished", "visibility.public", "yes"),
        *_STAMPS,
    ),
)
SAMPLE = Table(
    "scicat",
    "sample",
    Kind.SAMPLE,
    (
        kept("sampleId", "id"),
        kept("sampleName", "name"),
        kept("description", "description; name where sampleName is missing"),
        kept("type", "type"),
        kept("proposalId", "investigation.id, details"),
        *details("", "owner", "parentSampleId"),
        left("version", "of the interface, not of the sample"),
        kept("sampleCharacteristics.chemical_formula", "formula, parameters"),
        *_quantities("sampleCharacteristics"),
        *_OWNED,
        kept("isPublished", "visibility.public", "yes"),
        *_STAMPS,
    ),
)
_NAMED = ("creators", "contributors")
PUBLISHED = Table(
    "scicat",
    "publisheddata",
    Kind.PUBLICATION,
    (
        kept("doi", "id, doi, pid", "doi"),
        kept("title", "title"),
        kept("abstract", "abstract"),
        kept("affiliation", "people.affiliation of those without one of their own"),
        kept("creator[]", "people (Creator)"),
        kept("authors[]", "people (Creator)"),
        kept("publisher", "publisher"),
        kept("publicationYear", "year", "whole", "2031"),
        kept("resourceType", "type"),
        kept("registeredTime", "published", "time"),
        kept("pidArray[]", "datasets"),
        kept("datasetPids[]", "datasets"),
        kept("relatedPublications[]", "related (IsCitedBy)"),
        *details("", "dataDescription", "url", "downloadLink", "status"),
        *details("", "numberOfFiles", "sizeOfArchive", like="whole"),
        *(
            kept(f"metadata.{name}[].{part}", to)
            for name in _NAMED
            for part, to in (("name", "people"), ("affiliation[].name", "people.affiliation"))
        ),
        *(kept(f"metadata.{name}[].nameIdentifiers[].nameIdentifier", "people.orcid", "orcid") for name in _NAMED),
        kept("metadata.publisher.name", "publisher"),
        kept("metadata.publicationYear", "year", "whole", "2031"),
        kept("metadata.resourceType", "type"),
        kept("metadata.relatedIdentifiers[].relatedIdentifier", "related.identifier"),
        kept("metadata.relatedIdentifiers[].relationType", "related.relation"),
        kept("metadata.relatedIdentifiers[].resourceTypeGeneral", "related.type"),
        *details("metadata.", "dataDescription", "url", "downloadLink"),
        kept("metadata.*", "details, under its own name"),
        left("scicatUser", _ACCOUNT),
        left("thumbnail", "a picture; the page at the source shows it"),
        *_STAMPS,
    ),
)
FILES = Table(
    "scicat",
    "origdatablock",
    None,
    all_left(
        _FILES,
        *("_id", "datasetId", "size", "chkAlg", "dataFileList[]", "ownerGroup", "accessGroups[]", "instrumentGroup"),
        *("isPublished", "createdBy", "updatedBy", "createdAt", "updatedAt"),
    ),
)
TABLES = (DATASET, PROPOSAL, SAMPLE, INSTRUMENT, PUBLISHED, FILES)
