"""This file is the dataset, as the API shows it."""

# mypy: allow-subclassing-any

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import graphene

from gateway.graphql import shape
from gateway.graphql.analysis import AnalysisOption
from gateway.graphql.context import Context
from gateway.graphql.enums import Access
from gateway.graphql.facilities import Facility
from gateway.graphql.fields import always, given, many, maybe, values
from gateway.graphql.nodes import Node
from gateway.graphql.parts import Detail, FileTotals, Parameter, Person, Provenance, Related, Technique
from gateway.graphql.records import Home, Instrument, Investigation, Sample
from gateway.graphql.scalars import DateTime
from gateway.ports import Option
from schema import text


class Dataset(Home, graphene.ObjectType):
    """One measured, simulated or derived set of files with its circumstances."""

    class Meta:
        interfaces = (Node,)
        default_resolver = shape.read

    pid = always(graphene.String, "Its DOI, handle or pangate's own pid.")
    doi = maybe(graphene.String, "Its DOI.")
    title = always(graphene.String, "Its title.")
    type = maybe(graphene.String, "The source's word for what it is (raw, derived, …).")
    description = maybe(graphene.String, "What it holds.")
    facility = always(Facility, "Its home.")
    investigation = maybe(Investigation, "The experiment it belongs to.")
    instruments = many(Instrument, "What it was made with.")
    techniques = many(Technique, "How it was made.")
    samples = many(Sample, "What it looks at.")
    people = many(Person, "Who took part.")
    keywords = many(graphene.String, "Keywords.")
    parameters = many(
        Parameter,
        "Measured and set quantities.",
        names=given(values(graphene.String), "Only those of these names, standard or the facility's."),
    )
    start_date = maybe(DateTime, "When it began.")
    end_date = maybe(DateTime, "When it ended.")
    release_date = maybe(DateTime, "When its data are or were opened.")
    access = always(Access, "What of its data is open.")
    is_public = always(graphene.Boolean, "Whether everybody may see this record.")
    license = maybe(graphene.String, "Under which terms the data may be used.")
    files = always(FileTotals, "How much data there is.")
    landing_page = always(graphene.String, "Its page here.")
    provenance = many(Provenance, "How it reached us.")
    details = many(Detail, "Facts of the source that have no field of their own.")
    related = many(Related, "What it is linked to.")
    analysis_options = many(AnalysisOption, "What can be done with it where it lies.")

    @staticmethod
    def resolve_parameters(root: shape.Stored, _info: Any, names: list[str] | None = None) -> list[shape.Stored]:
        found: list[shape.Stored] = shape.field(root, "parameters")
        if names is None:
            return found
        wanted = {text.fold(name) for name in names}
        keys = ("name", "source_name")
        return [each for each in found if any(text.fold(each.data.get(key) or "") in wanted for key in keys)]

    @staticmethod
    def resolve_is_public(root: shape.Stored, info: Any) -> bool:
        context: Context = info.context
        visibility = root.data.get("visibility")
        if visibility is None or visibility["public"]:
            return True
        opens = visibility.get("public_from")
        return opens is not None and DateTime.parse_value(opens) <= context.clock()

    @staticmethod
    def resolve_landing_page(root: shape.Stored, info: Any) -> str:
        return landing_page(info.context, shape.pid(root))

    @staticmethod
    async def resolve_analysis_options(root: shape.Stored, info: Any) -> list[Option]:
        return await options(info.context, root)


def landing_page(context: Context, pid: str) -> str:
    """Our own page of a dataset."""
    return f"{context.settings.url}/dataset/{quote(pid, safe='/:@!$*+,;=~')}"


async def options(context: Context, dataset: shape.Stored) -> list[Option]:
    """What is on offer for a stored dataset."""
    return await context.launches.options(shape.encode(dataset.document), context.viewer)
