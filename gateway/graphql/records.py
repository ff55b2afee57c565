"""This file is the kinds of record beside datasets: investigations, publications, instruments, samples."""

# mypy: allow-subclassing-any

from __future__ import annotations

from typing import Any

import graphene

from gateway.graphql import shape
from gateway.graphql.facilities import Facility, facility
from gateway.graphql.fields import always, many, maybe
from gateway.graphql.nodes import Node
from gateway.graphql.parts import Person
from gateway.graphql.scalars import DateTime


class Home:
    """What every kind of record resolves in the same way."""

    @staticmethod
    def resolve_facility(root: shape.Stored, info: Any) -> Any:
        return facility(info.context, root.facility)


class Investigation(Home, graphene.ObjectType):
    """A proposal, visit or experiment under which datasets are made."""

    class Meta:
        interfaces = (Node,)
        default_resolver = shape.read

    pid = always(graphene.String, "Its DOI or pangate's own pid.")
    title = always(graphene.String, "Its title.")
    proposal = maybe(graphene.String, "The proposal's number at the facility.")
    facility = always(Facility, "Where it took place.")
    start_date = maybe(DateTime, "When it began.")
    end_date = maybe(DateTime, "When it ended.")
    release_date = maybe(DateTime, "When it is or was made public.")
    abstract = maybe(graphene.String, "What it is about.")
    type = maybe(graphene.String, "The source's word for what it is.")
    people = many(Person, "Who took part.")
    keywords = many(graphene.String, "Keywords.")


class Publication(Home, graphene.ObjectType):
    """A published, citable thing that datasets belong to."""

    class Meta:
        interfaces = (Node,)
        default_resolver = shape.read

    pid = always(graphene.String, "Its DOI or pangate's own pid.")
    doi = maybe(graphene.String, "Its DOI.")
    title = always(graphene.String, "Its title.")
    type = maybe(graphene.String, "The source's word for what it is.")
    abstract = maybe(graphene.String, "What it is about.")
    facility = always(Facility, "Which facility published it.")
    people = many(Person, "Its authors.")
    publisher = maybe(graphene.String, "Its publisher.")
    year = maybe(graphene.Int, "The year of publication.")
    published = maybe(DateTime, "When it was published.")
    license = maybe(graphene.String, "Under which terms.")
    keywords = many(graphene.String, "Keywords.")


class Instrument(Home, graphene.ObjectType):
    """A beamline or end station."""

    class Meta:
        interfaces = (Node,)
        default_resolver = shape.read

    pid = always(graphene.String, "Its DOI or pangate's own pid: what filters take.")
    name = always(graphene.String, "The name people use.")
    full_name = maybe(graphene.String, "Its full name.")
    description = maybe(graphene.String, "What it is for.")
    type = maybe(graphene.String, "The source's word for what it is.")
    url = maybe(graphene.String, "Its own page.")
    facility = always(Facility, "Where it stands.")


class Sample(Home, graphene.ObjectType):
    """A sample, as the source describes it."""

    class Meta:
        interfaces = (Node,)
        default_resolver = shape.read

    pid = always(graphene.String, "Its DOI or pangate's own pid: what filters take.")
    name = always(graphene.String, "Its name.")
    formula = maybe(graphene.String, "Its chemical formula.")
    type = maybe(graphene.String, "The source's word for what it is.")
    description = maybe(graphene.String, "What it is.")
    facility = always(Facility, "Where it was measured.")
