"""This file is the variables of a query: which slot they have, what entity they are, and how a path is walked from one."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from demo.icat.entities import Entity, Schema
from demo.icat.errors import bad, compiling
from demo.icat.rows import Row
from demo.icat.syntax import Path

Env = list[Any]  # the rows bound to the variables, by slot; None under a LEFT JOIN
Value = Callable[[Env], Any]


@dataclass(frozen=True)
class Variable:
    """A slot, its entity, and whether it may be empty (LEFT JOIN)."""

    slot: int
    entity: Entity
    optional: bool


@dataclass(frozen=True)
class Walk:
    """A path resolved: from which variable over which relations (`bean`), to which attribute (None: the object itself)."""

    variable: Variable
    steps: tuple[str, ...]
    entity: Entity
    attribute: str | None

    @property
    def kind(self) -> str:
        """The kind of the value: one of the attributes' kinds, or "row"."""
        return (self.entity.kind(self.attribute) or "str") if self.attribute else "row"

    @property
    def dotted(self) -> str:
        """The way from the variable's row to the value, for attrgetter; "" is the row itself."""
        return ".".join((*self.steps, *((self.attribute,) if self.attribute else ())))


def getter(slot: int, dotted: str, optional: bool) -> Value:
    """Reads a value of a slot; with `optional`, None anywhere on the way gives None."""
    if not dotted:
        return operator.itemgetter(slot)
    if not optional:
        get = operator.attrgetter(dotted)
        return lambda env: get(env[slot])
    steps = dotted.split(".")

    def careful(env: Env) -> Any:
        value = env[slot]
        for step in steps:
            if value is None:
                return None
            value = getattr(value, step)
        return value

    return careful


@dataclass
class Scope:
    """Variables by name, with those of the outer query behind them; remembers which relations must lead somewhere."""

    schema: Schema
    text: str
    outer: Scope | None = None
    variables: dict[str, Variable] = field(default_factory=dict)
    needed: dict[tuple[int, str], Value] = field(default_factory=dict)
    correlated: bool = False
    size: int = 0

    def declare(self, name: str, entity: Entity, optional: bool) -> Variable:
        """A new variable in the next slot."""
        variable = Variable(self.size, entity, optional)
        self.variables[name] = variable
        self.size += 1
        return variable

    def find(self, path: Path) -> Variable:
        """The variable a path begins with."""
        found = self.variables.get(path.variable)
        if found is None and self.outer is not None:
            self.correlated = True
            return self.outer.find(path)
        if found is None:
            raise compiling(self.text, path.start, path.end, path.text)
        return found

    def walk(self, path: Path, selected: bool = False) -> Walk:
        """Resolve a path to a value; what is not there is told in the words of SELECT or of the JPQL compiler."""
        variable = self.find(path)
        entity = variable.entity
        steps: list[str] = []
        for place, step in enumerate(path.steps):
            last = place == len(path.steps) - 1
            if last and step in entity.attributes:
                return Walk(variable, tuple(steps), entity, step)
            if step not in entity.to_one:
                if selected and step not in entity.to_many:
                    raise bad(f"{entity.name} has no field {step}")
                raise compiling(self.text, path.start, path.end, path.text)
            entity = self.schema[entity.to_one[step].target]
            steps.append(step)
        return Walk(variable, tuple(steps), entity, None)

    def value(self, walk: Walk) -> Value:
        """Reads what a walk leads to; relations on the way become inner joins, as in SQL."""
        inner = walk.steps if walk.attribute else walk.steps[:-1]
        entity, careful = walk.variable.entity, walk.variable.optional
        for place, step in enumerate(inner):
            if walk.variable.optional or not entity.to_one[step].required:
                dotted = ".".join(inner[: place + 1])
                self.needed[(walk.variable.slot, dotted)] = getter(walk.variable.slot, dotted, True)
                careful = True
            entity = self.schema[entity.to_one[step].target]
        return getter(walk.variable.slot, walk.dotted, careful)

    def many(self, path: Path) -> tuple[Value, str]:
        """The owner of a to-many relation and its name; else the compiler's complaint."""
        variable = self.find(path)
        if path.steps:
            owner = Path(path.variable, path.steps[:-1], path.start, path.end)
            walk = self.walk(owner)
            if walk.attribute is None and path.steps[-1] in walk.entity.to_many:
                return getter(variable.slot, walk.dotted, True), path.steps[-1]
        raise compiling(self.text, path.start, path.end, path.text)


def row_id(value: Any) -> Any:
    """A value to compare and order by: an object stands for its id."""
    return value.id if isinstance(value, Row) else value
