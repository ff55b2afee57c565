"""This file is what ICAT adds behind a JPQL query: INCLUDE and LIMIT, in either order."""

from __future__ import annotations

from demo.icat.errors import bad
from demo.icat.expressions import path
from demo.icat.syntax import Include
from demo.icat.tokens import Reader

Limit = tuple[int, int | None] | None


def read_tail(reader: Reader) -> tuple[tuple[Include, ...], bool, Limit]:
    """The INCLUDE paths, whether it is INCLUDE 1, and the LIMIT."""
    includes: tuple[Include, ...] = ()
    one = False
    limit: Limit = None
    while reader.peek().kind != "end":
        if reader.skip("INCLUDE"):
            if reader.peek().text == "1":
                reader.take()
                one = True
            else:
                includes = _includes(reader)
        elif reader.skip("LIMIT"):
            limit = read_limit(reader)
        else:
            raise reader.surplus()
    return includes, one, limit


def _includes(reader: Reader) -> tuple[Include, ...]:
    found = []
    while True:
        token = path(reader.take())
        alias = None
        if reader.skip("AS"):
            alias = reader.take().text.upper()
        found.append(Include(token.variable, token.steps, alias))
        if not reader.skip(","):
            return tuple(found)


def read_limit(reader: Reader) -> tuple[int, int | None]:
    """`skip, count`; the count is None for `*`."""
    first = reader.take()
    if not reader.skip(","):
        reader.take()
        raise bad("LIMIT needs two numbers")
    second = reader.take()
    if first.kind != "number" or (second.kind != "number" and second.text != "*"):
        raise bad("LIMIT needs two numbers")
    return int(first.value), None if second.text == "*" else int(second.value)
