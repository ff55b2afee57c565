"""This file is things found by their names: a pid or a Relay id; null when absent or not for this viewer, the same."""

from __future__ import annotations

from typing import Any

from gateway.graphql import ids, shape, sources
from gateway.graphql.context import Context
from gateway.graphql.launches import Seen
from schema import pids
from schema.records import Kind


async def record(context: Context, kind: Kind, pid: str) -> shape.Stored | None:
    """The record of a pid in any spelling."""
    raw = await context.reader.get(kind, pids.normal(pid), context.viewer)
    return None if raw is None else shape.document(raw)


async def nodes(context: Context, wanted: list[str]) -> list[Any]:
    """The things of these ids, in their order; records of one kind are fetched together."""
    named = [ids.decode(each) for each in wanted]
    stored: dict[tuple[str, str], Any] = {}
    for type_, kind in shape.KIND_OF_TYPE.items():
        keys = [key for found in named if found is not None and found[0] == type_ for key in found[1:]]
        if keys:
            raws = await context.reader.get_many(Kind(kind), list(dict.fromkeys(keys)), context.viewer)
            stored.update({(type_, pid): shape.document(raw) for pid, raw in raws.items()})
    return [None if each is None else stored.get(each) or await _other(context, *each) for each in named]


async def _other(context: Context, type_: str, key: str) -> Any:
    """A facility, a platform, or the viewer's own launch."""
    if type_ == "Facility":
        found = context.federation.facility(key)
        return found if found is not None and found.enabled else None
    if type_ == "Trigger":
        return next((card for card in context.launches.triggers() if card.key == key), None)
    if type_ == "Launch" and context.viewer.signed_in:
        launch = await context.launches.launch(key, context.viewer)
        return None if launch is None else Seen(launch)
    return await sources.kept(context, type_, key) if type_ in ("Harvest", "Reject") else None


async def node(context: Context, id: str) -> Any:
    """The thing of an id."""
    return (await nodes(context, [id]))[0]
