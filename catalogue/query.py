"""This file is the search query tree: what is asked of an index, whichever engine answers.

A query is a conjunction of clauses. Visibility is not a clause but part of `Search` itself (`scope`, `groups`): no query
can be written without it.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from schema.records import Document, Kind
from schema.text import Asked


class Scope(StrEnum):
    """Two worlds that never mix in one list: the public index, and what is not public but open to the viewer's groups."""

    PUBLIC = "PUBLIC"
    MINE = "MINE"


class Sort(StrEnum):
    """Orders. RELEVANCE without words is NEWEST. CHANGED (by public number, rising) is for feeds."""

    RELEVANCE = "RELEVANCE"
    NEWEST = "NEWEST"
    OLDEST = "OLDEST"
    RELEASED = "RELEASED"
    TITLE = "TITLE"
    CHANGED = "CHANGED"


class Field(StrEnum):
    """Fields whose values are compared whole. Reference fields hold pids and folded names, so either finds them."""

    PID = "pid"
    FACILITY = "facility"
    SOURCE = "source"
    INSTRUMENT = "instrument"
    TECHNIQUE = "technique"  # PaNET IRIs with all ancestors, plus the folded words of unresolved ones
    TECHNIQUE_EXACT = "technique_exact"
    SAMPLE = "sample"
    PERSON = "person"
    INVESTIGATION = "investigation"
    KEYWORD = "keyword"
    FILE_FORMAT = "file_format"
    ACCESS = "access"
    YEAR = "year"
    PARAMETER_NAME = "parameter_name"

    __hash__ = str.__hash__  # as that of Kind


class Instant(StrEnum):
    """Fields of time."""

    STARTED = "started"
    RELEASED = "released"


class AnyOf(msgspec.Struct, frozen=True, tag=True):
    """The field holds at least one of the values."""

    field: Field
    values: tuple[str, ...]


class Between(msgspec.Struct, frozen=True, tag=True):
    """The instant lies in [start, before): `before` is exclusive, either may be open."""

    field: Instant
    start: datetime | None = None
    before: datetime | None = None


class ParameterIs(msgspec.Struct, frozen=True, tag=True):
    """One parameter of that name (folded; standard or the facility's) satisfies all of the rest.

    `min` and `max` (both included) are SI values of `dimension`; a stored range satisfies when it overlaps. With `dimension`
    None the plain values are compared (a parameter without unit). `text`: the parameter's text is one of these, folded.
    """

    name: str
    min: float | None = None
    max: float | None = None
    dimension: str | None = None
    text: tuple[str, ...] = ()


Clause = AnyOf | Between | ParameterIs


class FacetWish(msgspec.Struct, frozen=True):
    """A facet to count. `field` PARAMETER_NAME..ACCESS give term buckets; YEAR gives years; with `parameter` it is a
    histogram over that parameter's SI values of `dimension` in `bins` equal bins between the smallest and largest."""

    field: Field | None
    parameter: str | None = None
    dimension: str | None = None
    size: int = 10
    bins: int = 20


class Search(msgspec.Struct, frozen=True):
    """One question to an index. `groups` are the viewer's (only looked at in scope MINE)."""

    kind: Kind = Kind.DATASET
    scope: Scope = Scope.PUBLIC
    groups: frozenset[str] = frozenset()
    asked: Asked = Asked()
    clauses: tuple[Clause, ...] = ()
    facets: tuple[FacetWish, ...] = ()
    sort: Sort = Sort.RELEVANCE
    first: int = 10
    after: Position | None = None


class Position(msgspec.Struct, frozen=True):
    """Where a page ended: the generation of the searcher, the last hit's sort value and pid. The gateway signs it."""

    generation: str
    sort: Sort
    value: str
    pid: str
    offset: int


class Hit(msgspec.Struct, frozen=True):
    """One found document, as stored (`raw` is its JSON, for projection without decoding), with its score (None if sorted by a field)."""

    raw: bytes
    score: float | None
    position: Position

    def document(self) -> Document:
        """The document, decoded."""
        return _decode(self.raw)


class Bucket(msgspec.Struct, frozen=True):
    """A value of a facet and how many documents hold it; `low` and `high` bound a histogram's bin (high exclusive, the last included)."""

    value: str
    label: str
    count: int
    low: float | None = None
    high: float | None = None


class Facet(msgspec.Struct, frozen=True):
    """A counted facet: every clause but those on its own field was applied. `missing`: documents without the field;
    `other`: documents with values beyond those listed."""

    wish: FacetWish
    buckets: tuple[Bucket, ...]
    missing: int
    other: int


class Found(msgspec.Struct, frozen=True):
    """The answer: exact total, the page, whether more follow, the facets, and the matches of each source."""

    total: int
    hits: tuple[Hit, ...]
    more: bool
    facets: tuple[Facet, ...]
    sources: dict[str, int]


class Suggestion(msgspec.Struct, frozen=True):
    """A completion from public records: `kind` is technique, instrument, sample, keyword, person, investigation or parameter;
    `value` is what the matching filter takes."""

    text: str
    kind: str
    value: str
    count: int


_decode = msgspec.json.Decoder(Document).decode
