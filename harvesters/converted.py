"""This file is what came of a page: records on one side, rejects on the other."""

from __future__ import annotations

from collections.abc import Iterable

from schema.records import AnyRecord, Reject


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
