"""This file is how tests leave nothing behind in the one Elasticsearch node they share."""

from __future__ import annotations

from uuid import uuid4

import httpx
from servers.elasticsearch import Elasticsearch


def made_name() -> str:
    """A beginning for the names of a test's indexes that no other test has."""
    return f"t{uuid4().hex[:12]}"


def wipe(node: Elasticsearch, stem: str) -> None:
    """Delete the indexes and templates whose names begin so."""
    with httpx.Client(base_url=node.url, timeout=60) as server:
        names = list(server.get(f"/{stem}*?filter_path=*.settings.index.uuid").json())
        for start in range(0, len(names), 20):
            server.delete(f"/{','.join(names[start : start + 20])}?ignore_unavailable=true").raise_for_status()
        server.delete(f"/_index_template/{stem}*")
