"""This file is what a unit means: value and unit as a facility wrote them, made comparable, or None.

In this order (pint alone never returns for ``9**9**9`` and reads ``N/A`` as newton per ampere):

1. our own table (``schema/unit_table``): spellings, names, words that mean no unit, symbols too ambiguous to convert;
2. a strict grammar for products, quotients and powers of those (at most 32 characters, exponents to 9);
3. pint, for a single word of letters that it knows as the full name of a unit, never for a symbol or an expression.

Nothing is guessed: what is not understood gives None, and whoever asked keeps the original. Conversions are made in
decimal from the value as it is written, and rounded once: 8.979 keV and 8979 eV are the same number of joules.
"""

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING

from schema.unit_names import may_be_known
from schema.unit_table import (
    AMBIGUOUS,
    BASES,
    NAMED,
    NO_UNIT,
    PREFIX_NAMES,
    PREFIXES,
    SCALES,
    SPELLINGS,
    SYMBOLS,
    WORDS,
)

if TYPE_CHECKING:
    import pint

UNIT_LENGTH = 32
EXPONENT = 9
_DEPTH = 4

_CONTEXT = Context(prec=60, traps=[])
_SIGNS = str.maketrans(
    {"º": "°", "˚": "°", "\u2212": "-", "\u207b": "-", "\u2010": "-", "\u2011": "-", "\u2013": "-"}
    | dict.fromkeys("·⋅∙•×∗", "*")
    | {"÷": "/", "\u2044": "/", "\u2215": "/", "µ": "μ"}
)
_DOT = re.compile(r"(?<=[^\W_]|\))\.(?=[^\W\d_]|\()")
_PER = re.compile(r"\s+per\s+", re.IGNORECASE)
_NAME = re.compile(r"e-(?!\d)|[mμun]?°[CFKk]?(?![^\W\d_])|[^\W\d_]+|[%‰]")
_POWER = re.compile(r"\s*(?:\^|\*\*)\s*(?:\(\s*([+-]?[0-9])\s*\)|([+-]?[0-9]))(?!\d)|(?<=[^\W\d_])([+-]?[0-9])(?!\d)")
_TIMES = re.compile(r"\s*\*(?!\*)\s*|\s+(?![*/)^])|(?<=[\d)])(?=[^\W\d_(])", re.UNICODE)
_OVER = re.compile(r"\s*/\s*")
_ONE = re.compile(r"1(?=\s*/)")
_LETTERS = re.compile(r"[^\W\d_]{4,}")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A value in SI: ``unit`` is canonical text, and two quantities are comparable when ``dimension`` is the same."""

    value: float
    unit: str
    dimension: str


@dataclass(frozen=True, slots=True)
class _Unit:
    """An exact factor to the base units and the power of each base; ``offset`` is added before (°C)."""

    factor: Fraction
    powers: Mapping[str, int]
    offset: Fraction = field(default=Fraction(0))


@dataclass(frozen=True, slots=True)
class _Scale:
    """How a unit's values become SI: (value + offset) · numerator / denominator."""

    offset: Decimal
    numerator: Decimal
    denominator: Decimal
    unit: str
    dimension: str


class _NotUnderstood(Exception):
    """The text is outside the grammar or holds a word nobody knows."""


def si(value: float, unit: str | None) -> Quantity | None:
    """The value in SI, or None: unknown, ambiguous or no unit, NaN, infinite or out of the range of a double."""
    scale = _scale(unit) if unit is not None and len(unit) <= 2 * UNIT_LENGTH else None
    number = _decimal(value) if scale is not None else None
    if scale is None or number is None:
        return None
    result = _finite(_CONTEXT.divide(_scaled(number, scale), scale.denominator), number)
    return None if result is None else Quantity(result, scale.unit, scale.dimension)


def convert(value: float, unit: str, to_unit: str) -> float | None:
    """The value in another unit of the same dimension, or None."""
    if max(len(unit), len(to_unit)) > 2 * UNIT_LENGTH:
        return None
    source, target, number = _scale(unit), _scale(to_unit), _decimal(value)
    if source is None or target is None or number is None or source.dimension != target.dimension:
        return None
    above = _CONTEXT.multiply(_scaled(number, source), target.denominator)
    below = _CONTEXT.multiply(source.denominator, target.numerator)
    return _finite(_CONTEXT.subtract(_CONTEXT.divide(above, below), target.offset), number)


def means_no_unit(unit: str | None) -> bool:
    """Whether the source says that there is no unit, or nothing (``""``, ``N/A``, ``none``, ``arb. units``)."""
    return unit is None or (len(unit) <= 2 * UNIT_LENGTH and _squashed(_normal(unit)).casefold() in NO_UNIT)


def _decimal(value: float) -> Decimal | None:
    """The value as it is written, not as it is stored: 8.979 and not 8.97899999999999920…"""
    try:
        number = float(value)
    except OverflowError:
        return None
    return Decimal(repr(number)) if math.isfinite(number) else None


def _scaled(number: Decimal, scale: _Scale) -> Decimal:
    return _CONTEXT.multiply(_CONTEXT.add(number, scale.offset), scale.numerator)


def _finite(result: Decimal, number: Decimal) -> float | None:
    value = float(result)
    vanished = value == 0.0 and not result.is_zero()
    return value if math.isfinite(value) and not vanished and not number.is_nan() else None


@lru_cache(maxsize=4_096)
def _scale(text: str) -> _Scale | None:
    try:
        unit = _whole(text)
    except _NotUnderstood:
        return None
    numerator, denominator = Decimal(unit.factor.numerator), Decimal(unit.factor.denominator)
    offset = _CONTEXT.divide(Decimal(unit.offset.numerator), Decimal(unit.offset.denominator))
    return _Scale(offset, numerator, denominator, _canonical(unit.powers), _dimension(unit.powers))


def _normal(text: str) -> str:
    signs = unicodedata.normalize("NFKC", text.translate(_SIGNS)).translate(_SIGNS).strip()
    if signs[:1] == "[" and signs[-1:] == "]":
        signs = signs[1:-1].strip()
    return signs


def _squashed(text: str) -> str:
    return "".join(text.split())


def _whole(text: str) -> _Unit:
    """The unit a whole text means: a scale, a name of several words, or an expression."""
    normal = _normal(text)
    squashed = _squashed(normal)
    if len(normal) > UNIT_LENGTH or squashed.casefold() in NO_UNIT or squashed in AMBIGUOUS:
        raise _NotUnderstood
    known = SPELLINGS.get(squashed) or (squashed if squashed in SYMBOLS else None) or _worded(squashed)
    if known in SCALES or squashed in SCALES:
        offset, factor = SCALES[known if known in SCALES else squashed]
        return _Unit(Fraction(factor), {"K": 1}, Fraction(offset))
    if known in SYMBOLS:
        return _symbol(known)
    return _expression(_DOT.sub("*", _PER.sub("/", known or normal)))


def _expression(text: str) -> _Unit:
    unit, at = _product(text, 0, 0)
    if at != len(text):
        raise _NotUnderstood
    return unit


def _product(text: str, at: int, depth: int) -> tuple[_Unit, int]:
    """``a b*c/d/e``; a product after a quotient is refused, since nobody knows what ``W/m2 K`` means."""
    divided = False
    if match := _ONE.match(text, at) or _OVER.match(text, at):
        unit, at = _Unit(Fraction(1), {}), match.end() if match[0] == "1" else at
    else:
        unit, at = _power(text, at, depth)
    while at < len(text) and text[at] != ")":
        if match := _OVER.match(text, at):
            divided = True
            other, at = _power(text, match.end(), depth)
            unit = _times(unit, other, -1)
        elif (match := _TIMES.match(text, at)) and not divided:
            other, at = _power(text, match.end(), depth)
            unit = _times(unit, other, 1)
        else:
            break
    return unit, at


def _power(text: str, at: int, depth: int) -> tuple[_Unit, int]:
    if text[at : at + 1] == "(":
        if depth == _DEPTH:
            raise _NotUnderstood
        unit, at = _product(text, at + 1 + (text[at + 1 : at + 2] == " "), depth + 1)
        if text[at : at + 1] != ")":
            raise _NotUnderstood
        name, at = "", at + 1
    else:
        match = _NAME.match(text, at)
        if match is None:
            raise _NotUnderstood
        name, at = match[0], match.end()
        unit = _atom(name)
    if match := _POWER.match(text, at):
        exponent, at = int(match[1] or match[2] or match[3]), match.end()
        if exponent == 0 or (name == "A" and exponent != 1):
            raise _NotUnderstood
        unit = _times(_Unit(Fraction(1), {}), unit, exponent)
    elif name == "A" and "/" in text[:at]:
        raise _NotUnderstood  # e/A and 1/A are written for Å
    return unit, at


def _times(unit: _Unit, other: _Unit, exponent: int) -> _Unit:
    powers = {
        base: unit.powers.get(base, 0) + exponent * other.powers.get(base, 0)
        for base in {**unit.powers, **other.powers}
    }
    if any(abs(power) > EXPONENT for power in powers.values()):
        raise _NotUnderstood
    return _Unit(unit.factor * other.factor**exponent, {base: power for base, power in powers.items() if power})


def _atom(name: str) -> _Unit:
    if name in AMBIGUOUS or name.casefold() in NO_UNIT:
        raise _NotUnderstood
    known = SPELLINGS.get(name) or name
    if known not in SYMBOLS and known not in SCALES and (worded := _worded(name)) is not None:
        known = worded
    if known in SCALES:  # inside a compound a step of the scale: °C/min
        return _Unit(Fraction(SCALES[known][1]), {"K": 1})
    if known != name and _NAME.fullmatch(known) is None:
        return _expression(known)
    return _symbol(known)


def _symbol(symbol: str) -> _Unit:
    if symbol in SYMBOLS:
        factor, bases, _ = SYMBOLS[symbol]
        return _Unit(_exact(factor), _bases(bases))
    prefix, rest = symbol[:1].replace("u", "μ"), symbol[1:]
    if rest in SYMBOLS and prefix in SYMBOLS[rest][2] and prefix in PREFIXES:
        factor, bases, _ = SYMBOLS[rest]
        return _Unit(_exact(factor) * Fraction(10) ** PREFIXES[prefix], _bases(bases))
    return _by_pint(symbol.lower())


def _worded(name: str) -> str | None:
    """The symbol of a name written out (``Kelvin``, ``kiloelectronvolts``), or None."""
    word = name.casefold()
    for single in (word, word.removesuffix("s")):
        if single in WORDS:
            return WORDS[single]
        for prefix, sign in PREFIX_NAMES.items():
            rest = WORDS.get(single.removeprefix(prefix)) if single.startswith(prefix) else None
            if rest in SYMBOLS and sign in SYMBOLS[rest][2]:
                return sign + rest
    return None


@lru_cache(maxsize=1)
def _registry() -> "pint.UnitRegistry[float]":
    """Loaded when a word needs it: most harvests meet none, and each begins with a process of its own."""
    registry: pint.UnitRegistry[float] = import_module("pint").UnitRegistry()
    return registry


_PINT_BASES = {
    "kilogram": "kg", "meter": "m", "second": "s", "ampere": "A", "kelvin": "K", "mole": "mol", "candela": "cd",
    "radian": "rad",
}  # fmt: skip


def _by_pint(word: str) -> _Unit:
    """A unit that only pint knows, by its full name: the name it finds must be the one that was written."""
    if _LETTERS.fullmatch(word) is None or not word.isascii() or not may_be_known(word):
        raise _NotUnderstood
    for prefix, name, _ in _registry().parse_unit_name(word):
        found = (prefix + name).replace("_", "")
        if word in (found, f"{found}s", f"{found}es"):
            zero = _registry().Quantity(0.0, prefix + name).to_base_units()
            one = _registry().Quantity(1.0, prefix + name).to_base_units()
            powers = {_PINT_BASES.get(base, ""): power for base, power in one._units.items()}
            if zero.magnitude == 0 and "" not in powers and all(power == int(power) for power in powers.values()):
                return _Unit(Fraction(repr(float(one.magnitude))), {base: int(power) for base, power in powers.items()})
    raise _NotUnderstood


@lru_cache(maxsize=512)
def _exact(factor: str) -> Fraction:
    numerator, _, denominator = factor.partition("/")
    exact = Fraction(1)
    for part in numerator.split("*"):
        exact *= Fraction(part)
    return exact / Fraction(denominator or 1)


@lru_cache(maxsize=512)
def _bases(text: str) -> Mapping[str, int]:
    powers = {}
    for part in text.split():
        base = part if part in BASES else part.rstrip("-0123456789")
        powers[base] = int(part[len(base) :] or 1)
    return powers


_BY_POWERS = {frozenset(_bases(text).items()): name for text, name in NAMED.items()}


def _canonical(powers: Mapping[str, int]) -> str:
    """The SI unit of these powers: ``J``, ``photon/(m²·s)``, ``1``; the grammar reads it back."""
    named = _BY_POWERS.get(frozenset(powers.items()))
    if named is not None:
        return named
    above = [_raised(base, powers[base], powers[base]) for base in BASES if powers.get(base, 0) > 0]
    below = [_raised(base, -powers[base], powers[base]) for base in BASES if powers.get(base, 0) < 0]
    divisor = f"/({'·'.join(below)})" if len(below) > 1 else "".join(f"/{one}" for one in below)
    return ("·".join(above) or "1") + divisor


def _raised(base: str, power: int, count: int) -> str:
    base = "ampere" if base == "A" and count != 1 else base  # A⁻¹ and A² are read as those of Å
    return base if power == 1 else base + "⁰¹²³⁴⁵⁶⁷⁸⁹"[power]


def _dimension(powers: Mapping[str, int]) -> str:
    """A stable key: ``[length]``, ``[mass]*[length]^2*[time]^-2``, ``[dimensionless]``."""
    parts = (BASES[base] + (f"^{powers[base]}" if powers[base] != 1 else "") for base in BASES if base in powers)
    return "*".join(parts) or "[dimensionless]"
