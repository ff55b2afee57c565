"""This file is what can be asked: every root field of a query."""

# mypy: allow-subclassing-any

from __future__ import annotations

from typing import Any

import graphene

from gateway.completion import complete
from gateway.graphql import found, ids, launches, lists, parts, search, shape, sources
from gateway.graphql.analysis import AnalysisOption
from gateway.graphql.context import Context
from gateway.graphql.datasets import Dataset, options
from gateway.graphql.enums import DatasetSort, Scope
from gateway.graphql.facilities import Facility
from gateway.graphql.fields import always, given, many, maybe, required, values
from gateway.graphql.inputs import DatasetFilter, FacetRequest, RecordFilter
from gateway.graphql.launches import Launch, LaunchConnection
from gateway.graphql.nodes import Node
from gateway.graphql.records import Instrument, Investigation, Publication, Sample
from gateway.graphql.sources import HarvestConnection, RejectConnection, Source
from gateway.limits import at_most
from schema.access import Viewer as Person
from schema.errors import NotFound
from schema.records import Kind

_IDS = 100  # things that `nodes` gives at once


class Viewer(graphene.ObjectType):
    """Who asks."""

    name = always(graphene.String, "The name, as the identity server gives it.")
    subject = always(graphene.String, "The steady name at the identity server.")
    groups = many(graphene.String, 'Groups at facilities, "facility:group".')
    roles = many(graphene.String, "Roles in this federation.")

    @staticmethod
    def resolve_groups(root: Person, _info: Any) -> list[str]:
        return sorted(root.groups)

    @staticmethod
    def resolve_roles(root: Person, _info: Any) -> list[str]:
        return sorted(root.roles)


_PAGE = {
    "first": given(graphene.Int, "How many, 1 to 100.", default_value=10),
    "after": given(graphene.String, "The cursor to go on behind."),
}
_PID = {"pid": given(required(graphene.String), "A DOI in any spelling, or pangate's own pid.")}


def _listed(connection: Any, plural: str) -> Any:
    return always(
        connection,
        f"Search {plural}.",
        query=given(graphene.String, 'Words, "a phrase", -not.'),
        filter=given(RecordFilter, "What they must have."),
        sort=given(DatasetSort, "Their order; without a query NEWEST.", default_value="RELEVANCE"),
        scope=given(Scope, "Public records, or those open to this viewer alone.", default_value="PUBLIC"),
        **_PAGE,
    )


def _single(type: Any, what: str) -> Any:
    return maybe(type, f"The {what} of a pid; null when absent or not for this viewer.", **_PID)


class Query(graphene.ObjectType):
    """What can be asked."""

    node = maybe(Node, "The thing of an id.", id=given(required(graphene.ID), "Its id."))
    nodes = graphene.Field(
        required(graphene.List(Node)),
        description="The things of these ids, at most 100, in their order; null for what is not there.",
        ids=given(required(values(graphene.ID)), "Their ids."),
    )
    me = maybe(Viewer, "Who asks; null without sign-in.")
    facilities = many(Facility, "The facilities of the federation, in the file's order.")
    vocabulary = always(parts.Vocabulary, "The technique ontology in use.")
    techniques = many(
        parts.Technique,
        "Techniques by label, synonym, code or IRI, best first.",
        query=given(graphene.String, "What to look for; without it the first by label."),
        first=given(graphene.Int, "How many, 1 to 100.", default_value=10),
    )
    suggest = many(
        parts.Suggestion,
        "Completions of what is being typed, from public records only.",
        text=given(required(graphene.String), "What was typed."),
        first=given(graphene.Int, "How many, 1 to 10.", default_value=10),
    )
    dataset = _single(Dataset, "dataset")
    datasets = always(
        lists.DatasetConnection,
        "Search datasets.",
        query=given(graphene.String, 'Words, "a phrase", -not.'),
        filter=given(DatasetFilter, "What they must have."),
        facets=given(values(FacetRequest), "What to count, at most 10."),
        sort=given(DatasetSort, "Their order; without a query NEWEST.", default_value="RELEVANCE"),
        scope=given(Scope, "Public records, or those open to this viewer alone.", default_value="PUBLIC"),
        **_PAGE,
    )
    investigation = _single(Investigation, "investigation")
    investigations = _listed(lists.InvestigationConnection, "investigations")
    publication = _single(Publication, "publication")
    publications = _listed(lists.PublicationConnection, "publications")
    instrument = _single(Instrument, "instrument")
    instruments = _listed(lists.InstrumentConnection, "instruments")
    sample = _single(Sample, "sample")
    samples = _listed(lists.SampleConnection, "samples")
    analysis_options = many(
        AnalysisOption,
        "What can be done with a dataset, from what is known: no facility is asked.",
        dataset=given(required(graphene.String), "Its pid."),
    )
    launch = maybe(Launch, "The viewer's own launch of that id.", id=given(required(graphene.ID), "Its id."))
    launches = always(LaunchConnection, "The viewer's own launches, newest first.", **_PAGE)
    sources = many(Source, "The sources of the federation and how they stand.")
    harvests = always(
        HarvestConnection,
        "Harvests, newest first.",
        source=given(graphene.String, 'Of this source only, "facility/source".'),
        **_PAGE,
    )
    rejects = always(
        RejectConnection,
        "Records that were refused, with their reason. For operators.",
        source=given(graphene.String, 'Of this source only, "facility/source".'),
        **_PAGE,
    )

    @staticmethod
    async def resolve_node(_root: Any, info: Any, id: str) -> Any:
        return await found.node(info.context, id)

    @staticmethod
    async def resolve_nodes(_root: Any, info: Any, ids: list[str]) -> list[Any]:
        at_most(len(ids), _IDS, "ids")
        return await found.nodes(info.context, ids)

    @staticmethod
    def resolve_me(_root: Any, info: Any) -> Person | None:
        viewer: Person = info.context.viewer
        return viewer if viewer.signed_in else None

    @staticmethod
    def resolve_facilities(_root: Any, info: Any) -> list[Any]:
        return [each for each in info.context.federation.facilities if each.enabled]

    @staticmethod
    def resolve_vocabulary(_root: Any, info: Any) -> Any:
        return info.context.vocabulary

    @staticmethod
    def resolve_techniques(_root: Any, info: Any, query: str | None = None, first: int | None = None) -> list[Any]:
        context: Context = info.context
        number = search.size(first, context)
        at_most(len(query or ""), 256, "characters in `query`")
        return [parts.technique(term) for term in context.vocabulary.find(query or "", number)]

    @staticmethod
    async def resolve_suggest(_root: Any, info: Any, text: str, first: int | None = None) -> list[Any]:
        context: Context = info.context
        at_most(len(text), 256, "characters in `text`")
        number = search.size(first, context, limit=context.limits.suggestions)
        return await complete(text, number, context.reader, context.vocabulary)

    @staticmethod
    async def resolve_dataset(_root: Any, info: Any, pid: str) -> shape.Stored | None:
        return await found.record(info.context, Kind.DATASET, pid)

    @staticmethod
    async def resolve_investigation(_root: Any, info: Any, pid: str) -> shape.Stored | None:
        return await found.record(info.context, Kind.INVESTIGATION, pid)

    @staticmethod
    async def resolve_publication(_root: Any, info: Any, pid: str) -> shape.Stored | None:
        return await found.record(info.context, Kind.PUBLICATION, pid)

    @staticmethod
    async def resolve_instrument(_root: Any, info: Any, pid: str) -> shape.Stored | None:
        return await found.record(info.context, Kind.INSTRUMENT, pid)

    @staticmethod
    async def resolve_sample(_root: Any, info: Any, pid: str) -> shape.Stored | None:
        return await found.record(info.context, Kind.SAMPLE, pid)

    @staticmethod
    async def resolve_datasets(_root: Any, info: Any, **given: Any) -> search.Page:
        return await search.run(info.context, Kind.DATASET, given)

    @staticmethod
    async def resolve_investigations(_root: Any, info: Any, **given: Any) -> search.Page:
        return await search.run(info.context, Kind.INVESTIGATION, given)

    @staticmethod
    async def resolve_publications(_root: Any, info: Any, **given: Any) -> search.Page:
        return await search.run(info.context, Kind.PUBLICATION, given)

    @staticmethod
    async def resolve_instruments(_root: Any, info: Any, **given: Any) -> search.Page:
        return await search.run(info.context, Kind.INSTRUMENT, given)

    @staticmethod
    async def resolve_samples(_root: Any, info: Any, **given: Any) -> search.Page:
        return await search.run(info.context, Kind.SAMPLE, given)

    @staticmethod
    async def resolve_analysis_options(_root: Any, info: Any, dataset: str) -> list[Any]:
        stored = await found.record(info.context, Kind.DATASET, dataset)
        if stored is None:
            raise NotFound("No dataset of that pid is here.")
        return await options(info.context, stored)

    @staticmethod
    async def resolve_launch(_root: Any, info: Any, id: str) -> Any:
        launches.signed_in(info.context)
        named = ids.decode(id)
        return await found.node(info.context, id) if named is not None and named[0] == "Launch" else None

    @staticmethod
    async def resolve_launches(_root: Any, info: Any, first: int | None = None, after: str | None = None) -> Any:
        return await launches.page(info.context, first, after)

    @staticmethod
    async def resolve_sources(_root: Any, info: Any) -> list[Any]:
        return await sources.standings(info.context)

    @staticmethod
    async def resolve_harvests(
        _root: Any, info: Any, source: str | None = None, first: int | None = None, after: str | None = None
    ) -> Any:
        return await sources.harvests(info.context, source, first, after)

    @staticmethod
    async def resolve_rejects(
        _root: Any, info: Any, source: str | None = None, first: int | None = None, after: str | None = None
    ) -> Any:
        return await sources.rejects(info.context, source, first, after)
