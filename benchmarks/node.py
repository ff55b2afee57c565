"""This file is a real Elasticsearch node to measure on: the one that PANGATE_BENCH_ELASTICSEARCH names, or one that is started here."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ADDRESS = "PANGATE_BENCH_ELASTICSEARCH"
JAVA = "PANGATE_BENCH_JAVA"
"""Further options of the node's Java: a test that wants no figures has it compile simply."""
_TESTS = Path(__file__).resolve().parent.parent / "tests"


class Absent(RuntimeError):
    """No node can be had here; the message says what is missing."""


@dataclass(frozen=True)
class Node:
    """A node: its address, its process (None when it runs elsewhere), the most its heap may hold."""

    url: str
    pid: int | None
    heap: str


@contextmanager
def node(keep: Path | None = None, heap: str = "1g") -> Iterator[Node]:
    """A node of its own whose data stay in `keep` if that is given. Raises Absent."""
    named = os.environ.get(ADDRESS)
    if named:
        yield Node(named, None, "?")
        return
    tests = servers("elasticsearch")
    server = tests.Elasticsearch(heap=f"-Xms{heap} -Xmx{heap} {os.environ.get(JAVA, '')}", keep=keep)
    try:
        server.start()
        yield Node(server.url, _engine(server.url), heap)
    except tests.Missing as error:
        raise Absent(str(error)) from error
    finally:
        server.close()


def servers(name: str) -> Any:
    """What starts a server of the tests; the folder stands last, so that it hides nothing."""
    if str(_TESTS) not in sys.path:
        sys.path.append(str(_TESTS))
    return importlib.import_module(f"servers.{name}")


def _engine(url: str) -> int | None:
    """The process of the server itself: Java's, not its launcher's."""
    with httpx.Client(base_url=url, timeout=10) as client:
        client.get("/_cluster/health?wait_for_status=yellow&timeout=60s", timeout=90)  # what it kept is found again
        (told,) = client.get("/_nodes/process").json()["nodes"].values()
    return int(told["process"]["id"])
