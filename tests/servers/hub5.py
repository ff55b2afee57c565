"""JupyterHub 5.5.4 in an environment of its own, since one environment holds one hub: made once, from tests/servers/hub5.lock, into the
cache folder PANGATE_TEST_CACHE (see tests/servers/elasticsearch.py)."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from servers.elasticsearch import cache

LOCK = Path(__file__).with_name("hub5.lock")


def python() -> str:
    """The interpreter of that environment; skips, saying why, where it cannot be made."""
    name = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    folder = cache() / f"hub5-{name}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"hub5-{name}.lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            _make(folder)
    return str(folder / "bin" / "python")


def _make(folder: Path) -> None:
    install = [
        str(folder / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "-q",
        "--no-input",
        "--require-hashes",
        "-r",
        str(LOCK),
    ]
    for command in ([sys.executable, "-m", "venv", "--clear", str(folder)], install):
        made = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        if made.returncode != 0:
            pytest.skip(f"JupyterHub 5.5.4 cannot be installed here: {made.stderr.strip().splitlines()[-1:]}")
    (folder / "made").touch()
