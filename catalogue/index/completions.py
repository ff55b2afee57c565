"""This file is what suggestions are made of: entries that complete a beginning, and how found ones are ranked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from catalogue.query import Field, Suggestion
from schema.text import clean, prefix

LIMIT = 5_000  # entries looked at for one beginning
SHORTEST = 2  # characters of a beginning that is answered
_BEGINNINGS = 6  # an entry completes from each of its first words
_LENGTH = 80  # characters of a beginning that are compared
_PART = "\x1f"

# The kind of suggestion and the filter that takes its value.
FILTERS: dict[str, Field] = {
    "technique": Field.TECHNIQUE,
    "instrument": Field.INSTRUMENT,
    "sample": Field.SAMPLE,
    "keyword": Field.KEYWORD,
    "person": Field.PERSON,
    "investigation": Field.INVESTIGATION,
    "parameter": Field.PARAMETER_NAME,
}


def entries(kind: str, value: str, text: str) -> Iterator[str]:
    """The terms under which `text` is found by the beginning of any of its first words (some may come twice)."""
    shown = clean(text).strip()[:256]
    left = prefix(shown)
    tail = _PART + _PART.join((kind, value, shown))
    for _ in range(_BEGINNINGS):
        if not left:
            return
        yield left[:_LENGTH] + tail
        left = left.partition(" ")[2]


def beginning(text: str) -> str | None:
    """What entries are compared by for a typed text, or None when it is too short to answer."""
    typed = prefix(text[:256])[:_LENGTH]
    return typed if len(typed) >= SHORTEST else None


def ranked(found: Iterable[tuple[str, int]], first: int, exact: Callable[[Field, str], int]) -> list[Suggestion]:
    """The best `first` completions of found entries with their counts: most documents first, then by text.

    One value appears once, under its most frequent spelling; `exact` counts the documents that the value's filter finds.
    """
    spellings: dict[tuple[str, str], tuple[int, str]] = {}
    for term, count in found:
        _, kind, value, text = term.split(_PART, 3)
        best = spellings.get((kind, value))
        if count and (best is None or (-count, text) < best):
            spellings[kind, value] = (-count, text)
    order = sorted(spellings.items(), key=lambda item: (item[1], item[0]))[: first * 2]
    counted = [
        Suggestion(text=text, kind=kind, value=value, count=exact(FILTERS[kind], value))
        for (kind, value), (_, text) in order
    ]
    counted.sort(key=lambda suggestion: (-suggestion.count, suggestion.text, suggestion.kind, suggestion.value))
    return counted[:first]
