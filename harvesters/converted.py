"""This file is what came of a page: records on one side, rejects on the other."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from schema.records import AnyRecord, Reject


def told(made: AnyRecord | Reject, revision: str | None) -> AnyRecord | Reject:
    """What was made; a reject remembers which state of the record was refused."""
    return replace(made, revision=revision) if isinstance(made, Reject) else made


def converted(made: Iterable[AnyRecord | Reject]) -> tuple[tuple[AnyRecord, ...], tuple[Reject, ...]]:
    """The records and the rejects among what a crosswalk made, each in order."""
    records: list[AnyRecord] = []
    rejects: list[Reject] = []
    for each in made:
        if isinstance(each, Reject):
            rejects.append(each)
        else:
            records.append(each)
    return tuple(records), tuple(rejects)
