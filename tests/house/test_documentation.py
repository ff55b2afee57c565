"""Nothing that an outsider may meet is undocumented, and nothing documented is missing."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import typer
from house.houses import ROOT, modules, tracked
from pydantic import BaseModel

from gateway.graphql.api import sdl
from gateway.limits import Limits
from harvesters.registry import KINDS as SOURCE_KINDS
from pangate.cli import app
from pangate.settings import Settings
from schema import federation
from schema.activities import FailureCode, HarvestState, LaunchState
from triggers.registry import KINDS as TRIGGER_KINDS

DOCS = {path.name: path.read_text("utf-8") for path in (ROOT / "docs").glob("*.md")}
ALL = "\n".join(DOCS.values())
PAGES = [path for path in tracked() if path.suffix == ".md"]


def missing(names: object, text: str) -> list[str]:
    """Which of the names do not stand in the text as code."""
    assert isinstance(names, set)
    assert names
    return sorted(
        name for name in names if f"`{name}`" not in text and not re.search(rf"`{re.escape(name)}[ (=:<]", text)
    )


def strings(call: str, position: int = 0) -> set[str]:
    """The constant texts that calls of that name have at a position, in all rooms but the demo."""
    found = set()
    for module in modules():
        for node in ast.walk(module.tree):
            if module.room != "demo" and isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] == call:
                value = node.args[position] if len(node.args) > position else None
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    found.add(value.value)
    return found


def test_every_setting_is_documented() -> None:
    names = {f"PANGATE_{name.upper()}" for name in Settings.model_fields}
    names |= set(re.findall(r"PANGATE_[A-Z_]+[A-Z]", "".join(module.text for module in modules())))
    assert missing(names - {"PANGATE_TEST"}, DOCS["operator.md"]) == []


def test_every_documented_setting_exists() -> None:
    known = "".join(module.text for module in modules())
    known += (ROOT / "Makefile").read_text("utf-8") + "".join(
        f"PANGATE_{name.upper()} " for name in Settings.model_fields
    )
    known += " ".join(read_by_tests("how_many") | read_by_tests("get"))
    told = set(re.findall(r"`((?:PANGATE|DEMO)_[A-Z_]+[A-Z])`", ALL + (ROOT / "README.md").read_text("utf-8")))
    own = {f"{name}_FILE" for name in told}
    assert sorted(name for name in told - own if name not in known) == []


def read_by_tests(call: str) -> set[str]:
    """The variables of the environment that tests ask for with that call."""
    texts = [path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py")]
    return {name for text in texts for name in re.findall(rf'\b{call}\("(PANGATE_[A-Z_]+[A-Z])"', text)}


def test_every_number_of_a_long_form_is_documented() -> None:
    names = read_by_tests("how_many")
    assert len(names) >= 8
    assert missing(names, DOCS["soak.md"]) == []


def test_every_variable_of_the_demo_is_documented() -> None:
    main = (ROOT / "demo" / "__main__.py").read_text("utf-8")
    names = set(re.findall(r'"(DEMO_[A-Z_]+_PORT|DEMO_FOLDER)"', main))
    assert missing(names, ALL) == []


def test_every_error_code_is_documented() -> None:
    codes = {
        node.value.value
        for module in modules()
        if module.name == "schema.errors"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Assign)
        and ast.unparse(node.targets[0]) == "code"
        and isinstance(node.value, ast.Constant)
    }
    assert missing(codes, DOCS["api.md"]) == []


@pytest.mark.parametrize(
    ("states", "page"), [(LaunchState, "api.md"), (FailureCode, "api.md"), (HarvestState, "operator.md")]
)
def test_every_state_and_failure_is_documented(states: Any, page: str) -> None:
    assert missing({state.value for state in states}, DOCS[page]) == []


def test_every_reason_why_something_is_not_on_offer_is_documented() -> None:
    assert missing(strings("Reason"), DOCS["api.md"]) == []


def test_every_reason_why_a_record_is_refused_is_documented() -> None:
    names = strings("reject", 3) | strings("_reject", 1)
    assert missing(names, DOCS["operator.md"]) == []


def test_every_reason_why_a_harvest_stops_is_documented() -> None:
    assert missing(strings("StopHarvest"), DOCS["operator.md"]) == []


def test_every_metric_is_documented() -> None:
    names = {
        name for kind in ("Counter", "Histogram", "Gauge") for name in strings(kind) if name.startswith("pangate_")
    }
    assert missing(names, DOCS["operator.md"]) == []


def test_every_limit_is_documented_with_its_number() -> None:
    table = dict(re.findall(r"^\| `(\w+)` \| ([\d,.]+)", DOCS["api.md"], re.MULTILINE))
    told = {name: float(number.replace(",", "")) for name, number in table.items() if name in Limits.__slots__}
    assert told == {name: float(getattr(Limits(), name)) for name in Limits.__slots__}


def test_every_route_is_documented() -> None:
    routes = {path for name in ("Route", "WebSocketRoute", "at") for path in strings(name) if path.startswith("/")}
    assert len(routes) > 15
    assert missing({re.sub(r":\w+\}", "}", path) for path in routes}, DOCS["api.md"]) == []


def models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """A model of the federation file and those it is made of."""
    yield model
    for field in model.model_fields.values():
        for inner in re.findall(r"[A-Z]\w+", str(field.annotation)):
            other = getattr(federation, inner, None)
            if isinstance(other, type) and issubclass(other, BaseModel):
                yield from models(other)


def test_every_key_of_the_federation_file_is_documented() -> None:
    keys = {
        field.alias or name for model in models(federation.Federation) for name, field in model.model_fields.items()
    }
    assert {"facilities", "allowPrivateAddress", "procedures", "from", "daily", "plugin"} <= keys
    assert missing(keys, DOCS["facility.md"]) == []


def test_every_kind_that_has_an_adapter_is_documented() -> None:
    assert missing(set(SOURCE_KINDS) | set(TRIGGER_KINDS), DOCS["facility.md"]) == []


def commands() -> dict[str, Any]:
    group: Any = typer.main.get_command(app)
    return dict(group.commands)


def test_every_command_and_option_is_documented() -> None:
    known = commands()
    for name, command in known.items():
        assert re.search(rf"`pangate {name}\b", DOCS["operator.md"]), f"pangate {name}"
        options = {option for each in command.params for option in each.opts if option.startswith("--")}
        assert [option for option in sorted(options) if option not in DOCS["operator.md"]] == [], name


def test_every_documented_command_exists() -> None:
    text = ALL + (ROOT / "README.md").read_text("utf-8")
    told = set(re.findall(r"(?:`|\$ |bin/)pangate ([a-z]+)\b", text))
    assert told <= set(commands()), told - set(commands())


def test_the_command_says_itself_what_the_documentation_says() -> None:
    command = [sys.executable, "-m", "pangate", "--help"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    told = set(re.findall(r"^\| `pangate ([a-z]+)", DOCS["operator.md"], re.MULTILINE))
    assert told == set(commands())
    assert [name for name in told if not re.search(rf"^\W*{name}\s", shown, re.MULTILINE)] == []


def test_every_query_and_mutation_is_documented() -> None:
    fields: set[str] = set()
    for type_ in ("Query", "Mutation", "Subscription"):
        body = re.search(rf"^type {type_} {{\n(.*?)^}}", sdl(), re.MULTILINE | re.DOTALL)
        assert body is not None
        plain = re.sub(r'""".*?"""', "", body[1], flags=re.DOTALL)
        plain = re.sub(r"\([^)]*\)", "", plain)
        fields |= set(re.findall(r"^  (\w+)", plain, re.MULTILINE))
    assert {"datasets", "analyse", "launch", "rejects"} <= fields
    assert missing(fields, DOCS["api.md"]) == []


def test_every_pytest_marker_is_documented() -> None:
    markers = set(re.findall(r'^    "(\w+): ', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE))
    assert missing(markers, DOCS["developer.md"]) == []


LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def anchors(text: str) -> set[str]:
    """The anchors that headings of a page make (as GitHub makes them)."""
    headings = re.findall(r"^#{1,6} (.+?)\s*$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    wrong = []
    for target in LINK.findall(re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)):
        if re.match(r"https?://|mailto:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        there = (page.parent / path).resolve() if path else page
        if not there.exists() or (anchor and there.suffix == ".md" and anchor not in anchors(there.read_text("utf-8"))):
            wrong.append(target)
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_named_as_code_exists(page: Path) -> None:
    named = re.findall(
        r"`((?:schema|catalogue|harvesters|triggers|gateway|pangate|demo|tests|docs)/[\w./-]*)`",
        page.read_text("utf-8"),
    )
    wrong = [name for name in named if not (ROOT / name).exists() and not (ROOT / f"{name}.py").exists()]
    assert wrong == []


def test_the_readme_is_short_enough_to_be_read() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 220


def test_panet_is_attributed() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert "PaNET" in text
    assert "creativecommons.org/licenses/by/4.0" in text
