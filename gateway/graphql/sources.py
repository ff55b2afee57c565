"""This file is sources, their harvests and their rejects."""

# mypy: allow-subclassing-any

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import graphene

from catalogue import ports
from gateway.graphql import cursors, freshness, ids
from gateway.graphql.context import Context
from gateway.graphql.enums import Freshness, HarvestMode, HarvestState
from gateway.graphql.facilities import Facility
from gateway.graphql.fields import always, maybe
from gateway.graphql.nodes import Node, connection, page_info
from gateway.graphql.scalars import DateTime
from gateway.graphql.search import size
from gateway.ports import KeptReject
from schema import federation
from schema.activities import HarvestState as HarvestStates
from schema.errors import Forbidden, NotFound, Unauthenticated


class HarvestFigures(graphene.ObjectType):
    """What a harvest did."""

    pages = always(graphene.Int, "Pages read.")
    seen = always(graphene.Int, "Records seen.")
    added = always(graphene.Int, "Records that are new.")
    changed = always(graphene.Int, "Records that had changed.")
    unchanged = always(graphene.Int, "Records that came again as they were.")
    removed = always(graphene.Int, "Records removed.")
    rejected = always(graphene.Int, "Records refused.")


class Harvest(graphene.ObjectType):
    """One run over one source."""

    class Meta:
        interfaces = (Node,)

    source = always(graphene.String, 'The source, "facility/source".')
    mode = always(HarvestMode, "How the source was walked.")
    state = always(HarvestState, "How it stands.")
    started_at = always(DateTime, "When it began.")
    ended_at = maybe(DateTime, "When it ended.")
    message = always(graphene.String, "What to know about it.")
    figures = maybe(HarvestFigures, "What it did; for operators, since records that are not public count in it.")

    @staticmethod
    def resolve_id(root: ports.Harvest, _info: Any) -> str:
        return ids.encode("Harvest", str(root.id))

    @staticmethod
    def resolve_mode(root: ports.Harvest, _info: Any) -> str:
        return root.mode.name

    @staticmethod
    def resolve_state(root: ports.Harvest, _info: Any) -> str:
        return root.state.name

    @staticmethod
    def resolve_message(root: ports.Harvest, info: Any) -> str:
        return message_for(info.context, root.state, root.message)

    @staticmethod
    def resolve_figures(root: ports.Harvest, info: Any) -> Any:
        return root.figures if info.context.operator else None

    @staticmethod
    def resolve_started_at(root: ports.Harvest, _info: Any) -> Any:
        return root.started

    @staticmethod
    def resolve_ended_at(root: ports.Harvest, _info: Any) -> Any:
        return root.ended


@dataclass(frozen=True)
class Standing:
    """A source and how it stands."""

    name: str
    facility: federation.Facility
    source: federation.Source
    state: ports.SourceState | None
    freshness: str

    def of(self, key: str, absent: Any = None) -> Any:
        """A field of the ledger's state."""
        return absent if self.state is None else getattr(self.state, key)


class Source(graphene.ObjectType):
    """One endpoint of a facility's catalogue, and how it stands."""

    key = always(graphene.String, 'Its name, "facility/source".')
    facility = always(Facility, "Whose it is.")
    kind = always(graphene.String, "What it speaks: scicat, icat, …")
    url = always(graphene.String, "Its address.")
    state = always(Freshness, "How well it is known at present.")
    as_of = maybe(DateTime, "Up to when it is known.")
    records = always(graphene.Int, "How many of its records are here: the public ones; for operators all.")
    rejects = maybe(graphene.Int, "How many of its records were refused and are kept with their reason; for operators.")
    last_full_at = maybe(DateTime, "When it was last walked whole.")
    last_attempt_at = maybe(DateTime, "When it was last tried.")
    failing_since = maybe(DateTime, "Since when it fails.")
    message = always(graphene.String, "What to know about it.")
    running = maybe(Harvest, "The harvest under way.")
    last_harvest = maybe(Harvest, "The last harvest.")

    @staticmethod
    def resolve_key(root: Standing, _info: Any) -> str:
        return root.name

    @staticmethod
    def resolve_kind(root: Standing, _info: Any) -> str:
        return root.source.kind

    @staticmethod
    def resolve_url(root: Standing, _info: Any) -> str:
        return root.source.url

    @staticmethod
    def resolve_state(root: Standing, _info: Any) -> str:
        return root.freshness

    @staticmethod
    def resolve_as_of(root: Standing, _info: Any) -> Any:
        return root.of("last_done")

    @staticmethod
    def resolve_records(root: Standing, info: Any) -> Any:
        return records_for(info.context, root)

    @staticmethod
    def resolve_rejects(root: Standing, info: Any) -> Any:
        return root.of("rejects", 0) if info.context.operator else None

    @staticmethod
    def resolve_last_full_at(root: Standing, _info: Any) -> Any:
        return root.of("last_full")

    @staticmethod
    def resolve_last_attempt_at(root: Standing, _info: Any) -> Any:
        return root.of("last_attempt")

    @staticmethod
    def resolve_failing_since(root: Standing, _info: Any) -> Any:
        return root.of("failing_since")

    @staticmethod
    def resolve_message(root: Standing, info: Any) -> Any:
        return standing_for(info.context, root)

    @staticmethod
    def resolve_running(root: Standing, _info: Any) -> Any:
        return root.of("running")

    @staticmethod
    def resolve_last_harvest(root: Standing, _info: Any) -> Any:
        return root.of("last")


_COUNTED = {
    HarvestStates.HELD: "More is gone at the source than is removed without asking; an operator looks at it.",
    HarvestStates.DEGRADED: "Some of its records could not be understood.",
    HarvestStates.DONE: "",
}


def message_for(context: Context, state: HarvestStates, message: str) -> str:
    """A harvest's message as this viewer may read it: what counts records that are not public is for operators."""
    return message if context.operator else _COUNTED.get(state, message)


def standing_for(context: Context, standing: Standing) -> str:
    """The message of a source as this viewer may read it."""
    last, message = standing.of("last"), str(standing.of("message", "Never harvested yet."))
    return message if last is None else message_for(context, last.state, message)


def records_for(context: Context, standing: Standing) -> int:
    """How many of a source's records this viewer is told of."""
    return int(standing.of("records" if context.operator else "public", 0))


async def standings(context: Context) -> list[Standing]:
    """Every source of the federation, in the file's order."""
    known, now = await freshness.states(context), context.clock()
    return [
        Standing(name, home, source, known.get(name), freshness.of_source(known.get(name), source.interval, now))
        for name, (home, source) in context.federation.sources().items()
    ]


class Reject(graphene.ObjectType):
    """A record that was refused."""

    class Meta:
        interfaces = (Node,)

    source = always(graphene.String, 'The source, "facility/source".')
    kind = always(graphene.String, "What kind of record it is.")
    source_id = always(graphene.String, "Its id there.")
    reason = always(graphene.String, "A stable word.")
    message = always(graphene.String, "Why, in a sentence.")
    raw = always(graphene.String, "The record as it came, cut when it is long.")
    first_seen = always(DateTime, "When it first came.")
    last_seen = always(DateTime, "When it last came.")
    count = always(graphene.Int, "How often it came.")

    @staticmethod
    def resolve_id(root: KeptReject, _info: Any) -> str:
        return ids.encode("Reject", str(root.id))

    @staticmethod
    def resolve_source(root: KeptReject, _info: Any) -> str:
        return root.reject.source

    @staticmethod
    def resolve_kind(root: KeptReject, _info: Any) -> str:
        return root.reject.kind

    @staticmethod
    def resolve_source_id(root: KeptReject, _info: Any) -> str:
        return root.reject.id

    @staticmethod
    def resolve_reason(root: KeptReject, _info: Any) -> str:
        return root.reject.reason

    @staticmethod
    def resolve_message(root: KeptReject, _info: Any) -> str:
        return root.reject.message

    @staticmethod
    def resolve_raw(root: KeptReject, _info: Any) -> str:
        return root.reject.raw


HarvestConnection, HarvestEdge = connection(Harvest, "Harvest", "harvests")
RejectConnection, RejectEdge = connection(Reject, "Reject", "rejects")


async def harvests(context: Context, source: str | None, first: int | None, after: str | None) -> dict[str, Any]:
    """A page of harvests, newest first. Raises NotFound for an unknown source."""
    _known(context, source)
    number, mark = size(first, context), f"harvests:{source or ''}"
    before = None if after is None else cursors.unseal(context.settings.cursor_key, mark, after, int)
    found = await context.sources.harvests(source, number + 1, before)
    return _page(context, found, number, mark, after, lambda each: each.id)


async def rejects(context: Context, source: str | None, first: int | None, after: str | None) -> dict[str, Any]:
    """A page of rejects. Raises Unauthenticated and Forbidden for whom they are not for."""
    operators_only(context)
    _known(context, source)
    number, mark = size(first, context), f"rejects:{source or ''}"
    behind = None if after is None else cursors.unseal(context.settings.cursor_key, mark, after, int)
    found = await context.sources.rejects(source, number + 1, behind)
    return _page(context, found, number, mark, after, lambda each: each.id)


async def kept(context: Context, type_: str, key: str) -> Any:
    """The harvest or reject of a number; rejects for operators alone."""
    if not (key.isascii() and key.isdigit() and len(key) <= 18):
        return None
    number = int(key)
    found: Sequence[Any] = ()
    if type_ == "Harvest":
        found = await context.sources.harvests(None, 1, number + 1)
    elif context.operator:
        found = await context.sources.rejects(None, 1, number - 1)
    return next((each for each in found if each.id == number), None)


def operators_only(context: Context) -> None:
    """Raises Unauthenticated or Forbidden for whoever is no operator."""
    if not context.viewer.signed_in:
        raise Unauthenticated("Sign in as an operator first.")
    if not context.operator:
        raise Forbidden("This is for operators of the federation.")


def _known(context: Context, source: str | None) -> None:
    if source is not None and source not in context.federation.sources():
        raise NotFound("No source of that name is in the federation.")


def _page(
    context: Context, found: Sequence[Any], number: int, mark: str, after: str | None, place: Callable[[Any], int]
) -> dict[str, Any]:
    shown = found[:number]
    marks = [cursors.seal(context.settings.cursor_key, mark, place(each)) for each in shown]
    return {
        "edges": [{"cursor": cursor, "node": each} for cursor, each in zip(marks, shown, strict=True)],
        "page_info": page_info(marks, len(found) > number, after),
    }
