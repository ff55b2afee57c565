"""This file is a parsed query: its expressions, joins, order, INCLUDE and LIMIT."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Literal:
    """A constant."""

    value: Any


@dataclass(frozen=True)
class Path:
    """`variable.relation.attribute`; `steps` is empty for the variable itself."""

    variable: str
    steps: tuple[str, ...]
    start: int = 0
    end: int = 0
    text: str = ""  # as it was written


@dataclass(frozen=True)
class Call:
    """An operator or function over values: `=`, `AND`, `LIKE`, `LOWER`, …"""

    name: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class Aggregate:
    """COUNT, MIN, MAX, SUM, AVG."""

    name: str
    argument: Expression
    distinct: bool


@dataclass(frozen=True)
class Subquery:
    """EXISTS (SELECT …) or the right side of IN."""

    query: Query


@dataclass(frozen=True)
class Now:
    """CURRENT_TIMESTAMP."""


@dataclass(frozen=True)
class Caller:
    """`:user`."""


Expression = Literal | Path | Call | Aggregate | Subquery | Now | Caller


@dataclass(frozen=True)
class Source:
    """A variable and where it comes from: an entity, or a path of another variable (a join)."""

    variable: str
    entity: str | None
    path: Path | None
    left: bool = False


@dataclass(frozen=True)
class Include:
    """One path of INCLUDE: from which variable, over which relations, called how."""

    variable: str
    steps: tuple[str, ...]
    alias: str | None


@dataclass(frozen=True)
class Query:
    """A whole query. `include_one`: INCLUDE 1. `limit`: rows to skip and to give (None: all)."""

    text: str
    distinct: bool
    select: tuple[Expression, ...]
    sources: tuple[Source, ...]
    where: Expression | None = None
    group: tuple[Expression, ...] = ()
    having: Expression | None = None
    order: tuple[tuple[Expression, bool], ...] = ()
    includes: tuple[Include, ...] = ()
    include_one: bool = False
    limit: tuple[int, int | None] | None = None
