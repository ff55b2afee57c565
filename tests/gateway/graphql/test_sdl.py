"""This file is the promise that the printed schema is current, described, and holds the whole public interface."""

from pathlib import Path

import pytest
from graphql import (
    GraphQLSchema,
    Undefined,
    ast_from_value,
    build_schema,
    is_enum_type,
    is_input_object_type,
    is_introspection_type,
    is_specified_scalar_type,
    print_ast,
)

from gateway.graphql.api import SCHEMA, sdl

ROOT = Path(__file__).resolve().parents[3]
KEPT = ROOT / "gateway" / "graphql" / "schema.graphql"
PUBLIC = ROOT.parent / "shared" / "schema.graphql"


def _default(argument) -> str | None:
    if argument.default_value is Undefined:
        return None
    return print_ast(ast_from_value(argument.default_value, argument.type))


def _missing(wanted: GraphQLSchema, ours: GraphQLSchema) -> list[str]:
    found = []
    for name, type_ in wanted.type_map.items():
        if is_introspection_type(type_) or is_specified_scalar_type(type_):
            continue
        own = ours.type_map.get(name)
        if own is None:
            found.append(f"type {name}")
            continue
        if is_enum_type(type_):
            found += [f"{name}.{value}" for value in type_.values if value not in own.values]
            if set(own.values) != set(type_.values):
                found.append(f"{name} has other values")
        for key, field in getattr(type_, "fields", {}).items():
            other = own.fields.get(key)
            if other is None or str(other.type) != str(field.type):
                found.append(f"{name}.{key}: {field.type}")
                continue
            if is_input_object_type(type_):
                if _default(field) != _default(other):
                    found.append(f"{name}.{key} = {_default(field)}")
                continue
            for arg, argument in field.args.items():
                given = other.args.get(arg)
                if given is None or str(given.type) != str(argument.type) or _default(given) != _default(argument):
                    found.append(f"{name}.{key}({arg}: {argument.type} = {_default(argument)})")
        interfaces = {each.name for each in getattr(type_, "interfaces", ())}
        if not interfaces <= {each.name for each in getattr(own, "interfaces", ())}:
            found.append(f"{name} implements {interfaces}")
    return found


def test_the_kept_schema_is_the_one_that_is_served():
    assert KEPT.read_text("utf-8") == sdl(), "run `python -m gateway.graphql.api` and commit what it prints"


def test_nothing_of_the_public_interface_is_missing():
    if not PUBLIC.is_file():
        pytest.skip("the reference folder ../shared is not here")
    assert _missing(build_schema(PUBLIC.read_text("utf-8")), SCHEMA) == []


def test_every_comparison_can_fail():
    wanted = build_schema(
        'type Query { dataset(pid: String = "x"): Dataset  nowhere: Int } type Dataset { pid: Int } enum Scope { PUBLIC OTHER }'
    )
    assert _missing(wanted, SCHEMA) == [
        'Query.dataset(pid: String = "x")', "Query.nowhere: Int", "Dataset.pid: Int", "Scope.OTHER", "Scope has other values",
    ]  # fmt: skip


def test_everything_has_a_description():
    bare = []
    for name, type_ in SCHEMA.type_map.items():
        if is_introspection_type(type_) or is_specified_scalar_type(type_):
            continue
        bare += [] if type_.description else [name]
        bare += [f"{name}.{value}" for value, each in getattr(type_, "values", {}).items() if not each.description]
        for key, field in getattr(type_, "fields", {}).items():
            bare += [] if field.description else [f"{name}.{key}"]
            bare += [f"{name}.{key}({arg})" for arg, each in getattr(field, "args", {}).items() if not each.description]
    assert bare == []


def test_the_schema_as_text_is_the_schema():
    assert _missing(SCHEMA, build_schema(sdl())) == []
    assert _missing(build_schema(sdl()), SCHEMA) == []
