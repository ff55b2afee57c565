"""This file is the reference clients and the reference audit (npm graphql-http, graphql-sse, graphql-ws) against a real server."""

import asyncio
import json
import shutil
import socket
import subprocess
from collections import Counter
from pathlib import Path

import pytest
import uvicorn
from graphql_world import ALICE, World

from gateway.graphql import ids
from gateway.ports import Wish
from schema.activities import LaunchState

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "tests" / "tools" / "reference_clients.mjs"
CACHE = ROOT / ".cache" / "npm-graphql"
PACKAGES = ("graphql@16.11.0", "graphql-http@1.23.1", "graphql-sse@2.6.1", "graphql-ws@6.4.2", "ws@8.18.3")
LIFE = ["REQUESTED", "CHECKED", "STARTING", "READY", "STOPPING", "STOPPED"]


@pytest.fixture(scope="module")
def script() -> Path:
    """The script beside the packages it needs, installed once outside what is committed."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not here")
    if not (CACHE / "done").is_file():
        CACHE.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(CACHE), *PACKAGES]
        installed = subprocess.run(command, capture_output=True, timeout=100, check=False)
        if installed.returncode:
            pytest.skip("the npm packages could not be installed")
        (CACHE / "done").touch()
    target = CACHE / SCRIPT.name
    target.write_bytes(SCRIPT.read_bytes())
    return target


@pytest.fixture(scope="module")
def told(script: Path) -> dict:
    """What the reference clients saw."""
    return asyncio.run(_told(script))


async def _told(script: Path) -> dict:
    world = World(viewer=ALICE)
    launch, _ = await world.desk.analyse(Wish("10.5442/nd000001"), ALICE)
    for state in LIFE[1:]:
        world.desk.tell(launch.id, LaunchState(state), state)
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(world.app, log_level="warning"))
    serving = asyncio.create_task(server.serve([listening]))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    node = await asyncio.create_subprocess_exec(
        "node", str(script), address, ids.encode("Launch", launch.id), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = await asyncio.wait_for(node.communicate(), 240)
    server.should_exit = True
    await serving
    assert node.returncode == 0, err.decode()
    return json.loads(out)


def test_the_audit_of_graphql_over_http_finds_nothing(told):
    assert [each for each in told["audits"] if each["status"] != "ok"] == []
    kinds = Counter(each["name"].split()[0] for each in told["audits"])
    assert kinds == {"MUST": 13, "SHOULD": 23, "MAY": 25}


@pytest.mark.parametrize("transport", ["sse", "ws"])
def test_the_reference_client_sees_every_event_and_goes_on_after_one(told, transport):
    seen = told[transport]
    assert [state for state, _ in seen["whole"]] == LIFE
    assert seen["after"] == seen["whole"][3:]
    assert seen["end"] == []
