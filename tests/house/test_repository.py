"""What must not be in the repository: paths of a machine, hosts of a registry, real people's addresses, large or generated files."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from house.houses import ROOT, tracked

LARGEST = 1_000_000
BINARY = {".png", ".ico", ".woff2", ".jpg", ".gz"}

MACHINE = re.compile(
    r"(?<![\w./~-])/(?:root|home/(?!\{|<|jovyan)\w+|Users/\w+|work/\w+|opt/wheels)(?=[/\s'\"`)]|$)|C:\\\\Users"
)
REGISTRY = re.compile(
    r"https?://(?:pypi\.org/simple|files\.pythonhosted\.org|test\.pypi\.org|registry\.npmjs\.org|repo1?\.maven\.org"
    r"|deb\.debian\.org|proxy\.golang\.org|[\w.-]*(?:artifactory|devpi)[\w.-]*|nexus\.)|--(?:extra-)?index-url|--find-links",
    re.IGNORECASE,
)
MAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@([\w-]+(?:\.[\w-]+)*\.[a-z]{2,})(?![\w(])", re.IGNORECASE)
NOBODYS = re.compile(
    r"(?:^|\.)(?:example(?:\.(?:org|com|net|eu))?|test|invalid|localhost|local|(?:\w|ex)\.org)$", re.IGNORECASE
)
"""Domains that RFC 2606 and RFC 6762 keep for nobody, and those that no person can have (one letter)."""


def texts() -> list[tuple[Path, str]]:
    """Every tracked text file but this one."""
    kept = (path for path in tracked() if path.suffix not in BINARY and path != Path(__file__))
    return [(path.relative_to(ROOT), path.read_text("utf-8")) for path in kept]


def hits(pattern: re.Pattern[str], *, but: tuple[str, ...] = ()) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()[:120]}"
        for path, text in texts()
        if path.name not in but
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_file_names_a_path_of_a_machine() -> None:
    assert hits(MACHINE) == []


def test_no_file_names_the_host_of_a_registry() -> None:
    assert hits(REGISTRY, but=("Makefile",)) == []
    make = (ROOT / "Makefile").read_text("utf-8")
    assert not re.search(r"https?://", make)


def test_no_file_holds_the_address_of_a_real_person() -> None:
    wrong = [
        f"{path}: {found[0]}"
        for path, text in texts()
        for found in MAIL.finditer(text)
        if NOBODYS.search(found[1]) is None
    ]
    assert wrong == []


def test_every_file_is_small_text_with_a_last_line_break() -> None:
    large = [path for path in tracked() if path.stat().st_size > LARGEST]
    assert large == []
    ragged = [path for path, text in texts() if text and not text.endswith("\n")]
    assert ragged == []
    assert [path for path, text in texts() if "\r" in text and path.suffix in (".py", ".md", ".yaml", ".toml")] == []


def test_nothing_generated_is_tracked() -> None:
    generated = re.compile(r"(^|/)(__pycache__|\.venv|\.demo|var|node_modules|\.mypy_cache)(/|$)|\.(pyc|sqlite|log)$")
    assert [path for path in tracked() if generated.search(str(path.relative_to(ROOT)))] == []


@pytest.mark.parametrize(
    "name", ["README.md", "CHANGELOG.md", "DECISIONS.md", "Makefile", ".ci/run", "federation.yaml"]
)
def test_what_a_newcomer_looks_for_is_there(name: str) -> None:
    assert (ROOT / name).is_file()
