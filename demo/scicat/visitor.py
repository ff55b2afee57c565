"""A caller of a served Store, for tests: filters as keywords, tokens as arguments."""

import json
from typing import Any

import httpx

from demo.scicat.store import Store


class Served:
    """A store being served, with calls to it."""

    def __init__(self, store: Store, base: str) -> None:
        """`base` as `serve` gives it; `http` is the client, `modern` whether it is 5.x."""
        self.store = store
        self.base = base
        self.http = httpx.Client(base_url=base, verify=False)  # noqa: S501 - plain http on the loopback; spares loading the certificates
        self.modern = store.release.modern

    def get(
        self, path: str, token: str | None = None, headers: dict[str, str] | None = None, **query: Any
    ) -> httpx.Response:
        """GET a path; `query` values that are not texts are sent as JSON."""
        sent = {name: value if isinstance(value, str) else json.dumps(value) for name, value in query.items()}
        auth = {"authorization": f"Bearer {token}"} if token else {}
        return self.http.get(path, params=sent or None, headers={**auth, **(headers or {})})

    def page(self, token: str | None = None, **filter_: Any) -> httpx.Response:
        """GET the v3 dataset list with the keywords as filter."""
        return self.get("/api/v3/datasets", token, filter=filter_)

    def pids(self, token: str | None = None, **filter_: Any) -> list[str]:
        """The pids of that list, which must be 200."""
        reply = self.page(token, **filter_)
        assert reply.status_code == 200, reply.text
        return [doc["pid"] for doc in reply.json()]
