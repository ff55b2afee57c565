"""This file is how a selection becomes one plain function from a value to JSON: compiled once, run for every hit.

What is compiled is what the standard executor would do with values that are there and as their types want them: read (a rule of
`shape`, or a resolver that needs no waiting), complete, and write, in the order of the selection. It never makes an error: whatever
is not plain is left to the standard executor, which then says what is wrong in its own words and order.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from graphene.types.resolver import dict_or_attr_resolver
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLFloat,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLScalarType,
    GraphQLSchema,
    VariableNode,
    get_nullable_type,
)
from graphql.execution.collect_fields import collect_sub_fields
from graphql.execution.values import get_argument_values
from graphql.pyutils import Undefined

from gateway.graphql import shape

_NONE = type(None)
_KEPT: Mapping[str, tuple[type, ...]] = {"String": (str,), "ID": (str,), "DateTime": (str,), "Boolean": (bool,)}


class NotCompiled(Exception):
    """The selection holds what only the standard executor can do: waiting, abstract types, arguments that are wrong."""


class NotPlain(Exception):
    """A value that only the standard executor can judge."""


@dataclass(slots=True)
class Asked:
    """What resolvers may look at (the one attribute of graphql-core's info that ours use), and arguments made of variables."""

    context: Any
    variables: dict[str, Any]
    arguments: dict[int, dict[str, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Room:
    """How many more fields may be compiled of a document."""

    fields: int

    def take(self, count: int) -> None:
        """Raises NotCompiled when there is no room for so many."""
        self.fields -= count
        if self.fields < 0:
            raise NotCompiled


Read = Callable[[Any, Asked], Any]
Project = Callable[[Any, Asked], Any]
Fields = tuple[tuple[str, str, tuple[type, ...], Project], ...]


class Compiler:
    """Compiles selections of one operation. `variables` decide @include and @skip, and nothing else."""

    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: dict[str, FragmentDefinitionNode],
        variables: dict[str, Any],
        room: Room,
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables
        self._room = room

    def object(self, type: GraphQLObjectType, nodes: list[FieldNode]) -> Project:
        """The function of an object type's selection: a dict in the order of the response. Raises NotCompiled."""
        if type.is_type_of is not None:
            raise NotCompiled
        try:
            selected = collect_sub_fields(self._schema, self._fragments, self._variables, type, nodes)
        except GraphQLError:
            raise NotCompiled from None
        self._room.take(1 + len(selected))
        fields = tuple((key, *_place(type, group[0]), self._field(type, group)) for key, group in selected.items())
        return _stored(type.name, fields) if type.name in shape.SHAPES else _plain(fields)

    def _field(self, parent: GraphQLObjectType, nodes: list[FieldNode]) -> Project:
        name = nodes[0].name.value
        if name == "__typename":
            return lambda _value, _asked: parent.name
        definition = parent.fields.get(name)
        if definition is None:
            raise NotCompiled
        read = _read(parent, name, definition, nodes[0])
        complete = self._complete(definition.type, nodes)
        return lambda value, asked: complete(read(value, asked), asked)

    def _complete(self, type: GraphQLOutputType, nodes: list[FieldNode]) -> Project:
        if isinstance(type, GraphQLNonNull):
            return self._present(type.of_type, nodes)
        inner = self._present(type, nodes)
        return lambda value, asked: None if value is None else inner(value, asked)

    def _present(self, type: GraphQLOutputType, nodes: list[FieldNode]) -> Project:
        """The completion of a value that must be there."""
        if isinstance(type, GraphQLScalarType | GraphQLEnumType):
            return _leaf(type)
        if isinstance(type, GraphQLList):
            return _list(self._complete(type.of_type, nodes), _kept(type.of_type))
        if isinstance(type, GraphQLObjectType):
            return self.object(type, nodes)
        raise NotCompiled


def _stored(name: str, fields: Fields) -> Project:
    """An object that lies in a stored document."""

    def project(value: shape.Stored, asked: Asked) -> dict[str, Any]:
        if value.type != name:
            raise NotPlain
        data = value.data
        return {
            key: found if type(found := data.get(place)) in kept else get(value, asked)
            for key, place, kept, get in fields
        }

    return project


def _plain(fields: Fields) -> Project:
    """Any other object."""
    every = tuple((key, get) for key, _, _, get in fields)

    def project(value: Any, asked: Asked) -> dict[str, Any]:
        if value is None:
            raise NotPlain
        if type(value) is not dict:
            return {key: get(value, asked) for key, get in every}
        return {
            key: found if type(found := value.get(place)) in kept else get(value, asked)
            for key, place, kept, get in fields
        }

    return project


def _list(each: Project, kept: tuple[type, ...]) -> Project:
    def present(value: Any, asked: Asked) -> list[Any]:
        if type(value) is not list and type(value) is not tuple:
            raise NotPlain
        if kept and all(type(item) in kept for item in value):
            return list(value)
        return [each(item, asked) for item in value]

    return present


def _leaf(type_: GraphQLScalarType | GraphQLEnumType) -> Project:
    serialize = type_.serialize
    kept = _KEPT.get(type_.name, ())
    names = {name: serialize(name) for name in type_.values} if isinstance(type_, GraphQLEnumType) else {}

    def present(value: Any, _asked: Asked) -> Any:
        if type(value) in kept:
            return value
        if type(value) is str and value in names:
            return names[value]
        if value is None or (written := serialize(value)) is None or written is Undefined:
            raise NotPlain
        return written

    return present


def _place(parent: GraphQLObjectType, node: FieldNode) -> tuple[str, tuple[type, ...]]:
    """Where a leaf lies in its JSON object or dict, and of which Python types it is shown as it lies there (none: it has to be
    completed)."""
    definition = parent.fields.get(node.name.value)
    if definition is None:
        return "", ()
    if not _is_stored(definition):
        place = _attribute(definition)
        return ("", ()) if place is None else (place, _kept(definition.type))
    rule = shape.SHAPES[parent.name].get(node.name.value)
    if not isinstance(rule, shape.At):
        return "", ()
    kept = _kept(definition.type)
    if get_nullable_type(definition.type) is GraphQLFloat:
        kept = (float, *kept)  # stored numbers are finite: JSON knows no others
    return rule.key, kept if rule.absent is None else tuple(each for each in kept if each is not _NONE)


def _kept(type_: GraphQLOutputType) -> tuple[type, ...]:
    """The Python types of values that a leaf writes as they are."""
    leaf = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if not isinstance(leaf, GraphQLScalarType):
        return ()
    kept = _KEPT.get(leaf.name, ())
    return kept if isinstance(type_, GraphQLNonNull) else (*kept, _NONE)


def _attribute(definition: GraphQLField) -> str | None:
    """The key that graphene's own resolver reads, when it gives null for what is not there."""
    resolve = definition.resolve
    if isinstance(resolve, partial) and resolve.func is dict_or_attr_resolver and resolve.args[1:] == (None,):
        return str(resolve.args[0])
    return None


def _is_stored(definition: GraphQLField) -> bool:
    resolve = definition.resolve
    return isinstance(resolve, partial) and resolve.func is shape.read


def _read(parent: GraphQLObjectType, name: str, definition: GraphQLField, node: FieldNode) -> Read:
    """How a field's value is had from its object. Raises NotCompiled for what has to be waited for."""
    if _is_stored(definition):
        reader = shape.READERS[parent.name][name]
        return lambda value, _asked: reader(value)
    resolve = definition.resolve
    plain = resolve.func if isinstance(resolve, partial) else resolve
    if resolve is None or inspect.iscoroutinefunction(plain) or inspect.isasyncgenfunction(plain):
        raise NotCompiled
    if not definition.args:
        return resolve
    if _has_variables(node):
        return lambda value, asked: resolve(value, asked, **_arguments(definition, node, asked))
    try:
        constant = get_argument_values(definition, node, {})
    except GraphQLError:
        raise NotCompiled from None
    return lambda value, asked: resolve(value, asked, **constant)


def _arguments(definition: GraphQLField, node: FieldNode, asked: Asked) -> dict[str, Any]:
    found = asked.arguments.get(id(node))
    if found is None:
        found = asked.arguments[id(node)] = get_argument_values(definition, node, asked.variables)
    return found


def _has_variables(node: FieldNode) -> bool:
    stack: list[Any] = [each.value for each in node.arguments]
    while stack:
        value = stack.pop()
        if isinstance(value, VariableNode):
            return True
        stack.extend(getattr(value, "values", ()))
        stack.extend(each.value for each in getattr(value, "fields", ()))
    return False
