"""The import contract: a room imports the floors below it, never a neighbour, never upward; and what it must not touch."""

from __future__ import annotations

import ast

import pytest
from house.houses import ROOT, Module, imports, modules

FLOORS = {"schema": 0, "catalogue": 1, "harvesters": 2, "triggers": 2, "gateway": 2, "pangate": 3}
MAY = {room: {other for other in FLOORS if FLOORS[other] < floor} | {room} for room, floor in FLOORS.items()}
MAY["demo"] = {"demo", "schema"}
"""demo holds stand-ins: of ours it may know what a thing is, and nothing else."""

OUTSIDE = {"socket", "requests", "urllib3", "aiohttp", "httpx", "sqlite3", "subprocess", "random", "secrets", "logging"}
"""What the ground floor has no business with: the network, processes, chance."""


def room_of(imported: str) -> str | None:
    first = imported.partition(".")[0]
    return first if first in MAY else None


def test_a_room_imports_only_the_floors_below_it() -> None:
    wrong = [
        f"{module.name}:{line} imports {name}"
        for module in modules()
        for name, line, _ in imports(module)
        if (room := room_of(name)) is not None and room not in MAY[module.room]
    ]
    assert wrong == []


def test_nobody_imports_the_tests_or_the_demo() -> None:
    wrong = [
        f"{module.name}:{line} imports {name}"
        for module in modules()
        for name, line, _ in imports(module)
        if name.partition(".")[0] in ("tests", "demo", "benchmarks") and name.partition(".")[0] != module.room
    ]
    assert wrong == []


def test_no_import_stands_inside_a_function() -> None:
    wrong = [
        f"{module.name}:{inner.lineno}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]
    assert wrong == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    names = {module.name for module in modules()}
    graph = {module.name: needs(module, names) for module in modules()}
    done: set[str] = set()

    def walk(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path[path.index(name) :], name))
        if name in done:
            return
        for other in sorted(graph[name]):
            walk(other, (*path, name))
        done.add(name)

    for name in sorted(graph):
        walk(name, ())


def needs(module: Module, names: set[str]) -> set[str]:
    """The modules of ours that a module imports when it runs."""
    found = set()
    for name, _, for_types in imports(module):
        target = name if name in names else name.rpartition(".")[0]
        if target in names and target != module.name and not for_types:
            found.add(target)
    return found


def test_the_ground_floor_knows_no_network_no_clock_no_environment() -> None:
    ground = [module for module in modules() if module.room == "schema"]
    assert len(ground) > 10
    wrong = [
        f"{module.name}:{line} imports {name}"
        for module in ground
        for name, line, _ in imports(module)
        if name.partition(".")[0] in OUTSIDE or name in ("os.environ", "os.getenv")
    ]
    wrong += [
        f"{module.name}:{node.lineno} calls {text}"
        for module in ground
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call)
        and (text := ast.unparse(node.func))
        in ("datetime.now", "datetime.utcnow", "date.today", "time.time", "os.getenv")
    ]
    assert wrong == []


def test_only_the_roof_and_the_entry_points_read_the_environment() -> None:
    doors = ("pangate.", "demo.", "harvesters.child")  # the last hands its process PATH and the like, and nothing more
    wrong = [
        f"{module.name}:{node.lineno}"
        for module in modules()
        if not module.name.startswith(doors)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv", "os.environb")
    ]
    assert wrong == []


def test_imports_are_absolute() -> None:
    wrong = [
        f"{module.name}:{node.lineno}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert wrong == []


@pytest.mark.parametrize("room", sorted(MAY))
def test_a_rooms_name_resolves_to_this_checkout(room: str) -> None:
    """These names are common: another package of that name, installed beside ours, must not win."""
    package = __import__(room)
    paths = [str(path) for path in package.__path__]
    assert paths == [str(ROOT / room)]
