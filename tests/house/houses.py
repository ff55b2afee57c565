"""This file is what the tests of the house share: which files are ours, and how a module is read."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("schema", "catalogue", "harvesters", "triggers", "gateway", "pangate", "demo")


@dataclass(frozen=True)
class Module:
    """One Python file of ours, read."""

    path: Path
    name: str
    text: str
    tree: ast.Module

    @property
    def room(self) -> str:
        """The top-level package it stands in."""
        return self.name.partition(".")[0]


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that is in the repository or about to be (git's ignore rules obeyed)."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return tuple(path for name in sorted(listed.split("\0")) if name and (path := ROOT / name).is_file())


@cache
def modules() -> tuple[Module, ...]:
    """Every module of every room."""
    return tuple(_read(path) for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in ROOMS)


@cache
def python_tests() -> tuple[Path, ...]:
    """Every Python file below tests/."""
    return tuple(path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] == "tests")


def _read(path: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    parts = path.relative_to(ROOT).with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(path, name, text, ast.parse(text, str(path)))


def imports(module: Module) -> list[tuple[str, int, bool]]:
    """What a module imports: dotted name, line, and whether it is needed for types only."""
    for_types = {
        id(inner)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for inner in ast.walk(node)
    }
    found = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node.lineno, id(node) in for_types) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [(f"{node.module}.{alias.name}", node.lineno, id(node) in for_types) for alias in node.names]
    return found
