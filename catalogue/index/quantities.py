"""This file is how parameters become comparable columns: paths of name and dimension, ordered keys, slots of ranges.

The scheme and its reasons: reference "embedded index", section 1. A path holds nothing but our own hexadecimal digits, a key is our own
integer, so a filter written with them can carry nothing a reader typed.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b

import msgspec

from schema.records import Parameter
from schema.text import fold

VALUE_LENGTH = 256
SLOTS = 8  # ranges of one name in one document that are compared as pairs; see `slots`


class Quantity(msgspec.Struct, frozen=True):
    """Numbers of one parameter name in one dimension (None: plain numbers) as one document has them.

    `points` are single values and the finite ends of ranges, sorted, once each: what a histogram counts. `ranges` are (low, high), an
    open end being infinite, none overlapping another, sorted.
    """

    path: str
    points: tuple[float, ...]
    ranges: tuple[tuple[float, float], ...]


def folded(value: str) -> str:
    """A value as filters compare it: folded, at most 256 characters."""
    return _folded(value) if len(value) <= VALUE_LENGTH else fold(value)[:VALUE_LENGTH]


@lru_cache(maxsize=65_536)
def _folded(value: str) -> str:
    """Values come again and again."""
    return fold(value)[:VALUE_LENGTH]


@lru_cache(maxsize=65_536)
def path(name: str, dimension: str | None, text: str | None = None) -> str:
    """The column of the folded parameter name in that dimension (of those with that folded text, when it is given)."""
    told = "\x1f".join((name, dimension or "", *(() if text is None else (text,))))
    return "k" + blake2b(told.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def key(value: float) -> int:
    """An integer that orders as the double does (minus zero is zero); the value must not be NaN."""
    bits: int = struct.unpack("<q", struct.pack("<d", value + 0.0))[0]
    return bits if bits >= 0 else -(bits & 0x7FFF_FFFF_FFFF_FFFF)


def names_of(parameter: Parameter) -> tuple[str, ...]:
    """The folded names a parameter is found by: the standard one first, then the facility's."""
    return _names(parameter.name, parameter.source_name)


@lru_cache(maxsize=65_536)
def _names(*given: str) -> tuple[str, ...]:
    return tuple(name for name in dict.fromkeys(map(folded, given)) if name)


def span(parameter: Parameter) -> tuple[str | None, float, float] | None:
    """Dimension, low and high of a parameter that has numbers (low equals high for a single value), or None.

    With a dimension the SI numbers count, without one the plain numbers as given. An end that is not given is infinite.
    """
    if parameter.dimension is not None:
        value, low, high = parameter.si_value, parameter.si_min, parameter.si_max
    else:
        value, low, high = parameter.value, parameter.min, parameter.max
    if value is not None:
        return (parameter.dimension, value + 0.0, value + 0.0) if math.isfinite(value) else None
    ends = (-math.inf if low is None else low + 0.0, math.inf if high is None else high + 0.0)
    if any(map(math.isnan, ends)) or ends == (-math.inf, math.inf):
        return None
    return parameter.dimension, min(ends), max(ends)


def quantities(parameters: Iterable[Parameter]) -> tuple[Quantity, ...]:
    """All comparable columns of a document's parameters."""
    points: dict[str, set[float]] = {}
    ranges: dict[str, list[tuple[float, float]]] = {}
    for parameter in parameters:
        spanned = span(parameter)
        if spanned is None:
            continue
        dimension, low, high = spanned
        text = folded(parameter.text) if parameter.text else None
        for name in names_of(parameter):
            for told in (None,) if text is None else (None, text):
                column = path(name, dimension, told)
                if low == high:
                    points.setdefault(column, set()).add(low)
                else:
                    points.setdefault(column, set()).update(end for end in (low, high) if math.isfinite(end))
                    ranges.setdefault(column, []).append((low, high))
    return tuple(
        Quantity(column, tuple(sorted(values)), _apart(ranges.get(column, ()))) for column, values in points.items()
    )


def parameter_texts(parameters: Iterable[Parameter]) -> tuple[str, ...]:
    """`path=text` of the parameters that are words."""
    told: dict[str, None] = {}
    for parameter in parameters:
        if parameter.text:
            text = folded(parameter.text)
            told.update(dict.fromkeys(f"{path(name, None)}={text}" for name in names_of(parameter)))
    return tuple(told)


def slots(quantity: Quantity) -> tuple[tuple[float, float], ...]:
    """The ranges that are compared as pairs: the widest SLOTS of them.

    A narrower one of a document with more ranges of one name is still found by its ends, not by a question wholly inside it.
    """
    if len(quantity.ranges) <= SLOTS:
        return quantity.ranges
    return tuple(sorted(quantity.ranges, key=lambda ends: (ends[0] - ends[1], ends))[:SLOTS])


def _apart(ranges: Iterable[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Overlapping ranges made one: what overlaps the union overlaps one of them, and the other way round."""
    merged: list[tuple[float, float]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], high))
        else:
            merged.append((low, high))
    return tuple(merged)
