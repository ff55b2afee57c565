"""This file is the hot path: graphql-core's executor, but for selections that were compiled, which are projected at once.

Everything about an operation that its text and its name decide is kept with the document; of the variables only those that
@include and @skip look at make another set of functions. Where a function meets something that is not plain, the standard
executor does that value again from its start: resolvers of queries change nothing, so the answer is its own, errors and all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    ExecutionContext,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    Node,
    OperationDefinitionNode,
    VariableNode,
    default_field_resolver,
    default_type_resolver,
    get_nullable_type,
)
from graphql.execution.execute import CollectedErrors

from gateway.graphql.projection import Asked, Compiler, NotCompiled, Project, Room
from gateway.limits import children, fragments_of

_FIELDS = 100  # that may be compiled of any document, and one more for every four characters of it: a bound of memory

Programs = dict[tuple[object, ...], Project | None]


class Prepared:
    """A valid document with what was compiled of it."""

    def __init__(self, schema: GraphQLSchema, text: str, document: DocumentNode) -> None:
        self.schema = schema
        self.document = document
        self.fragments = fragments_of(document)
        self.room = Room(_FIELDS + len(text) // 4)
        self._switches = _switches(document)
        self._programs: dict[tuple[Any, ...], Programs] = {}

    def programs(self, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> Programs:
        """The functions of an operation, filled as they are needed."""
        key = (operation.name and operation.name.value, *(variables.get(name) for name in self._switches))
        found = self._programs.get(key)
        if found is None:
            found = {}
            if self.room.fields > 0:
                self.room.fields -= 1
                self._programs[key] = found
        return found


async def answer(
    prepared: Prepared, operation: OperationDefinitionNode, variables: dict[str, Any], context: Any
) -> ExecutionResult:
    """The result of a query whose variables are coerced: what graphql-core's `execute` gives, sooner."""
    execution = Execution(prepared, operation, variables, context)
    errors = execution.collected_errors
    try:
        data: Any = execution.execute_operation(operation, None)
        if execution.is_awaitable(data):
            data = await data
    except GraphQLError as error:
        errors.add(error, None)
        data = None
    return execution.build_response(data, errors.errors)


class Execution(ExecutionContext):
    """graphql-core's executor with a short way through compiled selections."""

    def __init__(
        self, prepared: Prepared, operation: OperationDefinitionNode, variables: dict[str, Any], context: Any
    ) -> None:
        asked = prepared.schema, prepared.fragments, None, context, operation, variables
        resolvers = default_field_resolver, default_type_resolver, default_field_resolver
        super().__init__(*asked, *resolvers, CollectedErrors(), None, None)
        self._asked = Asked(context, variables)
        self._programs = prepared.programs(operation, variables)
        self._room = prepared.room

    def complete_object_value(
        self, return_type: GraphQLObjectType, field_nodes: list[FieldNode], info: Any, path: Any, result: Any
    ) -> Any:
        """An object: projected if it can be."""
        project = self._program(return_type, field_nodes)
        if project is not None:
            try:
                return project(result, self._asked)
            except Exception:  # noqa: BLE001, S110 whatever it was, the standard executor meets it again and tells it
                pass
        return super().complete_object_value(return_type, field_nodes, info, path, result)

    def complete_list_value(
        self, return_type: Any, field_nodes: list[FieldNode], info: Any, path: Any, result: Any
    ) -> Any:
        """A list of objects: projected in one go if all of them can be."""
        inner = get_nullable_type(return_type.of_type)
        if isinstance(inner, GraphQLObjectType) and isinstance(result, list) and None not in result:
            project = self._program(inner, field_nodes)
            if project is not None:
                asked = self._asked
                try:
                    return [project(each, asked) for each in result]
                except Exception:  # noqa: BLE001, S110 as above
                    pass
        return super().complete_list_value(return_type, field_nodes, info, path, result)

    def _program(self, type: GraphQLObjectType, nodes: list[FieldNode]) -> Project | None:
        key = (
            type.name,
            *map(id, nodes),
        )  # nodes live as long as their document, and their document holds the programs
        if key not in self._programs:
            compiler = Compiler(self.schema, self.fragments, self.variable_values, self._room)
            try:
                self._programs[key] = compiler.object(type, nodes)
            except NotCompiled:
                self._programs[key] = None
        return self._programs[key]


def _switches(document: DocumentNode) -> tuple[str, ...]:
    """The variables that a document's directives look at, sorted."""
    found: set[str] = set()
    stack: list[Node] = list(document.definitions)
    while stack:
        node = stack.pop()
        if isinstance(node, DirectiveNode):
            given = (each.value for each in node.arguments)
            found.update(value.name.value for value in given if isinstance(value, VariableNode))
        stack.extend(children(node))
    return tuple(sorted(found))
