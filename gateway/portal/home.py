"""This file is the first page: a box, what the federation holds, where to begin."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from catalogue.query import FacetWish, Field, Found, Search, Sort
from gateway.graphql import freshness
from gateway.graphql import search as line
from gateway.graphql.context import Context
from gateway.portal.asked import Asked, Quantity
from gateway.portal.render import Portal
from schema.errors import BadInput, LimitExceeded
from schema.records import Kind

_TECHNIQUES = 14
_EXAMPLES = 3


async def page(portal: Portal, request: Request) -> Response:
    """/."""
    seat = await portal.seat(request)
    context = seat.context
    wishes = (
        FacetWish(Field.TECHNIQUE_EXACT, size=_TECHNIQUES),
        FacetWish(Field.KEYWORD, size=40),
        FacetWish(Field.PARAMETER_NAME, size=30),
    )
    found = await context.reader.search(Search(kind=Kind.DATASET, sort=Sort.NEWEST, first=1, facets=wishes))
    return portal.page(
        seat,
        "home.html",
        asked=Asked(),
        facilities=await _facilities(context),
        total=found.total,
        techniques=_techniques(found, context),
        examples=await _examples(found, context),
    )


async def _facilities(context: Context) -> list[dict[str, Any]]:
    counts = await context.memo.get("counts", context.reader.counts)
    known, now = await freshness.states(context), context.clock()
    made = []
    for each in context.federation.facilities:
        if not each.enabled:
            continue
        sources = [(f"{each.id}/{source.id}", source) for source in each.sources if source.enabled]
        state, as_of = freshness.of_facility(sources, known, now)
        platforms = context.launches.triggers(each.id)
        made.append(
            {
                "facility": each,
                "count": counts.get(each.id, 0),
                "state": state,
                "as_of": as_of,
                "platforms": platforms,
                "address": Asked(lists={"facility": (each.id,)}).address(),
            }
        )
    return made


def _techniques(found: Found, context: Context) -> list[dict[str, Any]]:
    made = []
    for bucket in found.facets[0].buckets:
        label = context.vocabulary.label(bucket.value)
        if label:
            address = Asked(lists={"technique": (bucket.value,)}).address()
            made.append({"label": label, "count": bucket.count, "address": address})
    return made


async def _examples(found: Found, context: Context) -> list[dict[str, str]]:
    """Searches that find something here: they are made of what is here, and tried."""
    keywords = [bucket.label or bucket.value for bucket in found.facets[1].buckets]
    own = [each for each in keywords if context.vocabulary.resolve(each) is None][:_EXAMPLES]
    offered = [(each, Asked(q=each)) for each in own]
    cold = next((bucket for bucket in found.facets[2].buckets if "temperature" in bucket.value), None)
    if cold is not None:
        quantity = Quantity(cold.label or cold.value, "", "10", "K")
        offered.append(("measured below 10 K", Asked(quantities=(quantity,))))
    if context.launches.triggers():
        now = Asked(lists={"access": ("OPEN",)}, analysable=True)
        offered.append(("open data that can be analysed now", now))
    return [{"label": label, "address": asked.address()} for label, asked in offered if await _finds(asked, context)]


async def _finds(asked: Asked, context: Context) -> bool:
    try:
        return (await line.run(context, Kind.DATASET, asked.arguments(1))).found.total > 0
    except (BadInput, LimitExceeded):  # a keyword that is too long to be asked, a name of another dimension
        return False
