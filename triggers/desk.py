"""This file is the request side of launches: analyse, stop, extend, ticket, open. Everything that is known before a platform is asked.

Checks and their order: reference, trigger targets, section 10; tickets: reliability reference, 5.4. Refusals are `schema.errors`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import msgspec

from catalogue.ports import LaunchLedger
from schema.access import Viewer
from schema.activities import FINAL, Launch, LaunchEvent, LaunchRequest, LaunchState, OpenKind
from schema.errors import (
    BadInput,
    Conflict,
    Forbidden,
    LimitExceeded,
    NotFound,
    PangateError,
    RetryLater,
    Unauthenticated,
    Unavailable,
)
from schema.federation import Choice, Facility, Federation, Trigger
from schema.records import Dataset, Document
from triggers import options
from triggers.ports import Clock, Handle, OpenInstruction, Refused
from triggers.registry import Platform, platform_name

TICKET_LIFE = timedelta(seconds=30)
LONGEST = 3
"""A session may be extended to this many of the trigger's lifetimes after it was asked for."""
REMEMBERED = 100
"""How many of a person's newest launches a repeated key is looked for in, before limits are counted; the ledger itself knows all."""

OPENABLE = frozenset({LaunchState.READY, LaunchState.OPENED, LaunchState.HANDED_OFF})


@dataclass(frozen=True)
class Desk:
    """What the desk works with."""

    federation: Federation
    ledger: LaunchLedger
    platforms: Mapping[str, Platform]
    clock: Clock


class Order(msgspec.Struct, frozen=True):
    """What somebody asks for. `trigger` is "facility/trigger"; without it the facility's first that is available. `options` are extras
    that the trigger must allow."""

    trigger: str | None = None
    procedure: str | None = None
    environment: str | None = None
    key: str | None = None
    another: bool = False
    options: dict[str, str] = {}


def analyse(desk: Desk, document: Document | None, viewer: Viewer, order: Order) -> tuple[Launch, bool]:
    """The launch of this order and whether it is new. `document` is the dataset as this viewer sees it, None when there is none for
    them. Raises Unauthenticated, NotFound, BadInput, Unavailable, LimitExceeded, Forbidden, Conflict."""
    if not viewer.signed_in:
        raise Unauthenticated("Sign in to analyse datasets.")
    dataset = None if document is None else document.record
    if not isinstance(dataset, Dataset):
        raise NotFound("There is no such dataset.")
    if order.key is not None and not 1 <= len(order.key) <= 200:
        raise BadInput("A key has 1 to 200 characters.", field="key")
    key, home, trigger = _trigger(desk, dataset, viewer, order)
    request = LaunchRequest(
        principal=viewer.principal,
        viewer_name=viewer.name,
        facility=home.id,
        trigger=key,
        dataset=dataset.pid,
        dataset_title=dataset.title[:300],
        path=options.path_of(trigger, dataset),
        user=viewer.claims.get(trigger.user, ""),
        procedure=_choice(trigger.procedures, order.procedure, "procedure"),
        environment=_choice(trigger.environments, order.environment, "environment"),
        options=order.options,
    )
    if not _is_repeated(desk, request, order):
        _refuse(desk, key, home, trigger, dataset, viewer)
    expires = desk.clock() + trigger.limits.start + trigger.limits.lifetime
    return desk.ledger.request(request, order.key, order.another, expires)


def stop(desk: Desk, id: str, viewer: Viewer) -> Launch:
    """Ask for the end of the viewer's own launch; of one that has ended, what it is."""
    launch = mine(desk, id, viewer)
    return launch if launch.state in FINAL else desk.ledger.want(id, "stop")


def extend(desk: Desk, id: str, minutes: int, viewer: Viewer) -> Launch:
    """A later end, at most LONGEST lifetimes after the launch was asked for. Raises BadInput, Conflict, LimitExceeded."""
    launch = mine(desk, id, viewer)
    if not 1 <= minutes <= 100_000:
        raise BadInput("A session is extended by at least one minute.", field="minutes")
    if launch.state in FINAL or launch.state is LaunchState.STOPPING or launch.wanted == "stop":
        raise Conflict(f"This session cannot be extended: {launch.message}")
    found = desk.federation.triggers().get(launch.request.trigger)
    if found is None:
        raise Conflict("This platform is not on offer any more; its sessions cannot be extended.")
    wanted = max(launch.expires or desk.clock(), desk.clock()) + timedelta(minutes=minutes)
    latest = launch.created + LONGEST * found[1].limits.lifetime
    if wanted > latest:
        raise LimitExceeded(f"A session there may last until {latest:%Y-%m-%d %H:%M} UTC at most.")
    return desk.ledger.extend(id, wanted)


def ticket(desk: Desk, id: str, viewer: Viewer, session: str) -> str:
    """A one-time ticket for opening the viewer's own launch in this browser session. Raises Conflict when there is nothing to open."""
    launch = mine(desk, id, viewer)
    if launch.state not in OPENABLE:
        raise Conflict(f"This session cannot be opened now: {launch.message}")
    return desk.ledger.ticket(id, viewer.principal, session, desk.clock() + TICKET_LIFE)


def open_launch(desk: Desk, ticket: str, viewer: Viewer, session: str) -> OpenInstruction:
    """What the browser is to do, for a ticket, once. Raises Forbidden for a ticket that is not this person's, not this session's, used
    or too old; Conflict when the session has ended since; Unavailable when the platform does not answer."""
    id = desk.ledger.redeem(ticket, viewer.principal, session, desk.clock())
    if id is None:
        raise Forbidden("This way into the session was used already or is too old. Press open again.")
    launch = mine(desk, id, viewer)
    if launch.state not in OPENABLE:
        raise Conflict(f"This session cannot be opened now: {launch.message}")
    platform = desk.platforms.get(launch.request.trigger)
    if platform is None or platform.adapter is None:
        raise Conflict("This platform is not on offer any more.")
    try:
        opening = platform.adapter.open(Handle(launch.handle or {}), launch.request)
    except Refused as refused:
        raise Conflict(f"{refused.failure.message} {refused.failure.next_step}") from None
    except RetryLater as error:
        raise Unavailable(f"{error.message} Try again in a minute.") from None
    if opening.kind is OpenKind.REDIRECT and _origin(opening.url) != _origin(platform.trigger.url):
        raise PangateError("The session's address is not at the registered platform; it is not opened.")
    _opened(desk, launch, platform)
    return opening


def mine(desk: Desk, id: str, viewer: Viewer) -> Launch:
    """The viewer's own launch. Raises Unauthenticated, and NotFound for unknown ones and other people's alike."""
    if not viewer.signed_in:
        raise Unauthenticated("Sign in to see your sessions.")
    launch = desk.ledger.launch(id)
    if launch is None or launch.request.principal != viewer.principal:
        raise NotFound("There is no such session.")
    return launch


def _trigger(desk: Desk, dataset: Dataset, viewer: Viewer, order: Order) -> tuple[str, Facility, Trigger]:
    on_offer = {key: found for key, found in desk.federation.triggers().items() if found[0].id == dataset.facility}
    if order.trigger is not None:
        if order.trigger not in on_offer:
            names = ", ".join(on_offer) or "none"
            raise BadInput(
                "This analysis platform is not on offer for the dataset.", field="trigger", remedy=f"On offer: {names}."
            )
        return order.trigger, *on_offer[order.trigger]
    if not on_offer:
        raise BadInput("The dataset's facility has no analysis platform here.", field="trigger")
    for key, (home, trigger) in on_offer.items():
        found = options.reasons(key, home, trigger, dataset, viewer, desk.ledger, desk.clock())
        if not any(reason.stops for reason in found):
            return key, home, trigger
    first = next(iter(on_offer))
    return first, *on_offer[first]


def _choice(choices: tuple[Choice, ...], wanted: str | None, what: str) -> str | None:
    if wanted is None:
        return next((choice.id for choice in options.with_default(choices) if choice.default), None)
    if all(choice.id != wanted for choice in choices):
        names = ", ".join(choice.id for choice in choices) or "none"
        raise BadInput(
            f"There is no {what} {wanted[:40]!r} on this platform.", field=what, remedy=f"On offer: {names}."
        )
    return wanted


def _is_repeated(desk: Desk, request: LaunchRequest, order: Order) -> bool:
    """Whether the ledger will answer with a launch that is there already (or a conflict): then no limit is in the way."""
    if order.key is not None:
        newest, _ = desk.ledger.launches(request.principal, REMEMBERED, None)
        return any(launch.key == order.key for launch in newest)
    alive = desk.ledger.alive(trigger=request.trigger, principal=request.principal)
    return not order.another and any(
        _body(launch.request) == _body(request) and launch.wanted != "stop" and launch.state is not LaunchState.STOPPING
        for launch in alive
    )


def _body(request: LaunchRequest) -> tuple[object, ...]:
    """What makes two requests of a person the same to the ledger: not the words around them."""
    return request.dataset, request.procedure, request.environment, request.options


def _refuse(desk: Desk, key: str, home: Facility, trigger: Trigger, dataset: Dataset, viewer: Viewer) -> None:
    """Raises what stands against a new launch, in the words of the offer."""
    for reason in (options.unsupported(trigger), options.no_data(dataset), options.no_path(trigger, dataset)):
        if reason is not None:
            raise BadInput(reason.message, field="trigger")
    down = options.site_down(key, home, trigger, desk.ledger)
    if down is not None:
        raise Unavailable(down.message)
    full = options.quota(key, home, trigger, viewer, desk.ledger, desk.clock())
    if full is not None:
        raise LimitExceeded(full.message)
    unknown = options.no_account(home, trigger, viewer)
    if unknown is not None:
        raise Forbidden(unknown.message)


def _opened(desk: Desk, launch: Launch, platform: Platform) -> None:
    """Note that it was opened; whoever else moved the launch meanwhile goes first."""
    if launch.state is not LaunchState.READY:
        return
    message = f"The session was opened; it runs at {platform_name(platform.facility, platform.trigger)}."
    event = LaunchEvent(0, desk.clock(), LaunchState.OPENED, message)
    try:
        desk.ledger.record(None, launch, event, due=launch.due)
    except Conflict:
        return


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    standard = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, (parts.hostname or "").lower(), parts.port or standard
