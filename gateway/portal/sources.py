"""This file is how the sources stand, for everybody; refused records and "harvest now" for operators."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.graphql.sources import operators_only, records_for, standing_for, standings
from gateway.portal.render import Portal
from schema.activities import HarvestMode
from schema.errors import NotFound

_SHOWN = 50
_HARVESTS = 12


async def page(portal: Portal, request: Request) -> Response:
    """/sources."""
    seat = await portal.seat(request)
    harvests = await seat.context.sources.harvests(None, _HARVESTS, None)
    asked = request.query_params.get("asked")
    return portal.page(
        seat,
        "sources.html",
        standings=await standings(seat.context),
        harvests=harvests,
        asked=asked,
        records_of=lambda standing: records_for(seat.context, standing),
        told=lambda standing: standing_for(seat.context, standing),
    )


async def rejects(portal: Portal, request: Request) -> Response:
    """/sources/rejects?source=…: refused records with their reasons. Raises Unauthenticated and Forbidden."""
    seat = await portal.seat(request)
    operators_only(seat.context)
    source = request.query_params.get("source")
    if source is not None and source not in seat.context.federation.sources():
        raise NotFound("No source of that name is in the federation.")
    after = request.query_params.get("after", "")
    start = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else None
    found = await seat.context.sources.rejects(source, _SHOWN + 1, start)
    shown = found[:_SHOWN]
    more = shown[-1].id if len(found) > _SHOWN else None
    return portal.page(seat, "rejects.html", rejects=shown, source=source, more=more)


async def harvest(portal: Portal, request: Request) -> Response:
    """POST /sources/harvest. Raises Unauthenticated and Forbidden."""
    seat = await portal.seat(request)
    fields = await portal.form(seat)
    operators_only(seat.context)
    mode = HarvestMode.FULL if fields.get("full") else HarvestMode.INCREMENTAL
    await seat.context.sources.harvest_now(fields.get("source", ""), mode, seat.context.viewer)
    return RedirectResponse(f"/sources?asked={fields.get('source', '')}", 303)
