"""This file is what can be asked to happen: start, stop and extend a launch; harvest a source."""

# mypy: allow-subclassing-any

from __future__ import annotations

from typing import Any

import graphene

from gateway.graphql import ids
from gateway.graphql.context import Context
from gateway.graphql.fields import always, asked, given, required
from gateway.graphql.launches import Launch, Seen, signed_in
from gateway.graphql.sources import operators_only
from gateway.ports import Wish
from schema import pids
from schema.activities import HarvestMode
from schema.errors import BadInput, NotFound

_KEY_LENGTH = 255


class AnalyseInput(graphene.InputObjectType):
    """What to analyse, where and how."""

    dataset = asked(required(graphene.String), "The dataset's pid.")
    trigger = asked(graphene.ID, "Where; without it the facility's first platform that is available.")
    procedure = asked(graphene.ID, "Which procedure; without it the default.")
    environment = asked(graphene.ID, "In which environment; without it the default.")
    key = asked(
        graphene.String,
        "The caller's idempotency key: same key and body, same launch; same key, other body: CONFLICT. "
        "Without it a live launch of the same is returned.",
    )
    another = asked(graphene.Boolean, "Start another although one is alive.", default_value=False)


class AnalysePayload(graphene.ObjectType):
    """What became of it."""

    launch = always(Launch, "The launch.")
    created = always(graphene.Boolean, "Whether it is new.")


class StopLaunchInput(graphene.InputObjectType):
    """Which launch to stop."""

    launch = asked(required(graphene.ID), "The launch's id.")


class StopLaunchPayload(graphene.ObjectType):
    """What became of it."""

    launch = always(Launch, "The launch.")


class ExtendLaunchInput(graphene.InputObjectType):
    """Which launch to extend, and by how much."""

    launch = asked(required(graphene.ID), "The launch's id.")
    minutes = asked(required(graphene.Int), "How many minutes longer.")


class ExtendLaunchPayload(graphene.ObjectType):
    """What became of it."""

    launch = always(Launch, "The launch.")


class HarvestNowInput(graphene.InputObjectType):
    """Which source to harvest."""

    source = asked(required(graphene.String), 'The source, "facility/source".')
    full = asked(graphene.Boolean, "Walk it whole.", default_value=False)


class HarvestNowPayload(graphene.ObjectType):
    """What became of it."""

    accepted = always(graphene.Boolean, "Whether it will be harvested.")


class Mutation(graphene.ObjectType):
    """What can be asked to happen."""

    analyse = always(
        AnalysePayload,
        "Start an analysis session on a dataset at its home site.",
        input=given(required(AnalyseInput), "What, where and how."),
    )
    stop_launch = always(
        StopLaunchPayload,
        "Ask for the end of a session.",
        input=given(required(StopLaunchInput), "Which."),
    )
    extend_launch = always(
        ExtendLaunchPayload,
        "Ask for more time.",
        input=given(required(ExtendLaunchInput), "Which, and how much."),
    )
    harvest_now = always(
        HarvestNowPayload,
        "Ask for a harvest. For operators.",
        input=given(required(HarvestNowInput), "Of which source."),
    )

    @staticmethod
    async def resolve_analyse(_root: Any, info: Any, input: Any) -> dict[str, Any]:
        context: Context = info.context
        signed_in(context)
        key, trigger = input.get("key"), input.get("trigger")
        if key is not None and not 0 < len(key) <= _KEY_LENGTH:
            raise BadInput(f"A key has 1 to {_KEY_LENGTH} characters.", field="input.key")
        wish = Wish(
            dataset=pids.normal(input["dataset"]),
            trigger=None if trigger is None else ids.key(trigger, "Trigger", "input.trigger"),
            procedure=input.get("procedure"),
            environment=input.get("environment"),
            key=key,
            another=bool(input.get("another")),
        )
        launch, created = await context.launches.analyse(wish, context.viewer)
        return {"launch": Seen(launch), "created": created}

    @staticmethod
    async def resolve_stop_launch(_root: Any, info: Any, input: Any) -> dict[str, Any]:
        context: Context = info.context
        signed_in(context)
        return {"launch": Seen(await context.launches.stop(_launch(input), context.viewer))}

    @staticmethod
    async def resolve_extend_launch(_root: Any, info: Any, input: Any) -> dict[str, Any]:
        context: Context = info.context
        signed_in(context)
        minutes = input["minutes"]
        if minutes < 1:
            raise BadInput("`minutes` is at least 1.", field="input.minutes")
        return {"launch": Seen(await context.launches.extend(_launch(input), minutes, context.viewer))}

    @staticmethod
    async def resolve_harvest_now(_root: Any, info: Any, input: Any) -> dict[str, bool]:
        context: Context = info.context
        operators_only(context)
        mode = HarvestMode.FULL if input.get("full") else HarvestMode.INCREMENTAL
        await context.sources.harvest_now(input["source"], mode, context.viewer)
        return {"accepted": True}


def _launch(input: Any) -> str:
    """The launch an input names; what is no launch's id is as unknown as somebody else's."""
    found = ids.decode(input["launch"])
    if found is None or found[0] != "Launch":
        raise NotFound("No launch of that id is yours.")
    return found[1]
