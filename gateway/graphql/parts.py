"""This file is the values that records are made of: people, techniques, parameters, file totals, provenance, vocabulary."""

# mypy: allow-subclassing-any

from __future__ import annotations

from typing import Any

import graphene

from gateway.graphql import shape
from gateway.graphql.context import Context
from gateway.graphql.fields import always, many, maybe
from gateway.graphql.scalars import DateTime
from schema.techniques import Term


class Person(graphene.ObjectType):
    """Somebody who took part."""

    class Meta:
        default_resolver = shape.read

    name = always(graphene.String, "The name as the source writes it.")
    orcid = maybe(graphene.String, "The ORCID iD.")
    role = maybe(graphene.String, "The source's word for what this person did.")
    affiliation = maybe(graphene.String, "Where this person worked then.")


class Technique(graphene.ObjectType):
    """An experimental technique."""

    class Meta:
        default_resolver = shape.read

    pid = maybe(graphene.String, "Its PaNET IRI; null when the source's words could not be resolved.")
    name = always(graphene.String, "Its label, or the source's words.")
    broader = many(lambda: Technique, "The techniques it is a kind of, one step up.")

    @staticmethod
    def resolve_broader(root: shape.Stored, info: Any) -> list[shape.Stored]:
        context: Context = info.context
        iri = root.data.get("pid")
        return [technique(term) for term in context.vocabulary.broader(iri)] if iri else []


def technique(term: Term) -> shape.Stored:
    """A technique of the vocabulary as a value of the API."""
    return shape.Stored("Technique", {"pid": term.iri, "name": term.label}, "", {})


class Parameter(graphene.ObjectType):
    """A measured or set quantity: as the source gives it, and in SI when it can be converted."""

    class Meta:
        default_resolver = shape.read

    name = always(graphene.String, "The federation's standard name when the facility's mapping knows one.")
    source_name = always(graphene.String, "The source's own name.")
    value = maybe(graphene.Float, "The value, if it is one number.")
    text = maybe(graphene.String, "The value, if it is no number.")
    min = maybe(graphene.Float, "The smaller end, if it is a range.")
    max = maybe(graphene.Float, "The larger end, if it is a range.")
    unit = maybe(graphene.String, "The unit as the source writes it.")
    si_value = maybe(graphene.Float, "The value in SI.")
    si_unit = maybe(graphene.String, "The SI unit of siValue.")


class FileTotals(graphene.ObjectType):
    """How much data there is."""

    class Meta:
        default_resolver = shape.read

    count = maybe(graphene.Int, "How many files.")
    bytes = maybe(graphene.Float, "How many bytes in all.")
    formats = many(graphene.String, "Which formats: endings, or the source's words.")


class Provenance(graphene.ObjectType):
    """One way a record reached us."""

    class Meta:
        default_resolver = shape.read

    source = always(graphene.String, 'The source, "facility/source".')
    kind = always(graphene.String, "The kind of catalogue it is.")
    source_id = always(graphene.String, "The record's id there.")
    source_url = maybe(graphene.String, "The record's address there.")
    modified_there = maybe(DateTime, "When it was last changed there.")
    harvested_at = always(DateTime, "When we last received it.")
    primary = always(graphene.Boolean, "Whether this is the one that is shown.")


class Detail(graphene.ObjectType):
    """A fact of the source that has no field of its own."""

    class Meta:
        default_resolver = shape.read

    name = always(graphene.String, "The source's name for it.")
    text = always(graphene.String, "What it says.")


class Related(graphene.ObjectType):
    """A typed link to something else."""

    class Meta:
        default_resolver = shape.read

    identifier = always(graphene.String, "What it points to.")
    relation = always(graphene.String, "How they are related, in DataCite's words.")
    type = maybe(graphene.String, "What kind of thing it points to.")
    title = maybe(graphene.String, "The title of what it points to.")


class Vocabulary(graphene.ObjectType):
    """The technique ontology in use."""

    name = always(graphene.String, "Its name.")
    version = always(graphene.String, "Its version.")
    url = maybe(graphene.String, "Where it is published.")


class Suggestion(graphene.ObjectType):
    """A completion of what is being typed, from public records."""

    text = always(graphene.String, "What to show.")
    kind = always(
        graphene.String, "What it is: technique, instrument, sample, keyword, person, investigation, parameter."
    )
    value = always(graphene.String, "What the matching filter takes.")
    count = always(graphene.Int, "How many public datasets have it.")
