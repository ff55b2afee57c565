"""This file is the entity schema of ICAT, 4.10 to 6.2, as a table of attributes and relations with version marks."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field

STAMPS = ("id", "createId", "createTime", "modId", "modTime")
PARAMETER = "stringValue numericValue:float dateTimeValue:time rangeTop:float rangeBottom:float error:float"

# One entity a line (an indented line goes on): name, attributes, `rel>Target.inverse` for a to-one relation
# (`!` not null, `:type`, `@since`), then, after `|`, the names that are unique together.
# Source: the schema documentation of ICAT 6.2; inverse names as in replies recorded from 6.2.0.
TABLE = """
Facility name! fullName description url daysUntilRelease:int | name
Investigation name! visitId! title! summary doi startDate:time endDate:time releaseDate:time fileSize:int@5.0
    fileCount:int@5.0 facility!>Facility.investigations type!>InvestigationType.investigations | facility name
    visitId
InvestigationType name! description facility!>Facility.investigationTypes | name facility
InvestigationUser role! user!>User.investigationUsers investigation!>Investigation.investigationUsers | user
    investigation role
InvestigationInstrument instrument!>Instrument.investigationInstruments
    investigation!>Investigation.investigationInstruments | investigation instrument
InvestigationGroup role! grouping!>Grouping.investigationGroups investigation!>Investigation.investigationGroups |
    grouping investigation role
InvestigationFacilityCycle@5.0 facilityCycle!>FacilityCycle.investigationFacilityCycles
    investigation!>Investigation.investigationFacilityCycles | facilityCycle investigation
InvestigationFunding@5.0 investigation!>Investigation.fundingReferences funding!>FundingReference.investigations |
    investigation funding
Keyword name! investigation!>Investigation.keywords | name investigation
Publication fullReference! doi url repository repositoryId investigation!>Investigation.publications |
Shift startDate!:time endDate!:time comment investigation!>Investigation.shifts instrument>Instrument.shifts |
    investigation startDate endDate
FacilityCycle name! description startDate:time endDate:time facility!>Facility.facilityCycles | facility name
FundingReference@5.0 funderName! funderIdentifier awardNumber! awardTitle acknowledgement@6.2 | funderName
    awardNumber
Dataset name! complete!:bool description doi location startDate:time endDate:time fileSize:int@5.0 fileCount:int@5.0
    investigation!>Investigation.datasets type!>DatasetType.datasets sample>Sample.datasets | investigation name
DatasetType name! description facility!>Facility.datasetTypes | facility name
DatasetInstrument@5.0 dataset!>Dataset.datasetInstruments instrument!>Instrument.datasetInstruments | dataset
    instrument
DatasetTechnique@5.0 dataset!>Dataset.datasetTechniques technique!>Technique.datasetTechniques | dataset technique
Technique@5.0 name! pid description | name
Datafile name! location fileSize:int checksum doi description datafileCreateTime:time datafileModTime:time
    dataset!>Dataset.datafiles datafileFormat>DatafileFormat.datafiles | dataset name
DatafileFormat name! version! type description facility!>Facility.datafileFormats | facility name version
RelatedDatafile relation! sourceDatafile!>Datafile.destDatafiles destDatafile!>Datafile.sourceDatafiles |
    sourceDatafile destDatafile
Sample name! pid investigation!>Investigation.samples type>SampleType.samples | investigation name
SampleType name! molecularFormula! safetyInformation facility!>Facility.sampleTypes | facility name molecularFormula
InvestigationParameter PARAMETER investigation!>Investigation.parameters type!>ParameterType.investigationParameters
    | investigation type
DatasetParameter PARAMETER dataset!>Dataset.parameters type!>ParameterType.datasetParameters | dataset type
DatafileParameter PARAMETER datafile!>Datafile.parameters type!>ParameterType.datafileParameters | datafile type
SampleParameter PARAMETER sample!>Sample.parameters type!>ParameterType.sampleParameters | sample type
DataCollectionParameter PARAMETER dataCollection!>DataCollection.parameters
    type!>ParameterType.dataCollectionParameters | dataCollection type
ParameterType name! units! unitsFullName pid description valueType!:enum minimumNumericValue:float
    maximumNumericValue:float enforced!:bool verified!:bool applicableToInvestigation!:bool
    applicableToDataset!:bool applicableToDatafile!:bool applicableToSample!:bool applicableToDataCollection!:bool
    facility!>Facility.parameterTypes | facility name units
PermissibleStringValue value! type!>ParameterType.permissibleStringValues | value type
Instrument name! fullName description type url pid startDate:time@6.2 endDate:time@6.2
    facility!>Facility.instruments | facility name
InstrumentScientist instrument!>Instrument.instrumentScientists user!>User.instrumentScientists | instrument user
User name! fullName email orcidId givenName familyName affiliation | name
Grouping name! | name
UserGroup user!>User.userGroups grouping!>Grouping.userGroups | user grouping
Study name! description pid startDate:time endDate:time status:enum user>User.studies |
StudyInvestigation study!>Study.studyInvestigations investigation!>Investigation.studyInvestigations | study
    investigation
DataCollection doi |
DataCollectionDatafile dataCollection!>DataCollection.dataCollectionDatafiles
    datafile!>Datafile.dataCollectionDatafiles | dataCollection datafile
DataCollectionDataset dataCollection!>DataCollection.dataCollectionDatasets dataset!>Dataset.dataCollectionDatasets
    | dataCollection dataset
DataCollectionInvestigation@5.0 dataCollection!>DataCollection.dataCollectionInvestigations
    investigation!>Investigation.dataCollectionInvestigations | dataCollection investigation
DataPublication@5.0 pid! title! description subject publicationDate:time internalId@6.2
    facility!>Facility.dataPublications content!>DataCollection.dataPublications
    type>DataPublicationType.dataPublications | facility pid
DataPublicationType@5.0 name! description facility!>Facility.dataPublicationTypes | facility name
DataPublicationUser@5.0 contributorType! orderKey fullName givenName familyName email
    publication!>DataPublication.users user!>User.dataPublicationUsers | publication user contributorType
Affiliation@5.0 name! fullReference pid user!>DataPublicationUser.affiliations | user name
DataPublicationDate@5.0 dateType! date publication!>DataPublication.dates | publication dateType
DataPublicationFunding@5.0 dataPublication!>DataPublication.fundingReferences funding!>FundingReference.publications
    | dataPublication funding
RelatedItem@5.0 identifier! relationType! fullReference relatedItemType title
    publication!>DataPublication.relatedItems | publication identifier
Subject@6.2 name! pid subjectScheme schemeURI valueURI classificationCode dataPublication!>DataPublication.subjects
    | dataPublication name
Application name! version! facility!>Facility.applications | facility name version
Job arguments application>Application.jobs inputDataCollection>DataCollection.jobsAsInput
    outputDataCollection>DataCollection.jobsAsOutput |
Rule crudFlags! what! grouping>Grouping.rules |
PublicStep origin! field! | origin field
"""


@dataclass(frozen=True)
class Attribute:
    """A plain value of an entity; `kind` is one of str, int, float, bool, time, enum."""

    name: str
    kind: str = "str"
    required: bool = False


@dataclass(frozen=True)
class ToOne:
    """A reference to one object of another entity, and the name of the list there that leads back."""

    name: str
    target: str
    inverse: str
    required: bool = False


@dataclass(frozen=True)
class ToMany:
    """A list of objects of another entity whose to-one relation `mapped_by` points here."""

    name: str
    target: str
    mapped_by: str


@dataclass(frozen=True)
class Entity:
    """One entity of the schema as one version knows it."""

    name: str
    attributes: Mapping[str, Attribute]
    to_one: Mapping[str, ToOne]
    unique: tuple[str, ...]
    to_many: dict[str, ToMany] = field(default_factory=dict)

    @functools.cached_property
    def order(self) -> tuple[str, ...]:
        """Names in the order of the JSON reply: stamps first, then everything else by the alphabet."""
        return (*STAMPS, *sorted({*self.attributes, *self.to_one, *self.to_many} - set(STAMPS)))

    def kind(self, name: str) -> str | None:
        """The kind of an attribute, or None where there is no such attribute."""
        found = self.attributes.get(name)
        return found.kind if found else None

    def target(self, name: str) -> str | None:
        """The entity a relation leads to, or None where there is no such relation."""
        relation = self.to_one.get(name) or self.to_many.get(name)
        return relation.target if relation else None


Schema = Mapping[str, Entity]


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def _since(word: str, known: tuple[int, ...]) -> tuple[str, bool]:
    name, _, mark = word.partition("@")
    return name, not mark or _release(mark) <= known


def _stamps() -> dict[str, Attribute]:
    kinds = {"id": "int", "createTime": "time", "modTime": "time"}
    return {name: Attribute(name, kinds.get(name, "str"), True) for name in STAMPS}


def _relation(word: str) -> ToOne:
    name, _, aim = word.partition(">")
    target, _, inverse = aim.partition(".")
    return ToOne(name.rstrip("!"), target, inverse, name.endswith("!"))


def _attribute(word: str) -> Attribute:
    name, _, kind = word.partition(":")
    return Attribute(name.rstrip("!"), kind or "str", name.endswith("!"))


def _entity(line: str, known: tuple[int, ...]) -> Entity | None:
    left, _, right = line.partition("|")
    head, *words = left.replace("PARAMETER", PARAMETER).split()
    name, exists = _since(head, known)
    if not exists:
        return None
    kept = [word for word, there in (_since(word, known) for word in words) if there]
    attributes = _stamps() | {a.name: a for a in (_attribute(word) for word in kept if ">" not in word)}
    relations = {r.name: r for r in (_relation(word) for word in kept if ">" in word)}
    return Entity(name, attributes, relations, tuple(right.split()))


@functools.cache
def schema(version: str) -> Schema:
    """All entities that the server of that version has ("6.2.0", "6.0.1", "5.0.1", "4.10")."""
    lines = TABLE.replace("\n    ", " ").strip().splitlines()
    found = (_entity(line, _release(version)) for line in lines)
    entities = {entity.name: entity for entity in found if entity}
    for entity in entities.values():
        for relation in entity.to_one.values():
            aim = entities[relation.target]
            aim.to_many[relation.inverse] = ToMany(relation.inverse, entity.name, relation.name)
    return entities
