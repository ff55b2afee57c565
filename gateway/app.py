"""This file is the gateway put together: one Starlette application over what the roof hands in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection

from gateway import dcat, health
from gateway.auth import Auth
from gateway.cookies import jar
from gateway.graphql import http as graphql
from gateway.graphql.context import Context, Settings, Vocabulary
from gateway.graphql.request import Options
from gateway.portal import pages
from gateway.portal.render import Portal
from gateway.ports import Health, Launches, Reader, Sessions, Sources
from gateway.provider import Client, Provider
from gateway.vault import Vault
from gateway.web import Common, Errors
from schema.errors import PangateError
from schema.federation import Federation
from schema.membership import viewer_of

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


@dataclass(frozen=True)
class Rooms:
    """Everything the gateway needs of the rooms beside and below it. `url` is the public address without a slash at its end."""

    url: str
    secret: bytes
    reader: Reader
    sources: Sources
    launches: Launches
    sessions: Sessions
    health: Health
    federation: Federation
    vocabulary: Vocabulary
    clock: Callable[[], datetime]
    issuer: Client | None = None
    operators: str | None = None
    rated: bool = True


def application(rooms: Rooms, lifespan: Lifespan | None = None) -> Starlette:
    """The ASGI application."""
    vault, cookies = Vault(rooms.secret), jar(rooms.url)
    auth = Auth(
        Provider(rooms.issuer) if rooms.issuer else None,
        rooms.sessions,
        vault,
        cookies,
        lambda claims: viewer_of(claims, rooms.federation, rooms.operators),
        rooms.clock,
    )
    settings = Settings(url=rooms.url, cursor_key=vault.key("cursors"))

    async def context_of(request: HTTPConnection) -> Context:
        visit = await auth.visit(request)
        return Context(
            viewer=visit.viewer,
            reader=rooms.reader,
            sources=rooms.sources,
            launches=rooms.launches,
            federation=rooms.federation,
            vocabulary=rooms.vocabulary,
            settings=settings,
            clock=rooms.clock,
            client=visit.viewer.principal or (request.client.host if request.client else ""),
            correlation_id=str(request.scope.get("state", {}).get("correlation_id", "")),
            cookie_session=visit.session is not None,
        )

    portal = Portal(rooms, auth, context_of)
    errors = Errors(portal.error)
    routes = [
        *graphql.routes(context_of, Options(url=rooms.url, rated=rooms.rated)),
        *dcat.routes(rooms.reader, rooms.federation, rooms.vocabulary, rooms.url),
        *auth.routes(),
        *health.routes(rooms.health),
        *pages.routes(portal),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Common)],
        exception_handlers={PangateError: errors.ours, HTTPException: errors.http, Exception: errors.unknown},
        lifespan=lifespan or _nothing,
    )


@asynccontextmanager
async def _nothing(_app: Starlette) -> AsyncIterator[None]:
    yield
