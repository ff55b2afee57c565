"""This file is how the expressions of a query become functions over bound rows, with SQL's three-valued logic."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable
from datetime import UTC
from typing import TYPE_CHECKING, Any

from demo.icat.errors import Refusal, bad, conversion
from demo.icat.moments import quoted
from demo.icat.scope import Env, Scope, Value, row_id
from demo.icat.syntax import Aggregate, Call, Caller, Expression, Literal, Now, Path, Query, Subquery

if TYPE_CHECKING:
    from demo.icat.store import Store

COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "MOD": operator.mod,
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "LOWER": str.lower,
    "UPPER": str.upper,
    "LENGTH": len,
    "TRIM": str.strip,
    "ABS": abs,
    "CONCAT": lambda *parts: "".join(str(part) for part in parts),
    "SUBSTRING": lambda text, start, size=None: text[start - 1 : None if size is None else start - 1 + size],
    "LOCATE": lambda part, text: text.find(part) + 1,
}
Rows = Callable[[Query, Scope], tuple[Callable[[Env], Iterable[Any]], bool]]


class Conditions:
    """Compiles expressions of one query for one caller. `rows` compiles a subquery to its values."""

    def __init__(self, store: Store, caller: str, scope: Scope, rows: Rows) -> None:
        self.store = store
        self.caller = caller
        self.scope = scope
        self.rows = rows

    def kind(self, expression: Expression, selected: bool = False) -> str | None:
        """The kind of a path's value; None for what has none."""
        if isinstance(expression, Path):
            return self.scope.walk(expression, selected).kind
        if isinstance(expression, Now):
            return "time"
        if isinstance(expression, Aggregate) and expression.name in ("MIN", "MAX"):
            return self.kind(expression.argument, selected)
        return None

    def compile(self, expression: Expression, selected: bool = False) -> Value:
        """An expression as a function of the bound rows."""
        match expression:
            case Literal(value):
                return lambda _: value
            case Path():
                return self.scope.value(self.scope.walk(expression, selected))
            case Now():
                moment = self.store.now().astimezone(UTC).astimezone(self.store.database_zone).replace(tzinfo=None)
                return lambda _: moment
            case Caller():
                return lambda _: self.caller
            case Call():
                return self._call(expression)
        raise bad("An aggregate or a subquery has no place here")

    def _call(self, call: Call) -> Value:
        name = call.name
        special = {
            "IN": self._in,
            "EXISTS": self._exists,
            "IS EMPTY": self._empty,
            "MEMBER": self._member,
            "IS NULL": self._null,
            "LIKE": self._like,
        }
        if name in special:
            return special[name](call)
        if name in COMPARE:
            return self._comparison(call)
        parts = [self.compile(part) for part in call.arguments]
        if name == "AND":
            return _all(parts)
        if name == "OR":
            return _any(parts)
        if name == "NOT":
            return _not(parts[0])
        if name == "COALESCE":
            return lambda env: next((v for v in (part(env) for part in parts) if v is not None), None)
        return _strict(ARITHMETIC.get(name) or FUNCTIONS[name], parts)

    def _comparison(self, call: Call) -> Value:
        left, right = call.arguments
        compare = COMPARE[call.name]
        one = self.compile(self._fitting(left, right))
        two = self.compile(self._fitting(right, left))

        def test(env: Env) -> Any:
            a, b = one(env), two(env)
            if a is None or b is None:
                return None
            return _compared(compare, row_id(a), row_id(b))

        return test

    def _fitting(self, expression: Expression, other: Expression) -> Expression:
        # A literal is converted to the attribute's type before the database sees it.
        if not isinstance(expression, Literal) or not isinstance(expression.value, str):
            return expression
        kind, text = self.kind(other), expression.value
        if kind == "time":
            moment = quoted(text)
            if moment is None:
                raise conversion(text)
            return Literal(moment)
        if kind in ("int", "float"):
            try:
                return Literal(int(text) if kind == "int" else float(text))
            except ValueError:
                raise conversion(text) from None
        return expression

    def _in(self, call: Call) -> Value:
        value, *members = call.arguments
        get = self.compile(value)
        if len(members) == 1 and isinstance(members[0], Subquery):
            return self._in_subquery(get, members[0])
        parts = [self.compile(self._fitting(member, value)) for member in members]
        if all(isinstance(member, Literal) for member in members):
            fixed = {part([]) for part in parts}
            return _within(get, lambda _: fixed)
        return _within(get, lambda env: {row_id(part(env)) for part in parts})

    def _in_subquery(self, get: Value, member: Subquery) -> Value:
        values, correlated = self.rows(member.query, self.scope)
        found: list[set[Any]] = []

        def members(env: Env) -> set[Any]:
            if correlated:
                return {row_id(v) for v in values(env)}
            if not found:
                found.append({row_id(v) for v in values(env)})
            return found[0]

        return _within(get, members)

    def _exists(self, call: Call) -> Value:
        inner = call.arguments[0]
        if not isinstance(inner, Subquery):
            raise bad("EXISTS needs a subquery")
        values, _ = self.rows(inner.query, self.scope)
        return lambda env: any(True for _ in values(env))

    def _empty(self, call: Call) -> Value:
        owner, relation = self.scope.many(_path(call.arguments[0]))
        return lambda env: not any(True for _ in self.store.children(owner(env), relation))

    def _member(self, call: Call) -> Value:
        item = self.compile(call.arguments[0])
        owner, relation = self.scope.many(_path(call.arguments[1]))
        return lambda env: item(env) in self.store.children(owner(env), relation)

    def _null(self, call: Call) -> Value:
        get = self.compile(call.arguments[0])
        return lambda env: get(env) is None

    def _like(self, call: Call) -> Value:
        get, pattern, escape = (self.compile(part) for part in call.arguments)

        def test(env: Env) -> Any:
            value = get(env)
            return None if value is None else bool(_pattern(pattern(env), escape(env)).fullmatch(str(value)))

        return test


def _path(expression: Expression) -> Path:
    if not isinstance(expression, Path):
        raise bad("A path is missing")
    return expression


def _compared(compare: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    try:
        return compare(a, b)
    except TypeError:
        raise Refusal("INTERNAL", "class jakarta.ejb.EJBException null") from None


def _all(parts: list[Value]) -> Value:
    def test(env: Env) -> Any:
        result: bool | None = True
        for part in parts:
            value = part(env)
            if value is None:
                result = None
            elif not value:
                return False
        return result

    return test


def _any(parts: list[Value]) -> Value:
    def test(env: Env) -> Any:
        result: bool | None = False
        for part in parts:
            value = part(env)
            if value is None:
                result = None
            elif value:
                return True
        return result

    return test


def _not(part: Value) -> Value:
    def test(env: Env) -> Any:
        value = part(env)
        return None if value is None else not value

    return test


def _strict(function: Callable[..., Any], parts: list[Value]) -> Value:
    def value(env: Env) -> Any:
        values = [part(env) for part in parts]
        return None if None in values else _compared(lambda found, _: function(*found), values, None)

    return value


def _within(get: Value, members: Callable[[Env], set[Any]]) -> Value:
    def test(env: Env) -> Any:
        value = get(env)
        return None if value is None else row_id(value) in members(env)

    return test


def _pattern(pattern: str, escape: str) -> re.Pattern[str]:
    parts, escaped = [], False
    for sign in pattern:
        if escaped or sign not in ("%", "_", escape):
            parts.append(re.escape(sign))
            escaped = False
        elif sign == escape:
            escaped = True
        else:
            parts.append(".*" if sign == "%" else ".")
    return re.compile("".join(parts), re.DOTALL)  # re keeps the compiled patterns
