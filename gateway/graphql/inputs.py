"""This file is what searches are asked with: filters, ranges, wishes for facets."""

# mypy: allow-subclassing-any

from __future__ import annotations

import graphene

from gateway.graphql.enums import Access, FacetField
from gateway.graphql.fields import asked, required, values
from gateway.graphql.scalars import Date

_TEXTS = values(graphene.String)


class DateRange(graphene.InputObjectType):
    """A stretch of time, both ends included."""

    from_ = asked(Date, "The first day (or month, or year).", name="from")
    to = asked(Date, "The last day (or month, or year).")


class ParameterFilter(graphene.InputObjectType):
    """One parameter that satisfies all of it."""

    name = asked(required(graphene.String), "A standard name or the facility's.")
    min = asked(graphene.Float, "The smallest value, included.")
    max = asked(graphene.Float, "The largest value, included.")
    unit = asked(graphene.String, "The unit of min and max; without it the SI unit of the name.")
    text = asked(_TEXTS, "The parameter's text is one of these.")


class DatasetFilter(graphene.InputObjectType):
    """Values of one key: any of them. Keys: all of them. A key that is null or an empty list asks nothing."""

    pid = asked(_TEXTS, "DOIs in any spelling, or pangate's own pids.")
    facility = asked(_TEXTS, "Facility keys.")
    instrument = asked(_TEXTS, "Pids or names of instruments.")
    technique = asked(_TEXTS, "PaNET IRIs, codes or labels; narrower techniques are included.")
    technique_exact = asked(graphene.Boolean, "Leave narrower techniques out.", default_value=False)
    sample = asked(_TEXTS, "Pids, names or formulae of samples.")
    person = asked(_TEXTS, "Names or ORCID iDs.")
    investigation = asked(_TEXTS, "Pids, titles or proposal numbers of investigations.")
    keyword = asked(_TEXTS, "Keywords.")
    file_format = asked(_TEXTS, "Formats of files.")
    access = asked(values(Access), "What of the data is open.")
    started = asked(DateRange, "When it began.")
    released = asked(DateRange, "When its data are or were opened.")
    parameters = asked(values(ParameterFilter), "Each of these is satisfied by one parameter.")
    analysable = asked(graphene.Boolean, "Whether an analysis platform of its facility takes it.")


class RecordFilter(graphene.InputObjectType):
    """Values of one key: any of them. Keys: all of them. A key that is null or an empty list asks nothing."""

    pid = asked(_TEXTS, "DOIs in any spelling, or pangate's own pids.")
    facility = asked(_TEXTS, "Facility keys.")
    instrument = asked(_TEXTS, "Pids or names of instruments.")
    person = asked(_TEXTS, "Names or ORCID iDs.")
    keyword = asked(_TEXTS, "Keywords.")
    started = asked(DateRange, "When it began or was published.")
    released = asked(DateRange, "When it was made public.")


class FacetRequest(graphene.InputObjectType):
    """What to count."""

    field = asked(required(FacetField), "What is counted.")
    parameter = asked(graphene.String, "Which parameter; for PARAMETER only.")
    unit = asked(graphene.String, "The unit of the buckets' ends; for PARAMETER only. Without it the SI unit.")
    size = asked(graphene.Int, "How many buckets at most, 1 to 100.", default_value=10)
    bins = asked(graphene.Int, "How many bins, 1 to 100; for PARAMETER and YEAR.", default_value=20)
