"""This file is the parser of queries: JPQL with INCLUDE and LIMIT, and ICAT's older concise form."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from demo.icat.concise import concise
from demo.icat.entities import Schema
from demo.icat.errors import bad
from demo.icat.expressions import Grammar, path
from demo.icat.syntax import Expression, Query, Source
from demo.icat.tails import read_tail
from demo.icat.tokens import Reader, Token, tokens

CLAUSES = ("WHERE", "GROUP", "ORDER", "HAVING", "INCLUDE", "LIMIT", "JOIN", "LEFT", "INNER")


def parse(text: str, schema: Schema) -> Query:
    """A query of either form; raises Refusal BAD_PARAMETER in the server's words."""
    query = _selecting(text)
    return concise(Reader(text, tokens(text)), schema) if query is None else query


@lru_cache(maxsize=2048)
def _selecting(text: str) -> Query | None:
    """A JPQL query, which a harvester asks again and again; None for the other form."""
    words = tokens(text)
    if not words:
        raise bad("Attempt to read beyond end")
    return _jpql(text, words) if Reader(text, words).at("SELECT") else None


def _tail(words: list[Token]) -> int:
    for place, token in enumerate(words):
        if token.word in ("INCLUDE", "LIMIT"):
            return place
    return len(words)


def _jpql(text: str, words: list[Token]) -> Query:
    end = _tail(words)
    if not any(token.word == "FROM" for token in words[:end]):
        raise bad("Attempt to read beyond end")
    rear = Reader(text, words)
    rear.place = end
    includes, one, limit = read_tail(rear)
    # The JPQL compiler never sees INCLUDE and LIMIT: its messages quote the part in front of them.
    front = text[: words[end].start].rstrip() if end < len(words) else text
    reader = Reader(front, words[:end])
    query = _select(reader)
    if reader.peek().kind != "end":
        raise reader.stumble("The query contains a malformed ending.")
    return replace(query, text=front, includes=includes, include_one=one, limit=limit)


def _select(reader: Reader) -> Query:
    grammar = Grammar(reader, _select)
    start = reader.need("SELECT").start
    distinct = reader.skip("DISTINCT")
    select = [grammar.value()]
    while reader.skip(","):
        select.append(grammar.value())
    reader.need("FROM")
    sources = _sources(reader)
    where = grammar.condition() if reader.skip("WHERE") else None
    group: list[Expression] = []
    if reader.skip("GROUP", "BY"):
        group.append(grammar.value())
        while reader.skip(","):
            group.append(grammar.value())
    having = grammar.condition() if reader.skip("HAVING") else None
    order = _order(reader, grammar) if reader.skip("ORDER", "BY") else ()
    text = reader.query[start:]
    return Query(text, distinct, tuple(select), tuple(sources), where, tuple(group), having, order)


def _order(reader: Reader, grammar: Grammar) -> tuple[tuple[Expression, bool], ...]:
    found = []
    while True:
        value = grammar.value()
        down = reader.skip("DESC")
        if not down:
            reader.skip("ASC")
        found.append((value, down))
        if not reader.skip(","):
            return tuple(found)


def _sources(reader: Reader) -> list[Source]:
    found = [_range(reader)]
    while True:
        left = reader.skip("LEFT")
        if left:
            reader.skip("OUTER")
        else:
            reader.skip("INNER")
        if reader.skip("JOIN"):
            found.append(_join(reader, left))
        elif reader.skip(","):
            found.append(_range(reader))
        else:
            return found


def _join(reader: Reader, left: bool) -> Source:
    token = path(reader.name())
    return Source(_variable(reader), None, token, left)


def _range(reader: Reader) -> Source:
    token = reader.name()
    if token.word == "IN" and reader.skip("("):
        inner = path(reader.name())
        reader.need(")")
        return Source(_variable(reader), None, inner)
    if "." in token.text:  # a path of an outer variable, in a subquery
        return Source(_variable(reader), None, path(token))
    return Source(_variable(reader), token.text, None)


def _variable(reader: Reader) -> str:
    reader.skip("AS")
    token = reader.peek()
    if token.kind != "name" or token.word in CLAUSES:
        raise reader.stumble("An identification variable must be defined.")
    return reader.take().text.upper()
