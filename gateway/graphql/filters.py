"""This file is a filter of the API as clauses of the query tree."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from catalogue.query import AnyOf, Between, Clause, Field, Instant
from gateway.graphql.context import Context
from gateway.graphql.quantities import Quantities
from gateway.graphql.scalars import Period
from gateway.limits import at_most
from schema import pids, text
from schema.errors import BadInput

_LONGEST = 256  # characters of a value that an index keeps

_REFERENCES = {
    "pid": Field.PID,
    "instrument": Field.INSTRUMENT,
    "sample": Field.SAMPLE,
    "investigation": Field.INVESTIGATION,
}
_WORDS = {"keyword": Field.KEYWORD, "file_format": Field.FILE_FORMAT}
_TIMES = {"started": Instant.STARTED, "released": Instant.RELEASED}


async def clauses(given: Mapping[str, Any] | None, context: Context, quantities: Quantities) -> tuple[Clause, ...]:
    """The clauses of a DatasetFilter or RecordFilter (its keys in Python's spelling). Raises BadInput."""
    asked = {key: value for key, value in (given or {}).items() if value is not None and value != []}
    for key, value in asked.items():
        if isinstance(value, list):
            at_most(len(value), context.limits.list_length, f"values of {key}")
    made: list[Clause] = []
    made += (_any(field, _references(asked[key])) for key, field in _REFERENCES.items() if key in asked)
    made += (_any(field, map(text.fold, asked[key])) for key, field in _WORDS.items() if key in asked)
    if "facility" in asked:
        made.append(_any(Field.FACILITY, (key.strip() for key in asked["facility"])))
    if "access" in asked:
        made.append(_any(Field.ACCESS, (getattr(each, "value", each) for each in asked["access"])))
    if "person" in asked:
        made.append(_any(Field.PERSON, _people(asked["person"])))
    if "technique" in asked:
        made.append(_techniques(asked["technique"], bool(asked.get("technique_exact")), context))
    made += (_between(instant, asked[key], key) for key, instant in _TIMES.items() if key in asked)
    made += [await quantities.clause(each) for each in asked.get("parameters", ())]
    if "analysable" in asked:
        made.append(_analysable(asked["analysable"], context))
    return tuple(made)


def _any(field: Field, values: Iterable[str]) -> AnyOf:
    return AnyOf(field, tuple(sorted({value[:_LONGEST] for value in values})))


def _references(names: Iterable[str]) -> Iterable[str]:
    """A pid in any spelling, or a name: whatever of the two it is finds it."""
    for name in names:
        yield from (name, pids.normal(name), text.fold(name))


def _people(names: Iterable[str]) -> Iterable[str]:
    for name in names:
        yield pids.normal_orcid(name) or text.fold(name)


def _techniques(names: Iterable[str], exact: bool, context: Context) -> AnyOf:
    """Techniques by IRI, code or label; what the vocabulary does not know is compared as the source's own words."""
    found: list[str] = []
    for name in names:
        term = context.vocabulary.resolve(name)
        found += (name, text.fold(name)) if term is None else (term.iri,)
    return _any(Field.TECHNIQUE_EXACT if exact else Field.TECHNIQUE, found)


def _between(instant: Instant, given: Mapping[str, Any], key: str) -> Between:
    first: Period | None = given.get("from_")
    last: Period | None = given.get("to")
    start, before = first.start if first else None, last.end if last else None
    if start is not None and before is not None and before <= start:
        raise BadInput(
            f"The range `{key}` ends before it begins.", field=f"filter.{key}", remedy="Exchange `from` and `to`."
        )
    return Between(instant, start, before)


def _analysable(wanted: bool, context: Context) -> AnyOf:
    able = {card.facility for card in context.launches.triggers()}
    keys = (each.id for each in context.federation.facilities if (each.id in able) == wanted)
    return _any(Field.FACILITY, keys)
