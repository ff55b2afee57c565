"""This file is how a named value with a unit becomes a Parameter: as given, plus SI when the unit is known."""

from __future__ import annotations

from schema.crosswalks.place import Place
from schema.crosswalks.reading import NAME, number, said, text
from schema.records import Parameter
from schema.text import fold
from schema.units import Quantity, si

_TEXT = 4_000


def parameter(
    place: Place,
    name: str,
    value: object = None,
    unit: object = None,
    *,
    low: object = None,
    high: object = None,
    unit_name: object = None,
    words: object = None,
) -> Parameter | None:
    """The parameter, or None when it says nothing. A number stays a number; anything else is kept as text.

    An unknown unit loses nothing: the value is kept as given, without SI. `unit_name` is the unit's full name where the source has
    one, for symbols that mean several things (C); `words` is a text that comes beside the number.
    """
    source_name = text(name, NAME)
    if source_name is None:
        return None
    written, spelled = said(unit, 128), said(unit_name, 128)
    single, bottom, top = number(value), number(low), number(high)
    words = said(words, _TEXT) or (None if single is not None else said(value, _TEXT))
    if single is None and words is None and bottom is None and top is None:
        return None
    if bottom is not None and top is not None and bottom > top:
        bottom, top = top, bottom
    exact, least, most = (
        None if each is None else _converted(each, written, spelled) for each in (single, bottom, top)
    )
    known = exact or least or most
    return Parameter(
        name=place.parameters.get(fold(source_name), source_name) if place.parameters else source_name,
        source_name=source_name,
        value=single,
        text=words,
        min=bottom,
        max=top,
        unit=written,
        si_value=exact.value if exact else None,
        si_min=least.value if least else None,
        si_max=most.value if most else None,
        si_unit=known.unit if known else None,
        dimension=known.dimension if known else None,
    )


def _converted(value: float, unit: str | None, spelled: str | None) -> Quantity | None:
    found = si(value, unit) if unit is not None else None
    return found or (si(value, spelled) if spelled is not None else None)
