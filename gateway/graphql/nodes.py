"""This file is what every list and every thing with an id has in common."""

# mypy: allow-subclassing-any

from __future__ import annotations

from typing import Any

import graphene

from catalogue.ports import Harvest
from gateway.graphql import shape
from gateway.graphql.fields import always, many, maybe
from gateway.ports import KeptReject, TriggerCard
from schema.federation import Facility


class Node(graphene.Interface):
    """Anything with an id of its own."""

    id = always(graphene.ID, "Its Relay id: opaque, URL-safe, steady.")


def type_name(value: Any, _info: Any = None, _type: Any = None) -> str:
    """Which type a value found by its id is."""
    if isinstance(value, shape.Stored):
        return value.type
    return next((name for kind, name in _TYPES.items() if isinstance(value, kind)), "Launch")


_TYPES: dict[type, str] = {Facility: "Facility", TriggerCard: "Trigger", Harvest: "Harvest", KeptReject: "Reject"}


class PageInfo(graphene.ObjectType):
    """Where a page lies in its list (Relay, cursor connections)."""

    has_next_page = always(graphene.Boolean, "Whether more follow.")
    has_previous_page = always(graphene.Boolean, "Whether this is not the first page.")
    start_cursor = maybe(graphene.String, "The cursor of the first edge.")
    end_cursor = maybe(graphene.String, "The cursor of the last edge: `after` for the next page.")


def page_info(cursors: list[str], more: bool, after: str | None) -> dict[str, Any]:
    """The page info of a page with these cursors."""
    return {
        "has_next_page": more,
        "has_previous_page": after is not None,
        "start_cursor": cursors[0] if cursors else None,
        "end_cursor": cursors[-1] if cursors else None,
    }


def connection(node: Any, name: str, plural: str, **more: Any) -> tuple[Any, Any]:
    """The connection and edge types of a list of nodes; `more` fields stand on the connection."""
    edge = type(
        f"{name}Edge",
        (graphene.ObjectType,),
        {
            "__doc__": f"One of the {plural} in its place.",
            "cursor": always(graphene.String, "Its place: `after` goes on behind it."),
            "node": always(node, "The thing itself."),
        },
    )
    made = type(
        f"{name}Connection",
        (graphene.ObjectType,),
        {
            "__doc__": f"A page of {plural}.",
            "edges": many(edge, f"The {plural} of this page with their cursors."),
            "page_info": always(PageInfo, "Where this page lies."),
            **more,
        },
    )
    return made, edge
