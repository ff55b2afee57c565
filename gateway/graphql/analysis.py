"""This file is what is on offer for a dataset: platforms, procedures, environments, and why not."""

# mypy: allow-subclassing-any

from __future__ import annotations

from typing import Any

import graphene

from gateway.graphql.facilities import Trigger
from gateway.graphql.fields import always, many, maybe
from gateway.ports import Option


class Reason(graphene.ObjectType):
    """Why something is not on offer, or what will be asked for."""

    code = always(graphene.String, "A stable word.")
    message = always(graphene.String, "A sentence for a person.")
    link = maybe(graphene.String, "Where to go about it.")


class Choice(graphene.ObjectType):
    """A procedure or an environment on offer."""

    id = always(graphene.ID, "What `analyse` takes.")
    name = always(graphene.String, "Its name.")
    description = maybe(graphene.String, "What it is for.")
    default = always(graphene.Boolean, "Whether it is taken when none is named.")


class AnalysisOption(graphene.ObjectType):
    """What one platform offers for a dataset."""

    trigger = always(Trigger, "The platform.")
    available = always(graphene.Boolean, "Whether `analyse` would be accepted for this viewer now.")
    reasons = many(Reason, "Why not, or what will be asked for.")
    procedures = many(Choice, "Procedures on offer.")
    environments = many(Choice, "Environments on offer.")
    typical_seconds_to_ready = maybe(graphene.Int, "The median time from request to ready of recent launches there.")

    @staticmethod
    def resolve_typical_seconds_to_ready(root: Option, _info: Any) -> int | None:
        return root.typical_seconds
