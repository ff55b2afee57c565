"""This file is the registry of pages: address -> who answers, one line each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from gateway.leaving import watched
from gateway.portal import assets, dataset, home, launches, search, sources
from gateway.portal.asked import Asked
from gateway.portal.render import Portal

Page = Callable[[Portal, Request], Awaitable[Response]]


def routes(portal: Portal) -> list[Route]:
    """Every page."""

    def at(path: str, page: Page, method: str = "GET") -> Route:
        async def answer(request: Request) -> Response:
            return await page(portal, request)

        return Route(path, watched(answer) if method == "GET" else answer, methods=[method])

    return [
        at("/", home.page),
        at("/search", search.page),
        at("/suggest", _suggest),
        at("/dataset/{pid:path}", dataset.page),
        at("/facility/{key}", _facility),
        at("/analyse", launches.analyse, "POST"),
        at("/launches", launches.own),
        at("/launch/{id}", launches.page),
        at("/launch/{id}/events", launches.following),
        at("/launch/{id}/open", launches.door),
        at("/launch/{id}/open", launches.enter, "POST"),
        at("/launch/{id}/stop", launches.stop, "POST"),
        at("/launch/{id}/extend", launches.extend, "POST"),
        at("/sources", sources.page),
        at("/sources/rejects", sources.rejects),
        at("/sources/harvest", sources.harvest, "POST"),
        at("/about", _about),
        Route("/static/{version}/{name}", assets.serve),
    ]


async def _suggest(portal: Portal, request: Request) -> Response:
    return JSONResponse(await search.suggestions(portal, request), headers={"Cache-Control": "no-cache"})


async def _facility(_portal: Portal, request: Request) -> Response:
    """The IRI of a facility without ROR id leads to what it holds."""
    return RedirectResponse(Asked(lists={"facility": (request.path_params["key"],)}).address(), 303)


async def _about(portal: Portal, request: Request) -> Response:
    seat = await portal.seat(request)
    return portal.page(seat, "about.html", vocabulary=seat.context.vocabulary)
