"""What the image holds, as the Dockerfile copies and sets it, serves as its container would: nothing on the disk can be written but two
folders in memory, no capability of the kernel is left, and nothing else of the checkout is there. No engine for containers is needed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from parted_house import Program
from servers.daemon import free_port
from small_federation import SECRETS, SmallFederation, small_federation
from waiting import until

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")
CONTAINER = """
set -eu
for place in $(awk '{print $2}' /proc/self/mounts); do
    case $place in /proc*|/sys*|/dev*) ;; *) mount -o remount,bind,ro "$place" 2>/dev/null || true ;; esac
done
mount -t tmpfs tmpfs "$PANGATE_DATA"
mount -t tmpfs tmpfs "$TMPDIR"
if touch "$PYTHONPATH/written" 2>/dev/null; then echo "the disk can be written"; exit 97; fi
exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "$0" -m pangate serve
"""
"""In a mount namespace of its own: `read_only`, `tmpfs`, `cap_drop` and `no-new-privileges` of docker-compose.yml."""


def environment() -> dict[str, str]:
    """What the Dockerfile sets, but the path of the programs."""
    (block,) = re.findall(r"^ENV ((?:.*\\\n)*.*)$", DOCKERFILE, re.MULTILINE)
    told = dict(each.split("=", 1) for each in block.replace("\\\n", " ").split())
    return {name: value for name, value in told.items() if name != "PATH"}


@pytest.fixture
def world() -> Iterator[SmallFederation]:
    with small_federation(20, real_time=True) as federation:
        yield federation


def test_the_rooms_of_the_image_serve_from_a_disk_that_cannot_be_written(
    tmp_path: Path, world: SmallFederation
) -> None:
    if not _parted():
        pytest.skip("no mount namespace can be made here (it takes root, and unshare and setpriv of util-linux)")
    rooms, port = tmp_path / "rooms", free_port()
    for room in re.findall(r"^COPY (\w+) \./\1$", DOCKERFILE, re.MULTILINE):
        shutil.copytree(ROOT / room, rooms / room, ignore=shutil.ignore_patterns("__pycache__"))
    here = {"PYTHONPATH": str(rooms), "PANGATE_DATA": str(tmp_path / "data"), "TMPDIR": str(tmp_path / "tmp")}
    for folder in (here["PANGATE_DATA"], here["TMPDIR"]):
        Path(folder).mkdir()
    own = {"PANGATE_HOST": "127.0.0.1", "PANGATE_PORT": str(port), "PANGATE_FEDERATION": str(world.file(tmp_path))}
    log = tmp_path / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", CONTAINER, sys.executable],
            cwd=rooms,
            env={"PATH": os.environ["PATH"], "NO_PROXY": "127.0.0.1", **environment(), **here, **own, **SECRETS},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    program = Program("image", process, log, port)
    try:
        until(lambda: process.poll() is not None or (_found(port) > 10 and _ready(port)), 120, program.said)
        front = requests.get(f"http://127.0.0.1:{port}/", timeout=60).text
        (style,) = set(re.findall(r'"(/static/[^"]+\.css)"', front))
        for page in (style, "/search?q=neutron", "/dcat.ttl", "/schema.graphql", "/readyz"):
            until(lambda: _status(port, page) == 200, 60, lambda: page)  # noqa: B023 (called within the turn)
        status = Path(f"/proc/{process.pid}/status").read_text()
        assert set(re.findall(r"Cap(?:Inh|Prm|Eff|Bnd):\s*(\w+)", status)) == {"0" * 16}
        assert program.end(signal.SIGTERM) == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(60)
    assert "Traceback" not in program.said()
    assert "Read-only" not in program.said()
    assert not list(rooms.rglob("*.pyc"))


def _found(port: int) -> int:
    """How many datasets are found: harvested, projected, searched."""
    question = {"query": "{ datasets(first: 1) { totalCount } }"}
    try:
        answer = requests.post(f"http://127.0.0.1:{port}/graphql", json=question, timeout=30).json()
    except requests.RequestException:
        return 0
    return int(answer["data"]["datasets"]["totalCount"]) if "errors" not in answer else 0


def _status(port: int, page: str) -> int:
    return requests.get(f"http://127.0.0.1:{port}{page}", timeout=60).status_code


def _ready(port: int) -> bool:
    """Whether everything is well: once both facilities are harvested the index has it all."""
    return _status(port, "/readyz") == 200


def _parted() -> bool:
    if not (shutil.which("unshare") and shutil.which("setpriv") and shutil.which("mount")):
        return False
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0
