"""This file is the three shapes a field can have, so that types read like the schema: may be null, never null, list."""

from __future__ import annotations

from typing import Any

import graphene


def maybe(type: Any, description: str, **arguments: Any) -> Any:
    """A field that may be null."""
    return graphene.Field(type, description=description, **arguments)


def always(type: Any, description: str, **arguments: Any) -> Any:
    """A field that is never null."""
    return graphene.Field(graphene.NonNull(type), description=description, **arguments)


def many(type: Any, description: str, **arguments: Any) -> Any:
    """A list that is never null, of values that never are."""
    return graphene.Field(graphene.NonNull(graphene.List(graphene.NonNull(type))), description=description, **arguments)


def given(type: Any, description: str, **rest: Any) -> Any:
    """An argument, optional unless its type says otherwise."""
    return graphene.Argument(type, description=description, **rest)


def asked(type: Any, description: str, **rest: Any) -> Any:
    """A field of an input, optional unless its type says otherwise."""
    return graphene.InputField(type, description=description, **rest)


def required(type: Any) -> Any:
    """The type, never null."""
    return graphene.NonNull(type)


def values(type: Any) -> Any:
    """A list whose values are never null; itself may be."""
    return graphene.List(graphene.NonNull(type))
