"""This file is facilities and their analysis platforms, as federation.yaml names them and the ledger knows them."""

# mypy: allow-subclassing-any

from __future__ import annotations

from typing import Any

import graphene

from gateway.graphql import freshness, ids
from gateway.graphql.context import Context
from gateway.graphql.enums import Freshness, OpenKind
from gateway.graphql.fields import always, many, maybe
from gateway.graphql.nodes import Node
from gateway.graphql.scalars import DateTime
from gateway.ports import TriggerCard
from schema import federation
from schema.activities import Capabilities
from schema.activities import OpenKind as HowOpened


class Facility(graphene.ObjectType):
    """A facility of the federation."""

    class Meta:
        interfaces = (Node,)

    key = always(graphene.String, "Its short name in this federation: what filters take.")
    name = always(graphene.String, "Its full name.")
    short_name = always(graphene.String, "The name people use.")
    url = maybe(graphene.String, "Its own site.")
    ror = maybe(graphene.String, "Its ROR id.")
    dataset_count = always(graphene.Int, "How many public datasets of it are here.")
    freshness = always(Freshness, "How well we know its holdings at present; the worst of its sources.")
    as_of = maybe(DateTime, "Up to when all its sources are known.")
    triggers = many(lambda: Trigger, "Its analysis platforms.")

    @staticmethod
    def resolve_id(root: federation.Facility, _info: Any) -> str:
        return ids.encode("Facility", root.id)

    @staticmethod
    def resolve_key(root: federation.Facility, _info: Any) -> str:
        return root.id

    @staticmethod
    def resolve_short_name(root: federation.Facility, _info: Any) -> str:
        return short_name(root)

    @staticmethod
    async def resolve_dataset_count(root: federation.Facility, info: Any) -> int:
        context: Context = info.context
        counts = await context.memo.get("counts", context.reader.counts)
        return counts.get(root.id, 0)

    @staticmethod
    async def resolve_freshness(root: federation.Facility, info: Any) -> str:
        return (await _known(root, info.context))[0]

    @staticmethod
    async def resolve_as_of(root: federation.Facility, info: Any) -> Any:
        return (await _known(root, info.context))[1]

    @staticmethod
    def resolve_triggers(root: federation.Facility, info: Any) -> list[TriggerCard]:
        context: Context = info.context
        return context.launches.triggers(root.id)


def short_name(root: federation.Facility) -> str:
    """The name people use, else the full one."""
    return root.shortName or root.name


async def _known(root: federation.Facility, context: Context) -> tuple[str, Any]:
    sources = [(f"{root.id}/{source.id}", source) for source in root.sources if source.enabled]
    return freshness.of_facility(sources, await freshness.states(context), context.clock())


def facility(context: Context, key: str) -> federation.Facility:
    """The facility of that key; one that left the file while its records are still here keeps its key as its name."""
    return context.federation.facility(key) or federation.Facility.model_construct(
        id=key, name=key, shortName=None, url=None, ror=None, sources=(), triggers=()
    )


class TriggerCapabilities(graphene.ObjectType):
    """What an analysis platform can do."""

    start = always(graphene.Boolean, "It can be asked to start a session.")
    watch = always(graphene.Boolean, "A session's life can be followed.")
    stop = always(graphene.Boolean, "A session can be ended from here.")
    link_only = always(graphene.Boolean, "It can only be linked to.")
    opens_as = always(OpenKind, "How a user gets in.")

    @staticmethod
    def resolve_opens_as(root: Capabilities, _info: Any) -> str:
        return root.opens_as.value


class Trigger(graphene.ObjectType):
    """An analysis platform at a site."""

    class Meta:
        interfaces = (Node,)

    kind = always(graphene.String, "What it is: jupyterhub, visa, …")
    name = always(graphene.String, "Its name.")
    facility = always(Facility, "Whose it is.")
    capabilities = always(TriggerCapabilities, "What it can do.")

    @staticmethod
    def resolve_id(root: TriggerCard, _info: Any) -> str:
        return ids.encode("Trigger", root.key)

    @staticmethod
    def resolve_facility(root: TriggerCard, info: Any) -> federation.Facility:
        return facility(info.context, root.facility)


_GONE = Capabilities(start=False, watch=False, stop=False, link_only=True, opens_as=HowOpened.REDIRECT)


def trigger(context: Context, key: str) -> TriggerCard:
    """The platform "facility/trigger"; one that left the file keeps its name and can do nothing."""
    home, _, name = key.partition("/")
    found = next((card for card in context.launches.triggers(home) if card.key == key), None)
    return found or TriggerCard(key=key, facility=home, kind="gone", name=name or key, capabilities=_GONE)


class SourceFreshness(graphene.ObjectType):
    """How well a source was known when it was searched, and what it gave."""

    facility = always(Facility, "Whose source it is.")
    source = always(graphene.String, 'Its name, "facility/source".')
    state = always(Freshness, "How well it is known at present.")
    as_of = maybe(DateTime, "Up to when it is known.")
    matched = always(graphene.Int, "How many of the records found are from it.")


async def source_freshness(context: Context, matched: dict[str, int]) -> list[dict[str, Any]]:
    """Every source of the federation with what it gave to an answer."""
    known, now = await freshness.states(context), context.clock()
    return [
        {
            "facility": home,
            "source": name,
            "state": freshness.of_source(known.get(name), source.interval, now),
            "as_of": state.last_done if (state := known.get(name)) else None,
            "matched": matched.get(name, 0),
        }
        for name, (home, source) in context.federation.sources().items()
    ]
