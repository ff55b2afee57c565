"""Stands before a real Elasticsearch node as the network and a burdened cluster do: this file passes requests on, or keeps them waiting,
or answers 429 and 503 with Retry-After, or 429 for items inside a bulk, in the shapes of Elasticsearch 8.19 (its documentation of the
bulk API and of `es_rejected_execution_exception`; what passes is the node's own).
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

PASS, HANG, BUSY, AWAY, ITEMS, CUT = "pass", "hang", "429", "503", "items", "cut"
REFUSED = {"type": "es_rejected_execution_exception", "reason": "rejected execution (queue capacity 200)"}
_STATUS = {BUSY: "429 Too Many Requests", AWAY: "503 Service Unavailable"}
Rule = Callable[["Asked"], str]


@dataclass(frozen=True)
class Asked:
    """One request: `target` is its path with the parameters."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


def passes(_asked: Asked) -> str:
    """Everything goes through."""
    return PASS


@dataclass
class Tollgate:
    """One address. `rule` says what becomes of a request; `met` counts it. `hanging` are under way and will not be answered, `left`
    those of them whose asker went away."""

    node: str
    rule: Rule = passes
    port: int = 0
    met: dict[str, int] = field(default_factory=dict)
    hanging: int = 0
    left: int = 0
    seen: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        try:
            while (asked := await _read(reader)) is not None:
                what = self.rule(asked)
                self.met[what] = self.met.get(what, 0) + 1
                self.seen.append(f"{what} {asked.method} {asked.target.partition('?')[0]}")
                if what == HANG:
                    await self._hang(reader)
                    break
                if what == CUT:
                    await self._passed(asked)
                    break
                writer.write(await self._answer(what, asked))
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _hang(self, reader: asyncio.StreamReader) -> None:
        self.hanging += 1
        try:
            await reader.read(1)  # nothing comes until the asker goes
            self.left += 1
        finally:
            self.hanging -= 1

    async def _answer(self, what: str, asked: Asked) -> bytes:
        if what in _STATUS:
            error = {"root_cause": [REFUSED], **REFUSED}
            body = json.dumps({"error": error, "status": int(what)}).encode()
            return _told(_STATUS[what], body, "Retry-After: 1\r\n")
        if what == ITEMS:
            return await self._some_items(asked)
        return await self._passed(asked)

    async def _some_items(self, asked: Asked) -> bytes:
        """Every second item of a bulk is refused, the others are the node's."""
        lines = asked.body.splitlines(keepends=True)
        pairs = [b"".join(lines[at : at + 2]) for at in range(0, len(lines), 2)]
        body = b"".join(pairs[::2])
        answer = await self._passed(Asked(asked.method, asked.target, asked.headers, body))
        head, _, told = answer.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            return answer
        results = iter(json.loads(told)["items"])
        refused = {"index": {"status": 429, "error": REFUSED}}
        items = [next(results) if at % 2 == 0 else refused for at in range(len(pairs))]
        return _told("200 OK", json.dumps({"errors": True, "items": items}).encode())

    async def _passed(self, asked: Asked) -> bytes:
        """The node's own answer."""
        place = urlsplit(self.node)
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        try:
            kept = {**asked.headers, "content-length": str(len(asked.body)), "connection": "close"}
            kept.pop("transfer-encoding", None)
            head = "".join(f"{name}: {value}\r\n" for name, value in kept.items())
            writer.write(f"{asked.method} {asked.target} HTTP/1.1\r\n{head}\r\n".encode() + asked.body)
            await writer.drain()
            answer = await reader.read(-1)
        finally:
            writer.close()
        if not answer:
            raise ConnectionResetError
        return answer.replace(b"connection: close\r\n", b"", 1)


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Asked(method, target, headers, body)


def _told(status: str, body: bytes, more: str = "") -> bytes:
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\nX-elastic-product: Elasticsearch\r\n{more}"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


@contextmanager
def tollgate(node: str, rule: Rule = passes) -> Iterator[Tollgate]:
    """An address before that node while it lasts."""
    gate, ready, loop = Tollgate(node, rule), threading.Event(), asyncio.new_event_loop()
    stop: list[Any] = []

    async def main() -> None:
        server = await asyncio.start_server(gate.serve, "127.0.0.1", 0, backlog=1024)
        gate.port = server.sockets[0].getsockname()[1]
        ended = asyncio.Event()
        stop.append(ended)
        ready.set()
        await ended.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()), daemon=True)
    thread.start()
    ready.wait(120)
    try:
        yield gate
    finally:
        loop.call_soon_threadsafe(stop[0].set)
        thread.join(120)
        loop.close()


def searches(asked: Asked) -> bool:
    """Whether it is a search."""
    return "/_search" in asked.target


def bulks(asked: Asked) -> bool:
    """Whether it writes many."""
    return "/_bulk" in asked.target
