"""The shape of modules and functions: small, captioned, called by a noun of the field."""

from __future__ import annotations

import ast

import pytest
from house.houses import ROOT, Module, modules, python_tests, tracked

MODULE, FUNCTION, PARAMETERS = 350, 55, 8
BANNED = {
    "utils",
    "util",
    "helpers",
    "helper",
    "manager",
    "handler",
    "handlers",
    "processor",
    "common",
    "misc",
    "service",
    "base",
    "core",
}
MOCKS = ("unittest.mock", "pytest_mock", "MagicMock(", "monkeypatch.setattr(time")


def non_blank(text: str) -> int:
    return sum(bool(line.strip()) for line in text.splitlines())


def functions(module: Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or 0) - function.lineno + 1


def test_no_module_is_longer_than_a_reader_takes_in() -> None:
    assert [(module.name, lines) for module in modules() if (lines := non_blank(module.text)) > MODULE] == []


def test_no_function_is_longer_than_a_screen() -> None:
    long = [
        f"{module.name}.{function.name}: {length(function)} lines"
        for module in modules()
        for function in functions(module)
        if length(function) > FUNCTION
        and ".versions." not in module.name  # a migration is a list of tables, kept as it was
    ]
    assert long == []


def test_no_function_takes_more_positional_parameters_than_a_reader_can_order() -> None:
    wrong = [
        f"{module.name}.{function.name}: {count}"
        for module in modules()
        for function in functions(module)
        if (count := len(function.args.args)) > PARAMETERS
    ]
    assert wrong == []


def test_every_module_says_what_it_is_in_its_first_line() -> None:
    silent = [module.name for module in modules() if not (ast.get_docstring(module.tree) or "").split("\n")[0].strip()]
    assert silent == []


def test_a_caption_is_a_sentence() -> None:
    wrong = [
        f"{module.name}: {first!r}"
        for module in modules()
        for first in [(ast.get_docstring(module.tree) or "").split("\n\n")[0].strip()]
        if not first.endswith((".", ":", "`", "…"))
    ]
    assert wrong == []


def test_modules_are_called_by_nouns_of_the_field() -> None:
    assert [module.name for module in modules() if BANNED & set(module.name.split("."))] == []


def test_tests_use_fakes_and_no_mocks() -> None:
    here = {ROOT / "tests" / "house" / "test_shape.py"}
    wrong = [
        (path.name, word)
        for path in python_tests()
        if path not in here
        for word in MOCKS
        if word in path.read_text("utf-8")
    ]
    assert wrong == []


def test_test_folders_are_no_packages() -> None:
    """A package called tests is installed by others; ours are found by path."""
    assert [path for path in tracked() if path.name == "__init__.py" and "tests" in path.parts] == []


@pytest.mark.parametrize("room", ["demo", "tests/doubles"])
def test_a_stand_in_says_first_what_it_imitates(room: str) -> None:
    servers = [
        path
        for path in tracked()
        if room in str(path.parent.relative_to(ROOT)) and path.name in ("server.py", "jupyterhub.py")
    ]
    assert servers
    for path in servers:
        first = path.read_text("utf-8")[:600]
        assert any(character.isdigit() for character in first), f"{path}: which version, and how is that known?"
