"""This file is facets: what is wished of the index, and its counts as the API shows them."""

# mypy: allow-subclassing-any

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import graphene

from catalogue import query
from gateway.graphql.context import Context
from gateway.graphql.enums import FacetField
from gateway.graphql.facilities import facility, short_name
from gateway.graphql.fields import always, many, maybe
from gateway.graphql.quantities import Quantities, shown
from gateway.limits import at_most
from schema import text, units
from schema.errors import BadInput


class Bucket(graphene.ObjectType):
    """A value and how many datasets have it."""

    value = always(graphene.String, "What the matching filter takes.")
    label = always(graphene.String, "What to show.")
    count = always(graphene.Int, "How many datasets have it.")
    from_ = maybe(graphene.Float, "The lower end of a bin, included.", name="from")
    to = maybe(graphene.Float, "The upper end of a bin, excluded but for the last.")


class Facet(graphene.ObjectType):
    """Counts of one field, with every filter applied but its own."""

    field = always(FacetField, "What was counted.")
    parameter = maybe(graphene.String, "Which parameter.")
    unit = maybe(graphene.String, "The unit of the bins' ends.")
    buckets = many(Bucket, "The most frequent values, or the bins in order.")
    missing = always(graphene.Int, "How many datasets have no value.")
    other = always(graphene.Int, "How many datasets have values beyond those listed.")


@dataclass(frozen=True)
class Wanted:
    """A facet as it was asked for, and as the index is asked."""

    field: str
    parameter: str | None
    unit: str | None
    si_unit: str | None
    wish: query.FacetWish


async def wanted(
    requests: Sequence[Mapping[str, Any]] | None, context: Context, quantities: Quantities
) -> list[Wanted]:
    """The facets that are asked for. Raises BadInput and LimitExceeded."""
    requests = requests or ()
    at_most(len(requests), context.limits.facets, "facets")
    return [await _wanted(each, context, quantities) for each in requests]


async def _wanted(given: Mapping[str, Any], context: Context, quantities: Quantities) -> Wanted:
    field = str(getattr(given["field"], "value", given["field"]))
    size = _number(given.get("size"), 10, "size", context)
    bins = _number(given.get("bins"), 20, "bins", context)
    name, unit = given.get("parameter"), given.get("unit")
    if field != "PARAMETER":
        if name is not None or unit is not None:
            raise BadInput("Only the facet PARAMETER has a parameter and a unit.", field="facets")
        return Wanted(field, None, None, None, query.FacetWish(query.Field[field], size=size, bins=bins))
    folded = text.fold(name or "")
    if not folded:
        raise BadInput("The facet PARAMETER counts one parameter.", field="facets", remedy="Give `parameter`.")
    unit, dimension = await quantities.measure(folded, unit, "facets.unit")
    quantity = units.si(1.0, unit) if unit else None
    wish = query.FacetWish(None, parameter=folded, dimension=dimension, size=size, bins=bins)
    return Wanted(field, name, unit, quantity.unit if quantity else None, wish)


def _number(given: int | None, default: int, name: str, context: Context) -> int:
    number = default if given is None else given
    if number < 1:
        raise BadInput(f"`{name}` is at least 1.", field=f"facets.{name}")
    at_most(number, context.limits.buckets, "buckets in one facet")
    return number


def counted(asked: Wanted, facet: query.Facet, context: Context) -> dict[str, Any]:
    """A counted facet as the API shows it."""
    return {
        "field": asked.field,
        "parameter": asked.parameter,
        "unit": asked.unit,
        "buckets": [_bucket(asked, each, context) for each in facet.buckets],
        "missing": facet.missing,
        "other": facet.other,
    }


def _bucket(asked: Wanted, bucket: query.Bucket, context: Context) -> dict[str, Any]:
    low, high = (shown(end, asked.unit, asked.si_unit) for end in (bucket.low, bucket.high))
    value, label = bucket.value, bucket.label
    if asked.field == "FACILITY":
        label = short_name(facility(context, bucket.value))
    elif asked.field == "PARAMETER" and low is not None and high is not None:
        value, label = f"{low!r}..{high!r}", f"{low:.4g} – {high:.4g}"
    return {"value": value, "label": label or value, "count": bucket.count, "from_": low, "to": high}
