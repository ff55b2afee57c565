"""A MongoDB filter as a predicate: the subset that SciCat callers use, with MongoDB's rules for arrays, types, nulls."""

import math
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from demo.scicat.engine import BadQuery
from demo.scicat.values import Doc

Predicate = Callable[[Doc], bool]
Test = Callable[[list[Any]], bool]
MISSING = object()
"""Where an object has no field of the name asked for; not the same as null except to an equality with null."""

_RANK = {"null": 0, "number": 1, "string": 2, "object": 3, "array": 4, "bool": 5, "date": 6}


def compile_filter(where: Any) -> Predicate:
    """The predicate of a filter. Raises BadQuery with MongoDB's words."""
    if not isinstance(where, dict):
        raise BadQuery("the match filter must be an expression in an object")
    parts = [_clause(key, value) for key, value in where.items()]
    return lambda doc: all(part(doc) for part in parts)


def sort_key(doc: Doc, field: str, direction: int) -> tuple[int, Any]:
    """Where a document stands when sorted by the field: missing first, then by type, then by value."""
    found = list(_reach(doc, field.split(".")))
    values = [inner for value in found for inner in (value if isinstance(value, list) else [value])] or [None]
    keys = [_ordered(value) for value in values]
    return min(keys) if direction > 0 else max(keys)


def kind(value: Any) -> str:
    """The value's BSON kind as far as comparison cares."""
    if value is None:
        return "null"
    if value is MISSING:
        return "missing"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, str):
        return "string"
    if isinstance(value, datetime):
        return "date"
    return "array" if isinstance(value, list) else "object"


def _ordered(value: Any) -> tuple[int, Any]:
    name = kind(value)
    if name in {"null", "missing"}:
        return (0, 0)
    if name == "number":
        return (1, -math.inf if math.isnan(value) else value)
    return (_RANK[name], repr(value) if name in {"object", "array"} else value)


def _clause(key: str, value: Any) -> Predicate:
    if key in {"$and", "$or", "$nor"}:
        return _logical(key, value)
    if key.startswith("$"):
        raise BadQuery(
            f"unknown top level operator: {key}. If you have a field name that starts with a '$' symbol, "
            "consider using $getField or $setField."
        )
    path = key.split(".")
    test = _field(value)
    return lambda doc: test(list(_reach(doc, path)))


def _logical(key: str, value: Any) -> Predicate:
    if not isinstance(value, list):
        raise BadQuery(f"{key} must be an array")
    if not value:
        raise BadQuery("$and/$or/$nor must be a nonempty array")
    parts = [compile_filter(part) for part in value]
    if key == "$and":
        return lambda doc: all(part(doc) for part in parts)
    if key == "$or":
        return lambda doc: any(part(doc) for part in parts)
    return lambda doc: not any(part(doc) for part in parts)


def _reach(doc: Any, path: list[str]) -> Iterator[Any]:
    """The values at a dotted path; a list on the way is entered, by index or element by element.

    MISSING stands where an object has no such field; a list without objects gives nothing at all.
    """
    if not path:
        yield doc
        return
    head, rest = path[0], path[1:]
    if isinstance(doc, dict):
        if head in doc:
            yield from _reach(doc[head], rest)
        else:
            yield MISSING
    elif isinstance(doc, list):
        if head.isdigit() and int(head) < len(doc):
            yield from _reach(doc[int(head)], rest)
        for inner in doc:
            if isinstance(inner, dict):
                yield from _reach(inner, path)
    else:
        yield MISSING


def _candidates(found: list[Any]) -> Iterator[Any]:
    """What a comparison looks at: each value, and the members of a value that is a list."""
    for value in found:
        yield value
        if isinstance(value, list):
            yield from value


def _field(value: Any) -> Test:
    if not (isinstance(value, dict) and value and next(iter(value)).startswith("$")):
        return _equal(value)
    options = value.get("$options", "")
    tests = [_operator(name, operand, options) for name, operand in value.items() if name != "$options"]
    return lambda found: all(test(found) for test in tests)


def _operator(name: str, operand: Any, options: str) -> Test:
    if name in _COMPARE:
        return _comparison(_COMPARE[name], operand, inclusive=name.endswith("e"))
    if name == "$regex":
        return _regex(operand, options)
    if name in {"$in", "$nin", "$all"}:
        return _membership(name, operand)
    if name in _SIMPLE:
        return _SIMPLE[name](operand)
    raise BadQuery(f"unknown operator: {name}")


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": lambda a, b: bool(a > b),
    "$gte": lambda a, b: bool(a >= b),
    "$lt": lambda a, b: bool(a < b),
    "$lte": lambda a, b: bool(a <= b),
}


def _comparison(compare: Callable[[Any, Any], bool], operand: Any, inclusive: bool) -> Test:
    wanted = kind(operand)
    if wanted == "null":
        return _equal(None) if inclusive else _never
    if wanted in {"object", "array"}:
        return _never
    return lambda found: any(kind(value) == wanted and compare(value, operand) for value in _candidates(found))


def _never(_found: list[Any]) -> bool:
    return False


def _equal(operand: Any) -> Test:
    if operand is None:
        return lambda found: any(value is None or value is MISSING for value in _candidates(found))
    return lambda found: any(_same(value, operand) for value in _candidates(found))


def _same(one: Any, other: Any) -> bool:
    if kind(one) != kind(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(_same(a, b) for a, b in zip(one, other, strict=True))
    return bool(one == other)


def _membership(name: str, operand: Any) -> Test:
    if not isinstance(operand, list):
        raise BadQuery(f"{name} needs an array")
    tests = [_equal(value) for value in operand]
    if name == "$all":
        return lambda found: bool(tests) and all(test(found) for test in tests)
    wanted = name == "$in"
    return lambda found: any(test(found) for test in tests) is wanted


def _regex(operand: Any, options: str) -> Test:
    if not isinstance(operand, str):
        raise BadQuery("$regex has to be a string")
    flags = re.RegexFlag(0)
    for letter in options:
        flags |= {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL, "x": re.VERBOSE}.get(letter, re.RegexFlag(0))
    try:
        pattern = re.compile(operand, flags)
    except re.error as error:
        raise BadQuery(f"Regular expression is invalid: {error}") from error
    return lambda found: any(isinstance(value, str) and bool(pattern.search(value)) for value in _candidates(found))


def _exists(operand: Any) -> Test:
    return lambda found: any(value is not MISSING for value in found) is bool(operand)


def _negated(operand: Any) -> Test:
    if not isinstance(operand, dict):
        raise BadQuery("$not needs a regex or a document")
    test = _field(operand)
    return lambda found: not test(found)


def _differs(operand: Any) -> Test:
    test = _equal(operand)
    return lambda found: not test(found)


def _size(operand: Any) -> Test:
    return lambda found: any(isinstance(value, list) and len(value) == operand for value in found)


def _element(operand: Any) -> Test:
    if not isinstance(operand, dict):
        raise BadQuery("$elemMatch needs an Object")
    if operand and next(iter(operand)).startswith("$") and next(iter(operand)) not in {"$and", "$or", "$nor"}:
        test = _field(operand)
        return lambda found: any(isinstance(v, list) and any(test([inner]) for inner in v) for v in found)
    inside = compile_filter(operand)
    return lambda found: any(
        isinstance(value, list) and any(isinstance(inner, dict) and inside(inner) for inner in value) for value in found
    )


_SIMPLE: dict[str, Callable[[Any], Test]] = {
    "$eq": _equal,
    "$ne": _differs,
    "$exists": _exists,
    "$not": _negated,
    "$size": _size,
    "$elemMatch": _element,
}
