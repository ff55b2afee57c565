"""This file is how well a document that is not public answers words, reckoned from public statistics alone.

Okapi BM25 (k1 1.2, b 0.75) as both engines reckon it, without their rounding of lengths. A score made from the statistics of the
restricted index would tell a viewer about documents of others; this one is a function of the document and of what everybody may see.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import msgspec

from catalogue.index.wording import TIE_BREAKER, WEIGHTS
from schema.text import Asked

CEILING = 5_000  # matches that are scored; with more, MINE is newest first
_K1 = 1.2
_B = 0.75


class Statistics(msgspec.Struct, frozen=True):
    """Public statistics: documents, mean length of each text field, documents that hold a term in a field."""

    documents: int
    lengths: Mapping[str, float]
    frequency: Callable[[str, str], int]


def score(asked: Asked, texts: Mapping[str, str], statistics: Statistics) -> float:
    """The score of a document with those words in its text fields."""
    wanted = [(word,) for word in asked.words] + list(asked.phrases)
    fields = {field: text.split(" ") for field, text in texts.items()}
    return sum(_best([_field(terms, field, words, statistics) for field, words in fields.items()]) for terms in wanted)


def _best(scores: list[float]) -> float:
    top = max(scores, default=0.0)
    return top + TIE_BREAKER * (sum(scores) - top)


def _field(terms: tuple[str, ...], field: str, words: list[str], statistics: Statistics) -> float:
    times = occurrences(terms, words)
    if not times:
        return 0.0
    weight = WEIGHTS[field] * sum(_rarity(statistics.frequency(field, term), statistics.documents) for term in terms)
    mean = statistics.lengths.get(field, 0.0) or 1.0
    return weight * (_K1 + 1) * times / (times + _K1 * (1 - _B + _B * len(words) / mean))


def occurrences(terms: tuple[str, ...], words: list[str]) -> int:
    """How often the terms stand in the words, one after the other."""
    if len(terms) == 1:
        return words.count(terms[0])
    length = len(terms)
    return sum(tuple(words[at : at + length]) == terms for at in range(len(words) - length + 1))


def _rarity(frequency: int, documents: int) -> float:
    return math.log1p((max(0, documents - frequency) + 0.5) / (frequency + 0.5))
