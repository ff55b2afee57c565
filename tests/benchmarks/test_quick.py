"""This file is that every measurement runs to its end, in its smallest size; how fast is nobody's test."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from servers.elasticsearch import SOON, memory

ROOT = Path(__file__).resolve().parent.parent.parent
NAMES = [
    "index result to response bytes",
    "search through HTTP and GraphQL",
    "RssAnon of `pangate serve`",
    "a selective search (at most 1,000 hits) grows",
    "a suggestion through HTTP and GraphQL",
    "4 shards: one node alone",
    "one gateway process, up to 16 searches at once",
    "datasets streamed as Turtle",
    "memory that streaming adds",
    "projection into Elasticsearch",
    "SciCat harvest, wall time",
    "pipeline alone",
    "incremental harvest",
    "ICAT harvest, wall time",
]


@pytest.mark.timeout(600)
def test_every_measurement_runs_to_its_end():
    command = [sys.executable, "-m", "benchmarks", "--quick"]
    told = os.environ | {"PANGATE_BENCH_JAVA": SOON}
    if folder := memory():
        told["TMPDIR"] = str(folder)
    done = subprocess.run(command, cwd=ROOT, env=told, capture_output=True, text=True, timeout=580, check=False)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("cores=")
    assert [name for name in NAMES if not any(name in line for line in lines[1:])] == []
    assert all(line.startswith(("met ", "MISSED ")) for line in lines[1:])
