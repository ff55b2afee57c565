"""This file is what one request may ask for: the linear pre-pass over a document, and the cost of an operation.

Numbers and order: reference on reliability, sections 2.3 and 8. The pre-pass runs before graphql-core's rules, whose work can
grow with the square of a document; it visits every node of the document once and every fragment once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_composite_type,
)

from schema.errors import LimitExceeded


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may be. Lengths in bytes unless named otherwise, times in seconds."""

    headers: int = 100
    head: int = 16_384
    body: int = 65_536
    document: int = 16_384
    tokens: int = 2_000
    comments: int = 50
    depth: int = 10
    introspection_depth: int = 15  # what introspection queries of current clients need (nine `ofType`)
    aliases: int = 15
    root_fields: int = 10
    repeats: int = 20
    fragments: int = 30
    spreads: int = 60
    inline_fragments: int = 50
    directives: int = 20
    variables: int = 32_768
    list_length: int = 250
    nodes: int = 10_000
    cost: int = 5_000
    errors: int = 5
    execution_s: float = 5.0
    search_s: float = 2.0
    response: int = 8 * 1024 * 1024
    first: int = 100
    facets: int = 10
    buckets: int = 100
    suggestions: int = 10
    points_anonymous: int = 1_000
    points_signed_in: int = 5_000
    mutations: int = 30
    concurrent_client: int = 8
    concurrent_total: int = 64
    subscriptions: int = 5

    def introspective(self) -> Limits:
        """The same for a document that asks about the schema alone."""
        return replace(self, depth=self.introspection_depth)


def at_most(count: int, limit: int, what: str) -> None:
    """Raise LimitExceeded when `count` is above `limit`; `what` finishes "The request has 12 …"."""
    if count > limit:
        raise LimitExceeded(f"The request has {count} {what}; at most {limit} are taken. Ask for less at once.")


@dataclass(slots=True)
class _Size:
    """What a selection set is once its fragments are spelt out."""

    nodes: int = 0
    aliases: int = 0
    spreads: int = 0

    def add(self, other: _Size) -> None:
        self.nodes += other.nodes
        self.aliases += other.aliases
        self.spreads += other.spreads


def check(document: DocumentNode, limits: Limits) -> None:
    """Raise LimitExceeded when a parsed document is larger or more tangled than the limits allow. Linear in its length."""
    if is_introspection(document):
        limits = limits.introspective()
    _check_written(document, limits)
    fragments = fragments_of(document)
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            size = _Expansion(fragments, limits).of(definition.selection_set, 1)
            at_most(size.nodes, limits.nodes, "fields once fragments are spelt out")
            at_most(size.aliases, limits.aliases, "aliases")
            at_most(size.spreads, limits.spreads, "fragment spreads")
            roots = sum(1 for _ in root_fields(definition.selection_set, fragments))
            at_most(roots, limits.root_fields, "fields at the top")


def fragments_of(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    """The fragments of a document by name."""
    return {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}


def root_fields(selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Iterator[FieldNode]:
    """The fields at the top of an operation, through fragments (each named one once)."""
    stack, seen = [selections], set[str]()
    while stack:
        for selection in stack.pop().selections:
            if isinstance(selection, FieldNode):
                yield selection
            elif isinstance(selection, InlineFragmentNode):
                stack.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in seen:
                seen.add(selection.name.value)
                if (fragment := fragments.get(selection.name.value)) is not None:
                    stack.append(fragment.selection_set)


def is_introspection(document: DocumentNode) -> bool:
    """Whether all operations of a document ask about the schema and nothing else."""
    fragments = fragments_of(document)
    names = {
        field.name.value
        for each in document.definitions
        if isinstance(each, OperationDefinitionNode)
        for field in root_fields(each.selection_set, fragments)
    }
    return names <= {"__schema", "__type", "__typename"} and bool(names & {"__schema", "__type"})


def _check_written(document: DocumentNode, limits: Limits) -> None:
    """Counts over the document as it is written."""
    fragments = sum(isinstance(each, FragmentDefinitionNode) for each in document.definitions)
    at_most(fragments, limits.fragments, "fragments")
    names: Counter[str] = Counter()
    directives = inline = 0
    stack: list[Node] = list(document.definitions)
    while stack:
        node = stack.pop()
        if isinstance(node, FieldNode):
            names[(node.alias or node.name).value] += 1
        elif isinstance(node, InlineFragmentNode):
            inline += 1
        elif isinstance(node, ListValueNode):
            at_most(len(node.values), limits.list_length, "values in one list")
        directives += len(getattr(node, "directives", ()) or ())
        stack.extend(children(node))
    at_most(inline, limits.inline_fragments, "inline fragments")
    at_most(directives, limits.directives, "directives")
    name, most = max(names.items(), key=lambda item: item[1], default=("", 0))
    at_most(most, limits.repeats, f"fields called {name}")


def children(node: Node) -> Iterator[Node]:
    """The nodes directly below a node of a document."""
    for key in node.keys:
        if key != "loc":
            value = getattr(node, key, None)
            if isinstance(value, Node):
                yield value
            elif isinstance(value, list | tuple):
                yield from (each for each in value if isinstance(each, Node))


class _Expansion:
    """Sizes of selection sets with their fragments spelt out, each fragment measured once."""

    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode], limits: Limits) -> None:
        self._fragments = fragments
        self._limits = limits
        self._known: dict[str, tuple[_Size, int]] = {}
        self._deepest = 0

    def of(self, selections: SelectionSetNode, depth: int) -> _Size:
        """The size of a selection set whose fields stand at `depth`. Raises LimitExceeded when it goes too deep."""
        at_most(depth, self._limits.depth, "levels of fields")
        self._deepest = max(self._deepest, depth)
        size = _Size()
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                size.add(_Size(1, int(selection.alias is not None), 0))
                if selection.selection_set is not None:
                    size.add(self.of(selection.selection_set, depth + 1))
            elif isinstance(selection, InlineFragmentNode):
                size.add(self.of(selection.selection_set, depth))
            elif isinstance(selection, FragmentSpreadNode):
                size.add(_Size(0, 0, 1))
                size.add(self._spread(selection.name.value, depth))
        return size

    def _spread(self, name: str, depth: int) -> _Size:
        fragment = self._fragments.get(name)
        if fragment is None:
            return _Size()  # the standard rules name it
        if name not in self._known:
            self._known[name] = (_Size(), 0)  # a cycle adds nothing; the standard rules refuse it
            above, self._deepest = self._deepest, depth
            size = self.of(fragment.selection_set, depth)
            self._known[name] = (size, self._deepest - depth)
            self._deepest = max(above, self._deepest)
        size, height = self._known[name]
        at_most(depth + height, self._limits.depth, "levels of fields")
        self._deepest = max(self._deepest, depth + height)
        return size


def check_variables(variables: Mapping[str, Any], length: int, limits: Limits) -> None:
    """Raise LimitExceeded when the variables (`length` bytes of JSON) are too long or hold too long a list."""
    at_most(length, limits.variables, "bytes of variables")
    stack: list[Any] = [variables]
    while stack:
        value = stack.pop()
        if isinstance(value, list):
            at_most(len(value), limits.list_length, "values in one list")
            stack.extend(value)
        elif isinstance(value, Mapping):
            stack.extend(value.values())


def cost(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode, variables: Mapping[str, Any]
) -> int:
    """What a valid operation asks for, in points: an object 1, a scalar 0, a list its `first` times (without one: once)."""
    root = schema.get_root_type(operation.operation)
    assert root is not None
    return _Cost(schema, fragments_of(document), variables).of(operation.selection_set, root, None)


class _Cost:
    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables
        self._known: dict[tuple[str, int | None], int] = {}

    def of(self, selections: SelectionSetNode, parent: Any, page: int | None) -> int:
        """The points of a selection on `parent`; `page` is the `first` of the connection it is the inside of."""
        points = 0
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                points += self._field(selection, parent, page)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                on = parent if condition is None else self._schema.get_type(condition.name.value)
                points += self.of(selection.selection_set, on, page)
            elif isinstance(selection, FragmentSpreadNode):
                points += self._spread(selection.name.value, page)
        return points

    def _spread(self, name: str, page: int | None) -> int:
        if (name, page) not in self._known:
            fragment = self._fragments[name]
            on = self._schema.get_type(fragment.type_condition.name.value)
            self._known[name, page] = self.of(fragment.selection_set, on, page)
        return self._known[name, page]

    def _field(self, node: FieldNode, parent: Any, page: int | None) -> int:
        field = getattr(parent, "fields", {}).get(node.name.value)
        if field is None or not is_composite_type(get_named_type(field.type)) or node.selection_set is None:
            return 0
        inner = get_named_type(field.type)
        first = self._first(node, field)
        if _is_list(field.type):
            times = first or (page if page is not None and node.name.value in ("edges", "nodes") else 1)
            return times * (1 + self.of(node.selection_set, inner, None))
        return 1 + self.of(node.selection_set, inner, first)

    def _first(self, node: FieldNode, field: Any) -> int | None:
        argument = field.args.get("first")
        if argument is None:
            return None
        given = next((each.value for each in node.arguments if each.name.value == "first"), None)
        value: Any = None
        if isinstance(given, IntValueNode):
            value = int(given.value)
        elif isinstance(given, VariableNode):
            value = self._variables.get(given.name.value)
        return max(1, value if isinstance(value, int) else argument.default_value)


def _is_list(type_: Any) -> bool:
    inner = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    return isinstance(inner, GraphQLList)
