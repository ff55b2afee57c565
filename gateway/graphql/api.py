"""This file is the whole schema, made once, and its text (SDL)."""

from __future__ import annotations

import sys

import graphene
from graphql import GraphQLSchema, print_schema

from gateway.graphql.mutations import Mutation
from gateway.graphql.query import Query
from gateway.graphql.subscription import Subscription

SCHEMA: GraphQLSchema = graphene.Schema(query=Query, mutation=Mutation, subscription=Subscription).graphql_schema
"""The schema; immutable once made."""


def sdl() -> str:
    """The schema as text, as kept in `schema.graphql` and served at /schema.graphql."""
    return print_schema(SCHEMA) + "\n"


if __name__ == "__main__":
    sys.stdout.write(sdl())
