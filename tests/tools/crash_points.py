"""The named points of a crash: this file reads them out of the code, and says of those that the crash suite does not visit why."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("catalogue", "pangate", "harvesters", "triggers")

_SIGN_IN = "one row of a sign-in; no job, nothing rests on it"
_MINUTES = "by a timer of minutes, one row"
_ASKED = "one row, by somebody who asks"
_ELSEWHERE = {
    "put session": _SIGN_IN,
    "refresh lock": _SIGN_IN,
    "remove session": _SIGN_IN,
    "put state": _SIGN_IN,
    "take state": _SIGN_IN,
    "purge": _MINUTES,
    "renew": _MINUTES,
    "request harvest": _ASKED,
    "release sweep": _ASKED,
    "rebuild failed": "nothing but a message",
    "realign": "when the federation file's order of sources has changed; tests/catalogue kills it",
    "refuse": "Elasticsearch alone refuses single records",
}
ELSEWHERE = {f"{name}: {when} commit": why for name, why in _ELSEWHERE.items() for when in ("before", "after")}
"""Points that this suite does not visit, each with the reason."""


def in_code() -> set[str]:
    """Every named point of the rooms, read from their source: calls of `at` with a name, and the two of each transaction."""
    return {name for room in ROOMS for path in (ROOT / room).rglob("*.py") for name in _of(ast.parse(path.read_text()))}


def _of(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in ("at", "_at"):
            yield from _names(node.args[0])
        elif called == "write" and isinstance(node.func, ast.Attribute) and "database" in ast.unparse(node.func.value):
            yield from (f"{name}: {when} commit" for name in _names(node.args[0]) for when in ("before", "after"))


def _names(node: ast.expr) -> Iterator[str]:
    """A literal, or the one that is made of the two kinds of shelves; those made of a transaction's name are known by its call."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr) and "public" in ast.unparse(node):
        yield from ("index.public.committed", "index.restricted.committed")
