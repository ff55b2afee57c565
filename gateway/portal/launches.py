"""This file is the pages of analysis sessions: start one, follow it, open it, end it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from gateway.graphql.facilities import trigger
from gateway.portal import dataset
from gateway.portal.render import Portal, Seat
from gateway.ports import Opening, Wish
from schema import pids
from schema.activities import FINAL, Launch, LaunchState, OpenKind
from schema.errors import BadInput, Conflict, Forbidden, LimitExceeded, NotFound, Unavailable
from schema.records import Kind

OPENABLE = frozenset({LaunchState.READY, LaunchState.OPENED, LaunchState.HANDED_OFF})
_UNKNOWN = "There is no session of that name, or it is not yours."
_SHOWN = 25
_HEARTBEAT_S = 15.0
_STREAM = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_ONCE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}


async def analyse(portal: Portal, request: Request) -> Response:
    """POST /analyse: a session on a dataset, then its page. A refusal is told on the dataset's page."""
    seat = await portal.member(request)
    fields = await portal.form(seat)
    wish = Wish(
        dataset=pids.normal(fields.get("dataset", "")),
        trigger=fields.get("trigger") or None,
        procedure=fields.get("procedure") or None,
        environment=fields.get("environment") or None,
        another=bool(fields.get("another")),
    )
    try:
        launch, _ = await seat.context.launches.analyse(wish, seat.context.viewer)
    except (BadInput, Conflict, Forbidden, LimitExceeded, Unavailable) as refusal:
        raw, document = await dataset.found(seat, wish.dataset)
        return await dataset.shown(portal, seat, raw, document, 409, refusal.message)
    return RedirectResponse(f"/launch/{launch.id}", 303, {"Cache-Control": "no-store"})


async def page(portal: Portal, request: Request) -> Response:
    """/launch/<id>: how it stands, live."""
    seat = await portal.member(request)
    launch = await _mine(seat)
    return portal.page(seat, "launch.html", **await _told(seat, launch))


async def following(portal: Portal, request: Request) -> Response:
    """/launch/<id>/events: the live part of the page again after each event (server-sent events)."""
    seat = await portal.member(request)
    launch = await _mine(seat)
    after = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
    start = int(after) if after.isascii() and after.isdigit() and len(after) < 19 else 0
    return StreamingResponse(_events(portal, seat, launch.id, start), headers=_STREAM, media_type="text/event-stream")


async def _events(portal: Portal, seat: Seat, id: str, after: int) -> AsyncIterator[bytes]:
    stream = aiter(seat.context.launches.follow(id, after))
    waiting: asyncio.Future[Any] | None = None
    yield b"retry: 2000\n\n"
    try:
        while True:
            waiting = waiting or asyncio.ensure_future(anext(stream, None))
            done, _ = await asyncio.wait({waiting}, timeout=_HEARTBEAT_S)
            if not done:
                yield b":\n\n"
                continue
            news, waiting = waiting.result(), None
            if news is None:
                break
            launch, event = news
            yield _message(event.id, portal.text(seat, "_live.html", **await _told(seat, launch)))
        yield b"event: end\ndata:\n\n"
    finally:
        if waiting is not None:
            waiting.cancel()
            await asyncio.wait({waiting})
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()


def _message(id: int, text: str) -> bytes:
    lines = "".join(f"data: {line}\n" for line in text.splitlines())
    return f"id: {id}\n{lines}\n".encode()


async def _mine(seat: Seat) -> Launch:
    launch = await seat.context.launches.launch(seat.request.path_params["id"], seat.context.viewer)
    if launch is None:
        raise NotFound(_UNKNOWN)
    return launch


async def _told(seat: Seat, launch: Launch) -> dict[str, Any]:
    """Everything the page says about a launch."""
    events = await seat.context.launches.events(launch.id)
    there = await seat.context.reader.get(Kind.DATASET, launch.request.dataset, seat.context.viewer)
    progress = next((each.progress for each in reversed(events) if each.progress is not None), None)
    return {
        "launch": launch,
        "events": events,
        "platform": trigger(seat.context, launch.request.trigger),
        "chosen": _chosen(seat, launch),
        "dataset_here": there is not None,
        "openable": launch.state in OPENABLE,
        "ended": launch.state in FINAL,
        "progress": progress,
    }


def _chosen(seat: Seat, launch: Launch) -> list[str]:
    """Procedure and environment by the names they are offered under."""
    request = launch.request
    _, place = seat.context.federation.triggers().get(request.trigger, (None, None))
    known = {each.id: each.name for each in (*place.procedures, *place.environments)} if place else {}
    return [known.get(each, each) for each in (request.procedure, request.environment) if each]


async def door(portal: Portal, request: Request) -> Response:
    """GET /launch/<id>/open: the stable page whose button opens."""
    seat = await portal.member(request)
    launch = await _mine(seat)
    return portal.page(seat, "open.html", opening=None, **await _told(seat, launch))


async def enter(portal: Portal, request: Request) -> Response:
    """POST /launch/<id>/open: a one-time ticket made and redeemed at once (it is never in an address), then the way in."""
    seat = await portal.member(request)
    await portal.form(seat)
    launch = await _mine(seat)
    session = seat.visit.session.hash if seat.visit.session else ""
    viewer, desk = seat.context.viewer, seat.context.launches
    opening = await desk.open(await desk.ticket(launch.id, viewer, session), viewer, session)
    if opening.kind is OpenKind.REDIRECT:
        return RedirectResponse(opening.url, 303, _ONCE)
    if opening.kind is OpenKind.DOWNLOAD:
        return _download(opening)
    response = portal.page(seat, "open.html", opening=opening, **await _told(seat, launch))
    response.headers.update(_ONCE)
    return response


def _download(opening: Opening) -> Response:
    name = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "._-") else "_" for sign in opening.name)[:100]
    headers = {**_ONCE, "Content-Disposition": f'attachment; filename="{name or "session"}"'}
    return Response(opening.body, headers=headers, media_type=opening.media_type or "application/octet-stream")


async def stop(portal: Portal, request: Request) -> Response:
    """POST /launch/<id>/stop."""
    seat = await portal.member(request)
    await portal.form(seat)
    launch = await seat.context.launches.stop(request.path_params["id"], seat.context.viewer)
    return RedirectResponse(f"/launch/{launch.id}", 303)


async def extend(portal: Portal, request: Request) -> Response:
    """POST /launch/<id>/extend: an hour, or as many minutes as asked."""
    seat = await portal.member(request)
    fields = await portal.form(seat)
    minutes = fields.get("minutes", "60")
    if not (minutes.isascii() and minutes.isdigit() and len(minutes) < 6):
        raise BadInput("Give the time to add in whole minutes.", field="minutes")
    launch = await seat.context.launches.extend(request.path_params["id"], int(minutes), seat.context.viewer)
    return RedirectResponse(f"/launch/{launch.id}", 303)


async def own(portal: Portal, request: Request) -> Response:
    """/launches: the visitor's sessions, newest first."""
    seat = await portal.member(request)
    before = request.query_params.get("before")
    found, total = await seat.context.launches.launches(seat.context.viewer, _SHOWN + 1, before)
    shown = found[:_SHOWN]
    older = shown[-1].id if len(found) > _SHOWN else None
    platforms = {each.id: trigger(seat.context, each.request.trigger) for each in shown}
    return portal.page(
        seat, "launches.html", launches=shown, total=total, older=older, platforms=platforms, openable=OPENABLE
    )
