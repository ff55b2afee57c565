"""This file is what a facet counts, whichever engine counts it: which clauses it leaves out, its bins, its listed values."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import pairwise

import msgspec

from catalogue.index.quantities import folded, path
from catalogue.query import AnyOf, Between, Bucket, Clause, Facet, FacetWish, Field, Instant, ParameterIs

EXACT = 65_000  # values that an engine counts exactly in one go
SIZE = 100  # most values listed
BINS = 200  # most bins

Label = Callable[[Field, str], str]


class Counted(msgspec.Struct, frozen=True):
    """What an engine counted of a field: (value, documents), the documents without, those with a value that is not listed."""

    values: tuple[tuple[str, int], ...]
    missing: int
    other: int


def size_of(wish: FacetWish) -> int:
    """How many values are listed; of years as many as bins were asked for."""
    return max(1, min(wish.bins, BINS) if wish.field is Field.YEAR else min(wish.size, SIZE))


def own(wish: FacetWish, clause: Clause) -> bool:
    """Whether the clause is on the facet's own field, so that the facet is counted without it."""
    if wish.field is None:
        return isinstance(clause, ParameterIs) and folded(clause.name) == folded(wish.parameter or "")
    if isinstance(clause, AnyOf):
        return clause.field in _OWN.get(wish.field, (wish.field,))
    return wish.field is Field.YEAR and isinstance(clause, Between) and clause.field is Instant.STARTED


_TECHNIQUES = (Field.TECHNIQUE, Field.TECHNIQUE_EXACT)
_OWN = {Field.TECHNIQUE: _TECHNIQUES, Field.TECHNIQUE_EXACT: _TECHNIQUES}


def clauses_for(wish: FacetWish, clauses: Sequence[Clause]) -> tuple[Clause, ...]:
    """The clauses that a facet is counted with."""
    return tuple(clause for clause in clauses if not own(wish, clause))


def listed(wish: FacetWish, counted: Sequence[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    """The values that are listed: the most frequent (equal ones by value), of years the latest, in the order of time."""
    if wish.field is Field.YEAR:
        return tuple(sorted(counted)[-size_of(wish) :])
    return tuple(sorted(counted, key=lambda pair: (-pair[1], pair[0]))[: size_of(wish)])


def column(wish: FacetWish) -> str:
    """The column of numbers that a histogram is made of."""
    return path(folded(wish.parameter or ""), wish.dimension)


def edges(low: float, high: float, bins: int) -> tuple[float, ...]:
    """The edges of equal bins from low to high: one bin when they are equal, none of no width."""
    count = max(1, min(bins, BINS))
    between = (low * (1 - step / count) + high * (step / count) for step in range(1, count))
    inner = dict.fromkeys(edge for edge in between if low < edge < high and math.isfinite(edge))
    return (low, *inner, high)


def of_values(wish: FacetWish, counted: Counted, label: Label) -> Facet:
    """The facet of a field."""
    field = wish.field
    assert field is not None
    buckets = tuple(Bucket(value, label(field, value), count) for value, count in counted.values)
    return Facet(wish, buckets, counted.missing, counted.other)


def of_bins(wish: FacetWish, bounds: Sequence[float], counts: Sequence[int], missing: int) -> Facet:
    """The histogram of a parameter: one bucket between each edge and the next."""
    buckets = tuple(
        Bucket(f"{low!r}..{high!r}", f"{low:.6g} – {high:.6g}", count, low, high)
        for (low, high), count in zip(pairwise(bounds), counts, strict=True)
    )
    return Facet(wish, buckets, missing, 0)
