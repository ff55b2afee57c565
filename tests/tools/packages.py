"""Packages of npm that tests need, installed once outside what is committed."""

import shutil
import subprocess
from pathlib import Path

import pytest

CACHE = Path(__file__).resolve().parents[2] / ".cache"


def npm_packages(folder: str, *packages: str) -> Path:
    """The folder of the cache that has them; skips where node, npm or a registry is missing."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not here")
    home = CACHE / folder
    done = home / f"done-{'-'.join(packages)}".replace("/", "_").replace("@", "_")
    if not done.is_file():
        home.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(home), *packages]
        if subprocess.run(command, capture_output=True, timeout=240, check=False).returncode:
            pytest.skip("the npm packages could not be installed")
        done.touch()
    return home
