"""This file is the Relay cursor connections specification: the reference lint (npm @graphql-eslint) over the schema's text."""

import json
import re
import subprocess
from pathlib import Path

import pytest
from packages import npm_packages

from gateway.graphql.api import sdl

CONFIG = Path(__file__).resolve().parents[1] / "tools" / "relay_lint.mjs"
PACKAGES = ("eslint@9.39.5", "@graphql-eslint/eslint-plugin@4.4.1", "graphql@16.11.0")


@pytest.fixture(scope="module")
def home() -> Path:
    home = npm_packages("npm-relay", *PACKAGES)
    (home / "eslint.config.mjs").write_bytes(CONFIG.read_bytes())
    return home


def complaints(home: Path, schema: str) -> list[tuple[str, str]]:
    """Rule and message of everything the lint has to say."""
    (home / "schema.graphql").write_text(schema)
    command = [str(home / "node_modules/.bin/eslint"), "--format", "json", "schema.graphql"]
    ran = subprocess.run(command, cwd=home, capture_output=True, timeout=60, check=False)
    (file,) = json.loads(ran.stdout or b"null") or pytest.fail(ran.stderr.decode())
    return [(each["ruleId"] or "", each["message"]) for each in file["messages"]]


def test_the_lint_of_relay_finds_nothing(home: Path) -> None:
    assert complaints(home, sdl()) == []


def test_the_lint_sees_each_thing_that_is_broken(home: Path) -> None:
    broken = sdl()
    for pattern, instead in (
        (r"(type PageInfo \{[^}]*hasNextPage: Boolean)!", r"\1"),
        (r"(type DatasetEdge \{[^}]*)cursor: String!", r"\1place: String!"),
        (r"(type DatasetConnection \{[^}]*)pageInfo: PageInfo!", r"\1page: Int"),
        (r"(\s+launches\([^)]*first: )Int", r"\1String"),
    ):
        broken, count = re.subn(pattern, instead, broken, count=1)
        assert count == 1, pattern
    told = {rule for rule, _ in complaints(home, broken)}
    assert told == {
        f"@graphql-eslint/relay-{each}" for each in ("page-info", "edge-types", "connection-types", "arguments")
    }
