"""This file is launches: analysis sessions from request to end, as their owner sees them."""

# mypy: allow-subclassing-any

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import graphene
import msgspec

from gateway.graphql import cursors, ids, shape
from gateway.graphql.analysis import Choice
from gateway.graphql.context import Context
from gateway.graphql.datasets import Dataset
from gateway.graphql.enums import FailureCode, LaunchState
from gateway.graphql.facilities import Trigger, trigger
from gateway.graphql.fields import always, many, maybe
from gateway.graphql.nodes import Node, connection, page_info
from gateway.graphql.scalars import DateTime
from gateway.graphql.search import size
from gateway.ports import TriggerCard
from schema import activities, federation
from schema.activities import LaunchState as State
from schema.errors import Unauthenticated
from schema.records import Kind

_OPENABLE = frozenset({State.READY, State.OPENED, State.HANDED_OFF, State.AWAITING_USER})
_ORDER = "launches"


@dataclass(frozen=True)
class Seen:
    """A launch as it was at one of its events (`upto`), or as it is (None)."""

    launch: activities.Launch
    upto: int | None = None


class LaunchFailure(graphene.ObjectType):
    """Why a launch failed, and what to do next."""

    code = always(FailureCode, "A stable word.")
    message = always(graphene.String, "What happened.")
    next_step = always(graphene.String, "What to do next.")
    retry = always(graphene.Boolean, "Whether trying again is safe and may help.")
    retry_after = maybe(DateTime, "Not before then.")
    link = maybe(graphene.String, "Where to go about it.")

    @staticmethod
    def resolve_code(root: activities.Failure, _info: Any) -> str:
        return root.code.value


class LaunchEvent(graphene.ObjectType):
    """One step in a launch's life."""

    id = always(graphene.ID, "Rises with every event: `after` of a subscription.")
    at = always(DateTime, "When it happened.")
    state = always(LaunchState, "The state from then on.")
    message = always(graphene.String, "What happened, for a person.")
    progress = maybe(graphene.Int, "How far it is, in per cent.")

    @staticmethod
    def resolve_state(root: activities.LaunchEvent, _info: Any) -> str:
        return root.state.value


class Launch(graphene.ObjectType):
    """One analysis session from request to end."""

    class Meta:
        interfaces = (Node,)

    state = always(LaunchState, "Where it stands.")
    failure = maybe(LaunchFailure, "Why it failed.")
    message = always(graphene.String, "For a person, always true of the present state.")
    dataset = maybe(Dataset, "What is analysed; null when it is no longer here or visible.")
    trigger = always(Trigger, "Where.")
    procedure = maybe(Choice, "Which procedure.")
    environment = maybe(Choice, "In which environment.")
    created_at = always(DateTime, "When it was asked for.")
    last_known_at = maybe(DateTime, "When the site last told about it.")
    expires_at = maybe(DateTime, "When it will be ended.")
    events = many(LaunchEvent, "Its life so far, in order.")
    open_url = maybe(graphene.String, "Our page whose button opens it; null while it cannot be opened.")

    @staticmethod
    def resolve_id(root: Seen, _info: Any) -> str:
        return ids.encode("Launch", root.launch.id)

    @staticmethod
    def resolve_state(root: Seen, _info: Any) -> str:
        return root.launch.state.value

    @staticmethod
    def resolve_failure(root: Seen, _info: Any) -> activities.Failure | None:
        return root.launch.failure

    @staticmethod
    def resolve_message(root: Seen, _info: Any) -> str:
        return root.launch.message

    @staticmethod
    async def resolve_dataset(root: Seen, info: Any) -> shape.Stored | None:
        context: Context = info.context
        raw = await context.reader.get(Kind.DATASET, root.launch.request.dataset, context.viewer)
        return None if raw is None else shape.document(raw)

    @staticmethod
    def resolve_trigger(root: Seen, info: Any) -> TriggerCard:
        return trigger(info.context, root.launch.request.trigger)

    @staticmethod
    def resolve_procedure(root: Seen, info: Any) -> Any:
        request = root.launch.request
        return _choice(info.context, request.trigger, "procedures", request.procedure)

    @staticmethod
    def resolve_environment(root: Seen, info: Any) -> Any:
        request = root.launch.request
        return _choice(info.context, request.trigger, "environments", request.environment)

    @staticmethod
    def resolve_created_at(root: Seen, _info: Any) -> Any:
        return root.launch.created

    @staticmethod
    def resolve_last_known_at(root: Seen, _info: Any) -> Any:
        return root.launch.known

    @staticmethod
    def resolve_expires_at(root: Seen, _info: Any) -> Any:
        return root.launch.expires

    @staticmethod
    async def resolve_events(root: Seen, info: Any) -> list[activities.LaunchEvent]:
        context: Context = info.context
        events = await context.launches.events(root.launch.id)
        return [event for event in events if root.upto is None or event.id <= root.upto]

    @staticmethod
    def resolve_open_url(root: Seen, info: Any) -> str | None:
        context: Context = info.context
        if root.launch.state not in _OPENABLE:
            return None
        return f"{context.settings.url}/launch/{root.launch.id}/open"


def _choice(context: Context, key: str, what: str, id: str | None) -> federation.Choice | None:
    if id is None:
        return None
    _, place = context.federation.triggers().get(key, (None, None))
    offered: tuple[federation.Choice, ...] = getattr(place, what, ())
    known = next((each for each in offered if each.id == id), None)
    return known or federation.Choice.model_construct(id=id, name=id, description=None, default=False)


def as_of(launch: activities.Launch, event: activities.LaunchEvent) -> Seen:
    """The launch as it was at that event."""
    then = msgspec.structs.replace(launch, state=event.state, message=event.message, failure=event.failure)
    return Seen(then, event.id)


LaunchConnection, LaunchEdge = connection(
    Launch,
    "Launch",
    "launches",
    total_count=always(graphene.Int, "How many launches the viewer has."),
)


async def page(context: Context, first: int | None, after: str | None) -> dict[str, Any]:
    """A page of the viewer's own launches. Raises Unauthenticated, BadInput, LimitExceeded, CursorInvalid."""
    signed_in(context)
    number, key = size(first, context), context.settings.cursor_key
    question = f"{_ORDER}:{context.viewer.principal}"
    before = None if after is None else cursors.unseal(key, question, after, str)
    found, total = await context.launches.launches(context.viewer, number + 1, before)
    shown = found[:number]
    marks = [cursors.seal(key, question, each.id) for each in shown]
    return {
        "total_count": total,
        "edges": [{"cursor": mark, "node": Seen(each)} for mark, each in zip(marks, shown, strict=True)],
        "page_info": page_info(marks, len(found) > number, after),
    }


def signed_in(context: Context) -> None:
    """Raises Unauthenticated for the anonymous viewer."""
    if not context.viewer.signed_in:
        raise Unauthenticated("Sign in first; then ask again.")
