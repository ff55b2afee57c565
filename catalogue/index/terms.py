"""This file is what an index keeps of a document besides its JSON: the terms, values, numbers and labels of every field.

Pure, and the same for both engines: they hold what is decided here and nothing of their own, so that they answer alike.
"""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from catalogue.index.mentions import Label, Mentioned, mentions
from catalogue.index.vocabulary import Techniques
from catalogue.index.wording import texts
from catalogue.query import Field
from schema.records import AnyRecord, Dataset, Document, Instrument, Investigation, Parameter, Publication, Sample
from schema.text import fold

TITLE_LENGTH = 64  # characters of the folded title that order by TITLE
FACETS = tuple(field for field in Field if field is not Field.PID)  # every field but this can be counted
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = (datetime(1970, 1, 1, 0, 0, 0, 1) - datetime(1970, 1, 1)).resolution


class Terms(msgspec.Struct, frozen=True, gc=False):
    """One document as an index keeps it.

    `texts` by text field (see wording), `mentioned` what facets count, filters find and suggestions complete, sort by sort. Times are
    microseconds since 1970 (UTC). `parameters` are what quantities and their texts are made of, which the engines keep in their own ways.
    """

    pid: str
    version: int
    number: int | None
    texts: dict[str, str]
    mentioned: tuple[Mentioned, ...]
    started: int | None
    released: int | None
    title: str
    parameters: tuple[Parameter, ...]
    groups: tuple[str, ...]
    public: bool

    @property
    def values(self) -> dict[Field, tuple[str, ...]]:
        """The values that facets count and filters find."""
        return {field: values for one in self.mentioned for field, values in one.values.items()}

    @property
    def also(self) -> dict[Field, tuple[str, ...]]:
        """Further names that filters find, folded."""
        return {field: names for one in self.mentioned for field, names in one.also.items()}

    @property
    def labels(self) -> tuple[Label, ...]:
        """What to show for values that do not show themselves."""
        return tuple(label for one in self.mentioned for label in one.labels)

    @property
    def completions(self) -> tuple[str, ...]:
        """What suggestions are found by; nothing of what is not public."""
        return tuple(entry for one in self.mentioned for entry in one.completions) if self.public else ()


def micros(moment: datetime) -> int:
    """An aware time as whole microseconds since 1970 (UTC)."""
    return (moment - _EPOCH) // _MICROSECOND


def started_of(record: AnyRecord) -> datetime | None:
    """The time a record is found and ordered by: its start, or when it was published."""
    if isinstance(record, Dataset | Investigation):
        return record.start
    if isinstance(record, Publication):
        return record.published or (
            datetime(record.year, 1, 1, tzinfo=UTC) if record.year and 1 <= record.year <= 9999 else None
        )
    return None


def released_of(record: AnyRecord) -> datetime | None:
    """When a record's data became or become open."""
    if isinstance(record, Dataset | Investigation):
        return record.release
    return record.published if isinstance(record, Publication) else None


def title_of(record: AnyRecord) -> str:
    """What a record is called."""
    return record.name if isinstance(record, Instrument | Sample) else record.title


def title_key(record: AnyRecord) -> str:
    """What TITLE orders by (as code points)."""
    return fold(title_of(record))[:TITLE_LENGTH]


def terms(document: Document, techniques: Techniques, *, public: bool) -> Terms:
    """The document as an index keeps it."""
    record = document.record
    started, released = started_of(record), released_of(record)
    year = None if started is None else started.astimezone(UTC).year
    mentioned = tuple(mentions(document, year, techniques))
    return Terms(
        pid=record.pid,
        version=document.version,
        number=document.public_number,
        texts=texts(
            record, [sort.names for sort in mentioned if sort.names], [sort.body for sort in mentioned if sort.body]
        ),
        mentioned=mentioned,
        started=None if started is None else micros(started),
        released=None if released is None else micros(released),
        title=title_key(record),
        parameters=getattr(record, "parameters", ()),
        groups=() if public else record.visibility.groups,
        public=public,
    )
