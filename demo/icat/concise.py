"""This file is ICAT's older query form: `[skip, count] Entity[.attribute] [ORDER BY …] [INCLUDE …] [ [condition] ]`."""

from __future__ import annotations

from demo.icat.entities import Schema
from demo.icat.errors import bad
from demo.icat.expressions import Grammar
from demo.icat.syntax import Expression, Include, Path, Query, Source
from demo.icat.tails import read_limit
from demo.icat.tokens import Reader, Token

ROOT = "$0$"


def concise(reader: Reader, schema: Schema) -> Query:
    """A query of the older form; raises Refusal BAD_PARAMETER."""
    limit = read_limit(reader) if reader.peek().kind == "number" or reader.at(",") else None
    distinct = reader.skip("DISTINCT")
    entity, *steps = reader.take().text.split(".")
    if entity not in schema:
        raise bad(f"{entity} is not an EntityBaseBean")
    order = _order(reader) if reader.skip("ORDER", "BY") else ()
    includes, one = _includes(reader, entity, schema)
    where = _where(reader) if reader.at("[") else None
    if reader.peek().kind != "end":
        raise reader.surplus()
    select = Path(ROOT, tuple(steps), 0, 0)
    source = Source(ROOT, entity, None)
    return Query(reader.query, distinct, (select,), (source,), where, (), None, order, includes, one, limit)


def _no_subquery(reader: Reader) -> Query:
    raise reader.stumble("A subquery has no place here.")


def _where(reader: Reader) -> Expression:
    reader.need("[")
    # Paths are relative to the entity; `path` upper-cases what it takes for a variable, so read the words again.
    inner = Reader(reader.query, [_prefixed(token) for token in reader.words])
    inner.place = reader.place
    condition = Grammar(inner, _no_subquery).condition()
    reader.place = inner.place
    reader.need("]")
    return condition


def _prefixed(token: Token) -> Token:
    words = ("AND", "OR", "NOT", "IS", "NULL", "EMPTY", "BETWEEN", "LIKE", "IN", "MEMBER", "OF", "TRUE", "FALSE")
    known = token.word in words or token.text.startswith("org.icatproject.") or token.word == "CURRENT_TIMESTAMP"
    if token.kind != "name" or known:
        return token
    return Token("name", f"{ROOT}.{token.text}", token.value, token.start, token.end)


def _order(reader: Reader) -> tuple[tuple[Expression, bool], ...]:
    found: list[tuple[Expression, bool]] = []
    while True:
        token = reader.take()
        down = reader.skip("DESC")
        if not down:
            reader.skip("ASC")
        found.append((Path(ROOT, tuple(token.text.split(".")), token.start, token.end), down))
        if not reader.skip(","):
            return tuple(found)


def _includes(reader: Reader, entity: str, schema: Schema) -> tuple[tuple[Include, ...], bool]:
    if not reader.skip("INCLUDE"):
        return (), False
    if reader.peek().text == "1":
        reader.take()
        return (), True
    reached: dict[str, str] = {entity: ROOT}
    found: list[Include] = []
    while True:
        target = reader.take().text
        home, step = _step(reached, target, schema)
        alias = f"$I{len(found)}$"
        found.append(Include(reached[home], (step,), alias))
        reached[target] = alias
        if not reader.skip(","):
            return tuple(found), False


def _step(reached: dict[str, str], target: str, schema: Schema) -> tuple[str, str]:
    for home in reached:
        entity = schema[home]
        for name in (*entity.to_one, *entity.to_many):
            if entity.target(name) == target:
                return home, name
    raise bad(f"Unable to reach {target} in list of INCLUDE")
