"""This file is what can be followed: one launch, event by event."""

# mypy: allow-subclassing-any

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import graphene

from gateway.graphql import ids
from gateway.graphql.context import Context
from gateway.graphql.fields import always, given, required
from gateway.graphql.launches import Launch, Seen, as_of, signed_in
from schema.errors import BadInput, NotFound


class Subscription(graphene.ObjectType):
    """What can be followed."""

    launch = always(
        Launch,
        "The viewer's own launch: one payload an event, none left out; ends when the launch has ended.",
        id=given(required(graphene.ID), "The launch's id."),
        after=given(graphene.ID, "The last event that was seen; what came after it is given first."),
    )

    @staticmethod
    async def subscribe_launch(_root: Any, info: Any, id: str, after: str | None = None) -> AsyncIterator[Seen]:
        """The events. Raises Unauthenticated, NotFound, BadInput before the first of them."""
        context: Context = info.context
        signed_in(context)
        found = ids.decode(id)
        launch = None
        if found is not None and found[0] == "Launch":
            launch = await context.launches.launch(found[1], context.viewer)
        if launch is None:
            raise NotFound("No launch of that id is yours.")
        return _events(context, launch.id, _event(after))


def _event(after: str | None) -> int:
    if after is None:
        return 0
    if not (after.isascii() and after.isdigit() and len(after) <= 18):
        raise BadInput("`after` is the id of an event.", field="after", remedy="Take it from `events`.")
    return int(after)


async def _events(context: Context, launch: str, after: int) -> AsyncIterator[Seen]:
    async for state, event in context.launches.follow(launch, after):
        yield as_of(state, event)
