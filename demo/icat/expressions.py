"""This file is the grammar of conditions and values in a JPQL query."""

from __future__ import annotations

from collections.abc import Callable

from demo.icat.syntax import Aggregate, Call, Caller, Expression, Literal, Now, Path, Query, Subquery
from demo.icat.tokens import Reader, Token

AGGREGATES = ("COUNT", "MIN", "MAX", "SUM", "AVG")
FUNCTIONS = ("LOWER", "UPPER", "LENGTH", "CONCAT", "ABS", "MOD", "TRIM", "COALESCE", "SUBSTRING", "LOCATE")
COMPARISONS = {"=": "=", "<>": "<>", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
RESERVED = (
    "FROM",
    "WHERE",
    "ORDER",
    "GROUP",
    "HAVING",
    "AND",
    "OR",
    "INCLUDE",
    "LIMIT",
    "JOIN",
    "BETWEEN",
    "LIKE",
    "IN",
    "IS",
)
MISSING_RIGHT = "A comparison expression must define the right side of the comparison."

Nested = Callable[[Reader], Query]


def path(token: Token) -> Path:
    """A dotted name as a path."""
    variable, *steps = token.text.split(".")
    return Path(variable.upper(), tuple(steps), token.start, token.end, token.text)


class Grammar:
    """Expressions by precedence; `nested` reads a query in parentheses."""

    def __init__(self, reader: Reader, nested: Nested) -> None:
        self.reader = reader
        self.nested = nested

    def condition(self) -> Expression:
        """A condition: OR of ANDs of NOTs."""
        return self._chain("OR", lambda: self._chain("AND", self._negation))

    def _chain(self, word: str, part: Callable[[], Expression]) -> Expression:
        parts = [part()]
        while self.reader.skip(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Call(word, tuple(parts))

    def _negation(self) -> Expression:
        if self.reader.skip("NOT"):
            return Call("NOT", (self._negation(),))
        return self._comparison()

    def _comparison(self) -> Expression:
        left = self.value()
        sign = COMPARISONS.get(self.reader.peek().word)
        if sign:
            self.reader.take()
            if self.reader.peek().kind == "end" or self.reader.peek().word in RESERVED:
                raise self.reader.stumble(MISSING_RIGHT)
            return Call(sign, (left, self.value()))
        if self.reader.skip("IS"):
            return self._is(left)
        negated = self.reader.skip("NOT")
        found = self._keyword(left)
        if found is None and negated:
            raise self.reader.stumble("A comparison is missing after NOT.")
        if found is None:
            return left
        return Call("NOT", (found,)) if negated else found

    def _is(self, left: Expression) -> Expression:
        negated = self.reader.skip("NOT")
        name = "IS EMPTY" if self.reader.skip("EMPTY") else "IS NULL"
        if name == "IS NULL":
            self.reader.need("NULL")
        test = Call(name, (left,))
        return Call("NOT", (test,)) if negated else test

    def _keyword(self, left: Expression) -> Expression | None:
        if self.reader.skip("BETWEEN"):
            low = self.value()
            self.reader.need("AND")
            return Call("AND", (Call(">=", (left, low)), Call("<=", (left, self.value()))))
        if self.reader.skip("LIKE"):
            pattern = self.value()
            escape = self.value() if self.reader.skip("ESCAPE") else Literal("\\")
            return Call("LIKE", (left, pattern, escape))
        if self.reader.skip("IN"):
            return Call("IN", (left, *self._members()))
        if self.reader.skip("MEMBER"):
            self.reader.skip("OF")
            return Call("MEMBER", (left, path(self.reader.name())))
        return None

    def _members(self) -> tuple[Expression, ...]:
        self.reader.need("(")
        if self.reader.at("SELECT"):
            members: tuple[Expression, ...] = (Subquery(self.nested(self.reader)),)
        else:
            members = self._list()
        self.reader.need(")")
        return members

    def _list(self) -> tuple[Expression, ...]:
        values = [self.value()]
        while self.reader.skip(","):
            values.append(self.value())
        return tuple(values)

    def value(self) -> Expression:
        """A value: sums of products of atoms."""
        return self._arithmetic(("+", "-"), lambda: self._arithmetic(("*", "/"), self._atom))

    def _arithmetic(self, signs: tuple[str, ...], part: Callable[[], Expression]) -> Expression:
        left = part()
        while self.reader.peek().word in signs:
            left = Call(self.reader.take().word, (left, part()))
        return left

    def _atom(self) -> Expression:
        reader = self.reader
        if reader.skip("("):
            inner: Expression = Subquery(self.nested(reader)) if reader.at("SELECT") else self.condition()
            reader.need(")")
            return inner
        if reader.skip("-"):
            return Call("-", (Literal(0), self._atom()))
        token = reader.peek()
        if token.kind in ("number", "string", "time"):
            return Literal(reader.take().value)
        if token.kind == "parameter":
            if token.text != ":user":
                raise reader.stumble(f"The parameter {token.text} is not known.")
            reader.take()
            return Caller()
        if token.kind == "name" and token.word not in RESERVED:
            return self._named(reader.take())
        raise reader.stumble("An expression is missing.")

    def _named(self, token: Token) -> Expression:
        word = token.word
        constants: dict[str, Expression] = {"TRUE": Literal(True), "FALSE": Literal(False), "NULL": Literal(None)}
        constants["CURRENT_TIMESTAMP"] = Now()
        if word in constants:
            return constants[word]
        if word == "EXISTS":
            return Call("EXISTS", (self._atom(),))
        if self.reader.at("("):
            return self._call(word)
        if token.text.startswith("org.icatproject."):
            return Literal(token.text.rpartition(".")[2])
        return path(token)

    def _call(self, word: str) -> Expression:
        if word not in (*AGGREGATES, *FUNCTIONS):
            raise self.reader.stumble(f"The function {word} is not known.")
        self.reader.need("(")
        distinct = self.reader.skip("DISTINCT")
        arguments = self._list()
        self.reader.need(")")
        if word in AGGREGATES:
            return Aggregate(word, arguments[0], distinct)
        return Call(word, arguments)
