"""This file is how a page is made: who asks, what is read, a template, and the headers that every page has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from gateway.auth import Auth, Visit
from gateway.graphql.context import Context
from gateway.graphql.facilities import facility, short_name
from gateway.portal import assets, people, phrases, words
from schema.activities import FINAL
from schema.errors import PangateError, Unauthenticated

_TITLES = {
    400: "This cannot be answered",
    401: "Please sign in",
    403: "Not allowed",
    404: "Nothing here",
    405: "This cannot be answered",
    409: "Not possible now",
    429: "Too many requests",
    500: "Something went wrong",
    503: "Not available at present",
}


class Rooms(Protocol):
    """What the portal needs of the gateway's rooms beyond a request's context."""

    @property
    def url(self) -> str:
        """The public address without a slash at its end."""

    @property
    def clock(self) -> Callable[[], datetime]:
        """The time."""


@dataclass(frozen=True)
class Seat:
    """A request at its place: who visits, and what may be read."""

    request: Request
    visit: Visit
    context: Context


class Portal:
    """Everything pages are made with."""

    def __init__(self, rooms: Rooms, auth: Auth, context_of: Callable[[HTTPConnection], Awaitable[Context]]) -> None:
        self.rooms = rooms
        self.auth = auth
        self._context_of = context_of
        self._templates = environment()

    @property
    def can_sign_in(self) -> bool:
        """Whether a provider is set up."""
        return self.auth.provider is not None

    async def seat(self, request: Request) -> Seat:
        """The request with its visitor and context."""
        return Seat(request, await self.auth.visit(request), await self._context_of(request))

    async def member(self, request: Request) -> Seat:
        """The same for a signed-in visitor. Raises Unauthenticated."""
        seat = await self.seat(request)
        if not seat.visit.viewer.signed_in:
            raise Unauthenticated("This page is for you alone: sign in to see it.")
        return seat

    async def form(self, seat: Seat) -> Mapping[str, str]:
        """The fields of a form of ours. Raises Forbidden for a forged one."""
        return await self.auth.checked_form(seat.request, seat.visit)

    def page(self, seat: Seat, template: str, status: int = 200, **values: Any) -> Response:
        """A rendered page. It depends on the cookie, so no cache between keeps it."""
        body = self.text(seat, template, **values)
        headers = {"Cache-Control": "private, no-cache", "Vary": "Cookie, Accept"}
        return Response(body, status, headers, "text/html")

    def text(self, seat: Seat, template: str, **values: Any) -> str:
        """A rendered template, or a piece of one."""
        here = seat.request.url.path
        query = seat.request.url.query
        return self._templates.get_template(template).render(
            viewer=seat.visit.viewer,
            csrf=seat.visit.csrf,
            operator=seat.context.operator,
            can_sign_in=self.can_sign_in,
            here=quote(here) + (f"?{query}" if query else "") if seat.request.method == "GET" else "/",
            now=self.rooms.clock(),
            url=self.rooms.url,
            facility_name=lambda key: short_name(facility(seat.context, key)),
            **values,
        )

    async def error(self, request: Request, status: int, code: str, message: str, correlation: str) -> Response:
        """The page of an error. Who visits is shown as long as it can be known."""
        visit = None
        if status < 500:
            with suppress(PangateError):
                visit = await self.auth.visit(request)
        values = {
            "title": _TITLES.get(status, _TITLES[400]),
            "message": message,
            "code": code,
            "correlation": correlation,
            "sign_in": code == "UNAUTHENTICATED" and self.can_sign_in,
            "here": quote(request.url.path) if request.method == "GET" else "/",
        }
        body = self._templates.get_template("error.html").render(
            viewer=visit.viewer if visit else None,
            csrf=visit.csrf if visit else "",
            operator=False,
            can_sign_in=self.can_sign_in,
            now=self.rooms.clock(),
            **values,
        )
        return Response(body, status, {"Cache-Control": "no-store"}, "text/html")


def environment() -> Environment:
    """The templates, with what they may call. Everything is escaped; what is undefined is an error."""
    made = Environment(
        loader=PackageLoader("gateway.portal"),
        autoescape=True,
        undefined=StrictUndefined,
        lstrip_blocks=True,
    )
    made.filters.update(
        plain=words.plain,
        heading=words.heading,
        once=people.once,
        paragraphs=words.paragraphs,
        marked=words.marked,
        day=words.day,
        minute=words.minute,
        iso=words.iso,
        ago=words.ago,
        lasting=words.lasting,
        grouped=words.grouped,
        amount=words.amount,
        number=words.number,
        link=words.link,
        listed=words.listed,
        path=lambda text: quote(str(text), safe="/:@!$*+,;=~"),
    )
    made.globals.update(
        asset=assets.address, counted=words.counted, span=words.span, phrases=phrases, final=FINAL, query=quote
    )
    return made
