"""This file is `pangate serve`: the gateway, and on one machine the crew beside it, until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from gateway.app import Rooms, application
from gateway.provider import Client
from pangate import ending
from pangate.analysis import AnalysisDesk
from pangate.bridges import LedgerSources, RowSessions
from pangate.checks import Checks
from pangate.crew import Crew
from pangate.doorway import Doorway
from pangate.house import House
from pangate.parted import shared
from pangate.readers import reader_of

SHARE = 0.3
"""The part of the time given for an end in which readers may have their answers to the end."""


def app_of(house: House, crew: Crew) -> Starlette:
    """The gateway over a house; the crew works while the application lives."""
    settings, reader = house.settings, reader_of(house)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        working = crew.at_work()
        await asyncio.to_thread(working.__enter__)
        try:
            yield
        finally:
            try:
                await reader.close()
            finally:
                await asyncio.to_thread(working.__exit__, None, None, None)

    rooms = Rooms(
        url=settings.public_url,
        secret=house.secret,
        reader=reader,
        sources=LedgerSources(house, crew.waker.harvest),
        launches=AnalysisDesk(house, reader, crew.waker.launch),
        sessions=RowSessions(house),
        health=Checks(house, crew.waker, reader),
        federation=house.federation,
        vocabulary=house.vocabulary,
        clock=house.clock,
        issuer=_issuer(house),
        operators=settings.operators,
        rated=settings.rate_limit,
    )
    return application(rooms, lifespan)


def serve(house: House) -> None:
    """Serve until SIGTERM or Ctrl-C: then take nothing new, finish what is in hand, and stop."""
    settings = house.settings
    if settings.broker is not None:
        shared(settings)
    crew = Crew(house)
    config = uvicorn.Config(
        app_of(house, crew),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.proxies,
        http=Doorway,
        timeout_graceful_shutdown=round(SHARE * settings.grace),
        timeout_keep_alive=15,
        h11_max_incomplete_event_size=16_384,
        ws_max_size=65_536,
        limit_concurrency=512,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(
            number, _ended
        )  # uvicorn raises the signal again when it has stopped: an end that was asked for is no failure
    _Server(config, settings.grace).run()


class _Server(uvicorn.Server):
    """A server that is gone so many seconds after it was told to end."""

    def __init__(self, config: uvicorn.Config, seconds: float) -> None:
        super().__init__(config)
        self._seconds = seconds

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """As uvicorn does, and not for ever."""
        if not self.should_exit:
            ending.bound(self._seconds)
        super().handle_exit(sig, frame)


def _ended(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)


def _issuer(house: House) -> Client | None:
    settings = house.settings
    if not settings.oidc_issuer or not settings.oidc_client_id:
        return None
    return Client(
        issuer=settings.oidc_issuer.rstrip("/"),
        id=settings.oidc_client_id,
        secret=house.environment.secret("PANGATE_OIDC_CLIENT_SECRET"),
        redirect=f"{settings.public_url}/login/callback",
    )
