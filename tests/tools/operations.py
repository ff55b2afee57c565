"""Valid queries of every kind, drawn from the schema itself: aliases, fragments, directives, variables, arguments good and bad."""

import json
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
)
from hypothesis import strategies as st

from gateway.graphql.api import SCHEMA

SWITCHES = ["s0", "s1", "s2"]
FACETS = [
    "[{field:FACILITY},{field:YEAR,size:3}]",
    "[{field:TECHNIQUE},{field:ACCESS},{field:INSTRUMENT,size:1}]",
    '[{field:PARAMETER,parameter:"energy",bins:3}]',
    '[{field:KEYWORD,parameter:"no"}]',
]
FILTERS = ['{facility:["north"]}', '{instrument:["id01","d22"],started:{from:"2019"}}', '{facility:[""]}', "{}"]


@dataclass
class Known:
    """What arguments may name: so that something is found."""

    pids: list[str]
    ids: list[str]


@dataclass
class Drawn:
    """A query on its way: what its fragments are and which variables it uses."""

    draw: st.DrawFn
    known: Known
    left: int = 60
    aliases: int = 0
    fragments: dict[str, str] = field(default_factory=dict)
    variables: dict[str, tuple[str, Any]] = field(default_factory=dict)

    def one(self, among: list[Any]) -> Any:
        return self.draw(st.sampled_from(among))

    def sometimes(self, of: int = 3) -> bool:
        return self.draw(st.integers(1, of)) == of

    def variable(self, type: str, value: Any, name: str | None = None) -> str:
        name = name or f"v{len(self.variables)}"
        self.variables.setdefault(name, (type, value))
        return f"${name}"

    def directive(self) -> str:
        if not self.sometimes(6):
            return ""
        value = self.one(["true", "false", *SWITCHES])
        if value in SWITCHES:
            value = self.variable("Boolean!", self.one([True, False]), value)
        return f" @{self.one(['skip', 'include'])}(if: {value})"

    def selection(self, type: Any, depth: int) -> str:
        """A selection set of an object type or interface."""
        names = [name for name, each in type.fields.items() if depth > 0 or is_leaf_type(get_named_type(each.type))]
        parts = []
        for name in self.draw(st.lists(st.sampled_from([*names, "__typename"]), min_size=1, max_size=6)):
            self.left -= 1
            part = "__typename" if name == "__typename" else self.field(name, type.fields[name], depth)
            parts.append(self.wrapped(part, type))
        if isinstance(type, GraphQLInterfaceType):
            types = self.draw(st.lists(st.sampled_from(SCHEMA.get_possible_types(type)), max_size=3))
            parts += [f"... on {each.name} {self.selection(each, min(depth, 1))}" for each in types]
        return "{ " + " ".join(parts) + " }"

    def wrapped(self, part: str, type: Any) -> str:
        """The part as it is, in an inline fragment, or in a fragment with a name; or twice."""
        how = self.draw(st.integers(0, 11))
        if how == 0:
            return f"...{self.directive()} {{ {part} }}"
        if how == 1:
            return f"... on {type.name}{self.directive()} {{ {part} }}"
        if how == 2 and "$" not in part:
            name = f"F{len(self.fragments)}"
            self.fragments[name] = f"fragment {name} on {type.name} {{ {part} }}"
            return f"...{name}{self.directive()} ...{name}"
        if how == 3 and isinstance(type, GraphQLObjectType) and "id" in type.fields and type.interfaces:
            return f"... on Node {{ id }} {part}"
        return f"{part} {part}" if how == 4 else part

    def field(self, name: str, definition: GraphQLField, depth: int) -> str:
        arguments = self.arguments(definition)
        alias = ""
        if arguments or self.sometimes(6):
            self.aliases += 1
            alias = f"a{self.aliases}: "
        named = get_named_type(definition.type)
        inside = "" if is_leaf_type(named) else " " + self.selection(named, depth - 1 if self.left > 0 else 0)
        return f"{alias}{name}{arguments}{self.directive()}{inside}"

    def arguments(self, definition: GraphQLField) -> str:
        given = [
            f"{name}: {self.value(name)}"
            for name, each in definition.args.items()
            if isinstance(each.type, GraphQLNonNull) or self.sometimes()
        ]
        return f"({', '.join(given)})" if given else ""

    def value(self, name: str) -> str:
        number = self.one([1, 2, 3, 10, None, 0, 101])
        texts = self.draw(st.lists(st.sampled_from(["energy", "Temperature", "temp", ""]), max_size=2))
        ways: dict[str, list[str]] = {
            "id": [json.dumps(each) for each in self.known.ids],
            "ids": [json.dumps(self.known.ids[:4]), "[]", '["x"]'],
            "pid": [json.dumps(each) for each in self.known.pids],
            "dataset": [json.dumps(each) for each in self.known.pids],
            "names": [json.dumps(texts), "null", self.one(["null", '"T"'])],
            "first": [json.dumps(number)],
            "query": ['"scattering"', '"thin film"', "null", '"-neutron"'],
            "filter": FILTERS,
            "facets": FACETS,
            "sort": ["NEWEST", "TITLE", "null"],
            "scope": ["PUBLIC", "MINE"],
            "after": ["null", '"nonsense"'],
            "source": ["null", '"north/scicat"', '"no/such"'],
            "text": ['"s"', '""'],
        }
        if name == "first" and self.sometimes():
            return self.variable("Int", number)
        if name == "names" and self.sometimes(2):
            return self.variable("[String!]", texts)
        return self.one(ways[name])


@st.composite
def queries(draw: st.DrawFn, known: Known) -> tuple[str, dict[str, Any]]:
    """A query and its variables."""
    drawn = Drawn(draw, known)
    root = SCHEMA.query_type
    assert root is not None
    names = ["datasets"] * 8 + ["dataset"] * 2 + list(root.fields)
    picked = draw(st.lists(st.sampled_from(names), min_size=1, max_size=3))
    parts = [drawn.field(name, root.fields[name], 5) for name in picked]
    written = [f"${name}: {type}" for name, (type, _) in drawn.variables.items()]
    head = f"query Q({', '.join(written)})" if written else "query Q"
    text = "\n".join([f"{head} {{ {' '.join(parts)} }}", *drawn.fragments.values()])
    return text, {name: value for name, (_, value) in drawn.variables.items()}
