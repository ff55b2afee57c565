"""This file is the records the federation keeps, frozen, in the field's words (design section 6).

A crosswalk makes a record whose references (`InvestigationPart`, `InstrumentPart`, `SamplePart`) hold at least the id at
the source; `join` in `schema/documents.py` fills them from the records they name. Times are aware and in UTC.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from schema.access import PUBLIC, Access, Visibility


class Kind(StrEnum):
    """The kinds of record; the value is the word in pids (`<facility>/<kind>/<id>`) and in the tables."""

    DATASET = "dataset"
    INVESTIGATION = "investigation"
    PUBLICATION = "publication"
    INSTRUMENT = "instrument"
    SAMPLE = "sample"

    __hash__ = str.__hash__  # an enum's own is slow, and not the hash of the text that it equals


class Part(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=False, gc=False):
    """A value that is part of a record. Frozen and made of values, it is never in a cycle: the collector need not look (`gc`)."""


class Person(Part, frozen=True):
    """Somebody who took part. `role` is the source's word (Principal investigator, Creator, Owner, …)."""

    name: str
    orcid: str | None = None
    role: str | None = None
    affiliation: str | None = None


class Technique(Part, frozen=True):
    """An experimental technique: a PaNET IRI with its label, or the source's words alone (`pid` None)."""

    name: str
    pid: str | None = None
    source_name: str | None = None


class Parameter(Part, frozen=True):
    """A measured or set quantity: as given (`source_name`, value or text or range, unit) and in SI when convertible.

    `name` is the federation's standard name when the facility's mapping knows one, else `source_name`.
    """

    name: str
    source_name: str
    value: float | None = None
    text: str | None = None
    min: float | None = None
    max: float | None = None
    unit: str | None = None
    si_value: float | None = None
    si_min: float | None = None
    si_max: float | None = None
    si_unit: str | None = None
    dimension: str | None = None


class FileTotals(Part, frozen=True):
    """How many files, how many bytes, in which formats (lower-case endings or the source's words)."""

    count: int | None = None
    bytes: int | None = None
    formats: tuple[str, ...] = ()


class InvestigationPart(Part, frozen=True):
    """The investigation a dataset belongs to. `id` is its id at the source."""

    id: str | None = None
    pid: str | None = None
    title: str | None = None
    proposal: str | None = None
    start: datetime | None = None
    end: datetime | None = None
    abstract: str | None = None


class InstrumentPart(Part, frozen=True):
    """An instrument a dataset was made with. Without `id`, the source gave a name only."""

    id: str | None = None
    pid: str | None = None
    name: str | None = None


class SamplePart(Part, frozen=True):
    """A sample a dataset looks at."""

    id: str | None = None
    pid: str | None = None
    name: str | None = None
    formula: str | None = None
    type: str | None = None


class Related(Part, frozen=True):
    """A typed link to something else: `relation` in DataCite's words (IsDerivedFrom, IsCitedBy, References, …)."""

    identifier: str
    relation: str
    type: str | None = None
    title: str | None = None


class Detail(Part, frozen=True):
    """A searchable, readable fact of the source that has no field of its own, under the source's own name."""

    name: str
    text: str


class Record(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", kw_only=True, gc=False):
    """What every record has. It is kept under (source, kind, id); `pid` is its public name.

    `source` is "facility/source"; `modified` is the source's modification time; `source_url` a page or API address there.
    `revision` is the adapter's token of the record's state at the source: an id sweep that names another one has it fetched again.
    """

    source: str
    id: str
    pid: str
    facility: str
    visibility: Visibility = PUBLIC
    modified: datetime | None = None
    revision: str | None = None
    source_url: str | None = None
    details: tuple[Detail, ...] = ()

    @property
    def kind(self) -> Kind:
        """The kind of record this is."""
        return KIND_OF[type(self)]


class Dataset(Record, frozen=True, omit_defaults=True, tag="dataset", kw_only=True):
    """One measured, simulated or derived set of files with its circumstances.

    `location` is the path at the home site (for triggers; never shown to whom the dataset is not visible).
    """

    title: str
    doi: str | None = None
    type: str | None = None
    description: str | None = None
    investigation: InvestigationPart | None = None
    instruments: tuple[InstrumentPart, ...] = ()
    techniques: tuple[Technique, ...] = ()
    samples: tuple[SamplePart, ...] = ()
    people: tuple[Person, ...] = ()
    keywords: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    release: datetime | None = None
    access: Access = Access.CLOSED
    license: str | None = None
    files: FileTotals = FileTotals()
    location: str | None = None
    related: tuple[Related, ...] = ()


class Investigation(Record, frozen=True, omit_defaults=True, tag="investigation", kw_only=True):
    """A proposal, visit or experiment under which datasets are made."""

    title: str
    proposal: str | None = None
    doi: str | None = None
    type: str | None = None
    abstract: str | None = None
    instruments: tuple[InstrumentPart, ...] = ()
    people: tuple[Person, ...] = ()
    keywords: tuple[str, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    release: datetime | None = None
    related: tuple[Related, ...] = ()


class Publication(Record, frozen=True, omit_defaults=True, tag="publication", kw_only=True):
    """A published, citable thing with a DOI that datasets belong to (`datasets`: their ids at the source)."""

    title: str
    doi: str | None = None
    type: str | None = None
    abstract: str | None = None
    people: tuple[Person, ...] = ()
    publisher: str | None = None
    year: int | None = None
    published: datetime | None = None
    license: str | None = None
    keywords: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    related: tuple[Related, ...] = ()


class Instrument(Record, frozen=True, omit_defaults=True, tag="instrument", kw_only=True):
    """A beamline or end station."""

    name: str
    full_name: str | None = None
    description: str | None = None
    type: str | None = None
    url: str | None = None
    techniques: tuple[Technique, ...] = ()


class Sample(Record, frozen=True, omit_defaults=True, tag="sample", kw_only=True):
    """A sample, as the source describes it."""

    name: str
    formula: str | None = None
    type: str | None = None
    description: str | None = None
    investigation: InvestigationPart | None = None
    parameters: tuple[Parameter, ...] = ()


AnyRecord = Dataset | Investigation | Publication | Instrument | Sample

KIND_OF: dict[type, Kind] = {
    Dataset: Kind.DATASET,
    Investigation: Kind.INVESTIGATION,
    Publication: Kind.PUBLICATION,
    Instrument: Kind.INSTRUMENT,
    Sample: Kind.SAMPLE,
}


class Reject(msgspec.Struct, frozen=True, gc=False):
    """A record that was refused: where it came from, a stable reason, a sentence, the raw record as it came (capped), and the source's
    token of the refused state (as `Record.revision`)."""

    source: str
    kind: str
    id: str
    reason: str
    message: str
    raw: str
    revision: str | None = None


class Provenance(msgspec.Struct, frozen=True, gc=False):
    """One way a record reached us; `kind` is the kind of catalogue (scicat, icat, …), empty when the federation no longer says."""

    source: str
    kind: str
    source_id: str
    harvested: datetime
    primary: bool
    source_url: str | None = None
    modified: datetime | None = None


class Document(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """A record as it is searched and shown: joined, canonical for its pid, complete as stored.

    `public_number` and `public_time` are the public change sequence (None while the record is not public): the only
    numbers outsiders see. `version` is the internal change number and never leaves the house.
    """

    record: AnyRecord
    provenance: tuple[Provenance, ...]
    version: int
    public_number: int | None = None
    public_time: datetime | None = None


def encode(record: AnyRecord) -> bytes:
    """A record as canonical JSON (field order fixed by the struct): equal records give equal bytes."""
    return msgspec.json.encode(record)


def decode(data: bytes | str) -> AnyRecord:
    """The record of `encode`. Raises msgspec.ValidationError on anything else."""
    return _RECORD.decode(data)


def encode_document(document: Document) -> bytes:
    """A document as JSON, for the index's store."""
    return msgspec.json.encode(document)


def decode_document(data: bytes | str) -> Document:
    """The document of `encode_document`."""
    return _DOCUMENT.decode(data)


_RECORD: msgspec.json.Decoder[AnyRecord] = msgspec.json.Decoder(AnyRecord)
_DOCUMENT: msgspec.json.Decoder[Document] = msgspec.json.Decoder(Document)
