"""This file is the orders of a list: what each sort compares, and how a page goes on where the last one ended.

Every order is total: by value, then by pid (as code points). A document without the value comes last in either direction.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Protocol, TypeVar

import msgspec

from catalogue.query import Position, Search, Sort
from schema.errors import CursorInvalid

Value = int | str
TIES = 10_000  # equal scores that are put in order of pid; a longer run keeps the engine's order
CLOSE = 2e-6  # scores nearer than this, relatively, are equal: both engines reckon in single precision

Ref = TypeVar("Ref")


class Ordering(msgspec.Struct, frozen=True):
    """The column a sort compares, and which way."""

    column: str
    descending: bool = False
    textual: bool = False


ORDERINGS = {
    Sort.NEWEST: Ordering("started", descending=True),
    Sort.OLDEST: Ordering("started"),
    Sort.RELEASED: Ordering("released", descending=True),
    Sort.TITLE: Ordering("title", textual=True),
    Sort.CHANGED: Ordering("number"),
}


class Row(msgspec.Struct, frozen=True):
    """A document on a page: its value in the order (None: it has none), its pid, its JSON."""

    value: Value | None
    pid: str
    raw: bytes


class Shelf(Protocol):
    """What an engine answers about one search in one order."""

    def beyond(self, value: Value | None, limit: int) -> list[Row]:
        """The first documents that have a value, beyond `value` if that is given; among equals in any order."""

    def among(self, value: Value | None, pid: str | None, limit: int) -> list[Row]:
        """The first documents by pid with exactly that value (None: without one), above `pid` if that is given."""


def sort_of(search: Search) -> Sort:
    """The sort that is meant: relevance without words is newest first."""
    relevant = search.asked.words or search.asked.phrases
    return Sort.NEWEST if search.sort is Sort.RELEVANCE and not relevant else search.sort


def page(shelf: Shelf, after: Position | None, textual: bool, limit: int) -> list[Row]:
    """The next `limit` documents after the position (the first ones without)."""
    if after is None:
        rows: list[Row] = []
        rows += _valued(shelf, None, limit)
    else:
        value = read(after.value, textual)
        rows = shelf.among(value, after.pid, limit)
        if value is None:
            return rows
        rows += _valued(shelf, value, limit - len(rows))
    return rows + shelf.among(None, None, limit - len(rows)) if len(rows) < limit else rows


def _valued(shelf: Shelf, value: Value | None, limit: int) -> list[Row]:
    """Documents beyond `value` in full order: the last run of equals is read again by pid when the page cuts it."""
    if limit <= 0:
        return []
    found = shelf.beyond(value, limit + 1)
    rows = [row for _, run in groupby(found, key=_value) for row in sorted(run, key=_pid)]
    if len(rows) > limit and rows[limit].value == rows[limit - 1].value:
        cut = rows[limit].value
        whole = [row for row in rows if row.value != cut]
        return whole + shelf.among(cut, None, limit - len(whole))
    return rows[:limit]


def written(value: Value | None) -> str:
    """A value as a position carries it: empty for none, else marked so that an empty title is something."""
    return "" if value is None else f"={value}"


def read(text: str, textual: bool) -> Value | None:
    """The value of `written`. Raises CursorInvalid on anything else."""
    if not text:
        return None
    try:
        if text[0] != "=":
            raise ValueError(text)
        return text[1:] if textual else int(text[1:])
    except ValueError:
        raise CursorInvalid("This cursor does not belong to this order. Begin at the first page again.") from None


def settled(
    fetch: Callable[[int], list[tuple[float, Ref]]], pid: Callable[[Ref], str], offset: int, limit: int
) -> list[tuple[float, Ref]]:
    """Ranks `offset` to `offset + limit` by falling score, equal scores by pid.

    `fetch` gives the best n in the engine's own order, which must be the same for every n.
    """
    wanted = offset + limit
    reach = wanted + 16
    while True:
        found = fetch(reach)
        runs = _runs([score for score, _ in found])
        last = next(((first, end) for first, end in runs if first < wanted <= end), (0, len(found)))
        if last[1] < len(found) or len(found) < reach or last[1] - last[0] > TIES:
            break
        reach = max(reach * 4, last[0] + TIES // 4) if reach < last[0] + TIES else last[0] + TIES + 2
    ordered: list[tuple[float, Ref]] = []
    start = 0
    for first, end in runs:
        if end <= offset:
            start = end
        elif first < wanted:
            ordered += _by_pid(found[first:end], pid)
    return ordered[offset - start : wanted - start]


def _by_pid(run: list[tuple[float, Ref]], pid: Callable[[Ref], str]) -> list[tuple[float, Ref]]:
    return run if len(run) == 1 or len(run) > TIES else sorted(run, key=lambda hit: pid(hit[1]))


def _runs(scores: list[float]) -> list[tuple[int, int]]:
    """First and end of every run of equal scores."""
    runs: list[tuple[int, int]] = []
    first = 0
    for place in range(1, len(scores) + 1):
        if place == len(scores) or scores[place - 1] - scores[place] > CLOSE * abs(scores[place - 1]):
            runs.append((first, place))
            first = place
    return runs


def _value(row: Row) -> Value | None:
    return row.value


def _pid(row: Row) -> str:
    return row.pid
