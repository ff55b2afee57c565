"""This file is the search page: the address read, one search, and everything the page shows of its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.completion import complete
from gateway.graphql import facets as counts
from gateway.graphql import search as line
from gateway.graphql.context import Context
from gateway.graphql.facilities import source_freshness
from gateway.portal import asked as addresses
from gateway.portal import facets, results
from gateway.portal.asked import Asked
from gateway.portal.render import Portal, Seat
from schema.errors import BadInput, CursorExpired, CursorInvalid, LimitExceeded, PangateError
from schema.records import Kind

SIZE = 20


@dataclass(frozen=True)
class Answered:
    """What a search gave, ready to be shown."""

    page: line.Page
    results: list[results.Result]
    facets: list[facets.Shown]
    sources: list[dict[str, Any]]
    next: str | None


async def page(portal: Portal, request: Request) -> Response:
    """/search."""
    asked = addresses.read(request.query_params.multi_items())
    if addresses.is_raw(request.query_params.keys()):
        return RedirectResponse(asked.address(), 303)
    seat = await portal.seat(request)
    if asked.scope == "MINE" and not seat.visit.viewer.signed_in:
        asked = asked.changed(scope="PUBLIC")
    try:
        answered = await _answered(asked, seat.context)
    except (BadInput, LimitExceeded, CursorInvalid, CursorExpired) as refusal:
        return _refused(portal, seat, asked, refusal)
    scopes = await _scopes(asked, seat, answered.page.found.total)
    chips = facets.chips(asked, answered.facets, seat.context)
    return portal.page(seat, "search.html", asked=asked, answered=answered, scopes=scopes, chips=chips, refusal=None)


def _refused(portal: Portal, seat: Seat, asked: Asked, refusal: PangateError) -> Response:
    """The page with what is wrong about the question, and the question still in it."""
    chips = facets.chips(asked, [], seat.context)
    return portal.page(
        seat, "search.html", 400, asked=asked, answered=None, scopes=[], chips=chips, refusal=refusal.message
    )


async def _answered(asked: Asked, context: Context) -> Answered:
    found = await line.run(context, Kind.DATASET, {**asked.arguments(SIZE), "facets": facets.wishes(asked)})
    counted = [
        counts.counted(wanted, facet, context) for wanted, facet in zip(found.wanted, found.found.facets, strict=True)
    ]
    edges = line.edges(found)
    after = line.page_info(found, context)["end_cursor"] if found.found.more else None
    return Answered(
        page=found,
        results=[results.result(edge, context) for edge in edges],
        facets=facets.shown(asked, counted, found.found.total, context),
        sources=_telling(asked, await source_freshness(context, found.found.sources)),
        next=asked.changed(after=after).address() if after else None,
    )


def _telling(asked: Asked, sources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The sources with something to say: those that gave, and of the facilities asked for those that are not up to date."""
    wanted = asked.lists.get("facility", ())
    return [
        each
        for each in sources
        if each["matched"] or (each["state"] != "FRESH" and (not wanted or each["facility"].id in wanted))
    ]


async def _scopes(asked: Asked, seat: Seat, total: int) -> list[dict[str, Any]]:
    """The two worlds with their counts; nothing to choose for whoever is not signed in."""
    if not seat.visit.viewer.signed_in:
        return []
    made: list[dict[str, Any]] = []
    for scope, label in (("PUBLIC", "Public"), ("MINE", "Mine")):
        there = asked.changed(scope=scope)
        count = total
        if scope != asked.scope:
            count = (await line.run(seat.context, Kind.DATASET, there.arguments(1))).found.total
        made.append({"label": label, "count": count, "here": scope == asked.scope, "address": there.address()})
    return made


async def suggestions(portal: Portal, request: Request) -> list[dict[str, Any]]:
    """Completions of what is typed, each with the address it leads to."""
    typed = request.query_params.get("q", "")[:256]
    seat = await portal.seat(request)
    context = seat.context
    number = context.limits.suggestions
    found = await complete(typed, number, context.reader, context.vocabulary) if typed.strip() else []
    made = []
    for each in found:
        key = {"parameter": "p"}.get(each.kind, each.kind)
        pairs = [(key, each.value if key != "p" else each.text)]
        address = addresses.read(pairs).address()
        made.append({"text": each.text, "kind": each.kind, "count": each.count, "address": address})
    return made
