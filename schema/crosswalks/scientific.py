"""This file is SciCat's scientificMetadata: an object without a schema, read into parameters and details.

Forms met on real servers: `{value, unit}` (with valueSI, unitSI added by the server), a pair as range, `{v, u}`,
`{type, value, unit, human_name}`, plain values, lists, nested objects to any depth.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schema.crosswalks.naming import shown
from schema.crosswalks.place import Place
from schema.crosswalks.quantities import parameter
from schema.crosswalks.reading import DEPTH, KEYS, number, text
from schema.records import Detail, Parameter

_LIST_SHOWN = 64
_QUANTITY_KEYS = frozenset({"value", "unit", "valueSI", "unitSI", "v", "u", "type"})


def scientific(
    place: Place, metadata: object, name: str = "scientificMetadata"
) -> tuple[tuple[Parameter, ...], tuple[Detail, ...]]:
    """The parameters of scientificMetadata, named by their dotted path, and what could not be one as a readable detail.

    At most 500 parameters; what is beyond is kept as text and can be read, not searched by value.
    """
    found: list[Parameter] = []
    rest: dict[str, Any] = {}
    if isinstance(metadata, Mapping):
        _walk(place, metadata, "", 0, found, rest)
    elif metadata not in (None, "", []):
        rest[name] = metadata
    details = (Detail(name, shown(rest)),) if rest else ()
    return tuple(found), details


def _walk(
    place: Place, node: Mapping[str, Any], prefix: str, depth: int, found: list[Parameter], rest: dict[str, Any]
) -> None:
    for key, value in node.items():
        name = f"{prefix}{key}" if isinstance(key, str) else f"{prefix}{key!r}"
        if len(found) >= KEYS or depth >= DEPTH:
            rest[name] = value
            continue
        if isinstance(value, dict):
            if not _is_quantity(value):
                _walk(place, value, f"{name}.", depth + 1, found, rest)
                continue
            rest.update({f"{name}.{more}": each for more, each in value.items() if more not in _QUANTITY_KEYS})
        made = _quantity(place, name, value)
        if made is not None:
            found.append(made)
        elif value not in (None, "", [], {}):
            rest[name] = value


def _is_quantity(value: Mapping[str, Any]) -> bool:
    return ("value" in value and not isinstance(value["value"], dict)) or ("v" in value and set(value) <= {"v", "u"})


def _quantity(place: Place, name: str, value: object) -> Parameter | None:
    if isinstance(value, dict):
        given = value.get("value", value.get("v"))
        return _of(place, name, given, value.get("unit", value.get("u")))
    return _of(place, name, value, None)


def _of(place: Place, name: str, given: object, unit: object) -> Parameter | None:
    if isinstance(given, list):
        numbers = [number(each) for each in given[:3]]
        if len(given) == 2 and None not in numbers and unit is not None:
            return parameter(place, name, None, unit, low=numbers[0], high=numbers[1])
        if len(given) == 1:
            return _of(place, name, given[0], unit)
        listed = [text(each, 256) for each in given[:_LIST_SHOWN]]
        return parameter(place, name, ", ".join(each for each in listed if each), unit)
    return parameter(place, name, given, unit)
