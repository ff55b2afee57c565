"""What differs between the two releases of the SciCat backend that are imitated."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Release:
    """A release's habits.

    `modern` is 5.x: lists come from an aggregation (dates in `where` cast by their look, plain operators gt gte lt lte ilike
    understood, nothing filled in), errors are told. Otherwise 4.25: lists come through the object mapper (dates cast by the
    schema, missing arrays and ids filled in at every read), errors are 500.
    """

    name: str
    modern: bool


RELEASES = {"5.2": Release("5.2", True), "4.25": Release("4.25", False)}

_NAMES = """
creationTime startTime endTime createdAt updatedAt registeredTime timestamp time start end dateOfDiskPurging
archiveRetentionTime dateOfPublishing publishedOn
"""
DATE_FIELDS = frozenset(_NAMES.split())
"""The fields that the schemas declare as dates."""
