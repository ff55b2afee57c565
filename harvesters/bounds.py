"""This file is how much a source may bring: records in one answer, and answers in one list.

Numbers: reliability reference, section 8 (harvest fetch). A list is counted from where it is read on: a harvest that is gone on with
counts anew, and has its 24 hours anew too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from schema.errors import StopHarvest

RECORDS = 10_000
PAGES = 100_000

T = TypeVar("T")


def whole(rows: list[Any], name: str) -> list[Any]:
    """The rows of one answer. Raises StopHarvest when they are more than one may have, whatever was asked for: the server does not keep
    to the limit of our question."""
    if len(rows) > RECORDS:
        raise StopHarvest(
            "too-many-records",
            f"{name} brought {len(rows):,} records in one answer, and {RECORDS:,} are the most that may come: the limit of the "
            "request was not kept to. Ask the source's operators whether something in front of it drops the request's parameters.",
        )
    return rows


def ending(pages: Iterable[T], name: str) -> Iterator[T]:
    """The pages of one list. Raises StopHarvest for one that goes on and on."""
    for number, page in enumerate(pages, start=1):
        if number > PAGES:
            raise StopHarvest(
                "endless",
                f"{name} did not end within {PAGES:,} pages. If there really is that much, set a larger `pageSize` for this source; "
                "else ask its operators why the list does not end.",
            )
        yield page
