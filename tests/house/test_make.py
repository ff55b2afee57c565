"""The commands of the house: make explains itself and has the targets outsiders rely on; files that start pangate tell the truth."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from house.houses import ROOT

TARGETS = ("run", "test", "install", "check", "fix", "bench", "soak")
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")


def make(*arguments: str, folder: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    command = ["make", *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(autouse=True)
def _needs_make() -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")


def test_make_alone_explains_every_target() -> None:
    told = make()
    assert told.returncode == 0, told.stderr
    shown = dict(re.findall(r"^  make (\w+):?\s+(.+)$", told.stdout, re.MULTILINE))
    assert set(TARGETS) <= set(shown)
    rules = set(re.findall(r"^([a-z]+):", MAKEFILE, re.MULTILINE))
    assert set(shown) == rules
    assert all(len(words) > 10 for words in shown.values())


def test_what_starts_or_measures_sets_itself_up_first() -> None:
    needs = dict(re.findall(r"^([a-z]+): (\$\(\w+\))", MAKEFILE, re.MULTILINE))
    assert {name: needs.get(name) for name in ("run", "install")} == dict.fromkeys(("run", "install"), "$(INSTALLED)")
    tested = ("test", "check", "fix", "bench", "soak")
    assert {name: needs.get(name) for name in tested} == dict.fromkeys(tested, "$(TESTABLE)")


def test_an_old_or_missing_python_is_refused_in_a_sentence(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    for lock in ("requirements.lock", "requirements-test.lock"):
        shutil.copy(ROOT / lock, tmp_path)
    told = make("install", f"PYTHON={shutil.which('false')}", folder=tmp_path)
    assert told.returncode != 0
    assert "Python 3.11 or newer is needed" in told.stderr
    assert not (tmp_path / ".venv").exists()


def test_installing_is_by_hash_and_bound_to_the_lock(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    for lock in ("requirements.lock", "requirements-test.lock"):
        shutil.copy(ROOT / lock, tmp_path)
    before = make("-n", "install", folder=tmp_path).stdout
    assert "--require-hashes -r requirements.lock" in before
    (stamp,) = re.findall(r"touch (\.venv/\.installed-\d+)", before)
    (tmp_path / "requirements.lock").write_text("changed\n")
    assert stamp not in make("-n", "install", folder=tmp_path).stdout


def test_what_ci_runs_is_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & stat.S_IXUSR
    text = script.read_text("utf-8")
    assert text.startswith("#!/usr/bin/env bash\n")
    assert "\nset -eu\n" in text
    assert text.rstrip().endswith("exec make test </dev/null")
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0
