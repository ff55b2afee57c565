"""This file is the pages of searched records: connections of datasets and of the other kinds, resolved in one way."""

# mypy: allow-subclassing-any

from __future__ import annotations

from typing import Any

import graphene

from gateway.graphql import facets, search, shape
from gateway.graphql.datasets import Dataset
from gateway.graphql.facets import Facet
from gateway.graphql.facilities import SourceFreshness, source_freshness
from gateway.graphql.fields import always, many, maybe
from gateway.graphql.nodes import PageInfo
from gateway.graphql.records import Instrument, Investigation, Publication, Sample


class Highlight(graphene.ObjectType):
    """Where a text holds what was asked."""

    field = always(graphene.String, "Which text.")
    fragment = always(graphene.String, "Plain text, marked words between U+E000 and U+E001.")


class FoundEdge:
    """What the edges of searched records resolve in the same way."""

    @staticmethod
    def resolve_cursor(root: search.Edge, info: Any) -> str:
        return search.cursor(root, info.context)

    @staticmethod
    def resolve_score(root: search.Edge, _info: Any) -> float | None:
        return root.hit.score

    @staticmethod
    def resolve_highlights(root: search.Edge, _info: Any) -> list[dict[str, str]]:
        return search.highlights(root)


class FoundPage:
    """What the pages of searched records resolve in the same way."""

    @staticmethod
    def resolve_total_count(root: search.Page, _info: Any) -> int:
        return root.found.total

    @staticmethod
    def resolve_edges(root: search.Page, _info: Any) -> list[search.Edge]:
        return search.edges(root)

    @staticmethod
    def resolve_nodes(root: search.Page, _info: Any) -> list[shape.Stored]:
        return [edge.node for edge in search.edges(root)]

    @staticmethod
    def resolve_page_info(root: search.Page, info: Any) -> dict[str, Any]:
        return search.page_info(root, info.context)

    @staticmethod
    def resolve_facets(root: search.Page, info: Any) -> list[dict[str, Any]]:
        pairs = zip(root.wanted, root.found.facets, strict=True)
        return [facets.counted(wanted, facet, info.context) for wanted, facet in pairs]

    @staticmethod
    async def resolve_sources(root: search.Page, info: Any) -> list[dict[str, Any]]:
        return await source_freshness(info.context, root.found.sources)


def _connection(node: Any, name: str, plural: str, with_facets: bool = False) -> Any:
    edge = type(
        f"{name}Edge",
        (FoundEdge, graphene.ObjectType),
        {
            "__doc__": f"One of the {plural} found, in its place.",
            "cursor": always(graphene.String, "Its place: `after` goes on behind it."),
            "node": always(node, "The thing itself."),
            "score": maybe(graphene.Float, "How well it matches; null when the order is another."),
            "highlights": many(Highlight, "Where its texts hold what was asked."),
        },
    )
    fields = {
        "__doc__": f"A page of the {plural} found.",
        "total_count": always(graphene.Int, f"How many {plural} match, exactly."),
        "edges": many(edge, f"The {plural} of this page with what is known of each match."),
        "nodes": many(node, f"The {plural} of this page."),
        "page_info": always(PageInfo, "Where this page lies."),
        **({"facets": many(Facet, "The counts that were asked for, in that order.")} if with_facets else {}),
        "sources": many(SourceFreshness, "Every source of the federation, how fresh it is and what it gave."),
    }
    return type(f"{name}Connection", (FoundPage, graphene.ObjectType), fields)


DatasetConnection = _connection(Dataset, "Dataset", "datasets", with_facets=True)
InvestigationConnection = _connection(Investigation, "Investigation", "investigations")
PublicationConnection = _connection(Publication, "Publication", "publications")
InstrumentConnection = _connection(Instrument, "Instrument", "instruments")
SampleConnection = _connection(Sample, "Sample", "samples")
