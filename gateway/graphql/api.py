"""This file is the whole schema, made once, and its text (SDL)."""

from __future__ import annotations

import sys

import graphene
from graphql import GraphQLInterfaceType, GraphQLSchema, print_schema

from gateway.graphql.mutations import Mutation
from gateway.graphql.nodes import type_name
from gateway.graphql.query import Query
from gateway.graphql.subscription import Subscription


def _made() -> GraphQLSchema:
    schema: GraphQLSchema = graphene.Schema(query=Query, mutation=Mutation, subscription=Subscription).graphql_schema
    node = schema.get_type("Node")
    assert isinstance(node, GraphQLInterfaceType)
    node.resolve_type = type_name  # graphene would have it name classes, which know this module and not the other way
    return schema


SCHEMA = _made()
"""The schema; not changed once made."""


def sdl() -> str:
    """The schema as text, as kept in `schema.graphql` and served at /schema.graphql."""
    return print_schema(SCHEMA) + "\n"


if __name__ == "__main__":
    sys.stdout.write(sdl())
