"""The whole gateway over fakes and a real embedded index, with a visitor whom a test signs in by a cookie."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import msgspec
from fake_desk import NOW, FakeDesk, FakeSources
from graphql_world import FEDERATION, some_documents
from strategies import written

from catalogue.index.embedded import EmbeddedIndex
from catalogue.ports import Session
from catalogue.query import Found, Search, Suggestion
from gateway.app import Rooms, application
from gateway.cookies import jar
from gateway.provider import Client, Tokens
from gateway.vault import Vault, hashed
from schema.access import Viewer
from schema.federation import Federation
from schema.records import Document, Kind
from schema.techniques import default

SECRET = b"s" * 32


class IndexReader:
    """The gateway's port Reader over a plain index, called in place (tests are single-threaded)."""

    def __init__(self, index: EmbeddedIndex, head: int) -> None:
        self.index = index
        self.head = head
        self.searches: list[Search] = []
        self.loop: asyncio.AbstractEventLoop | None = None

    async def search(self, search: Search) -> Found:
        self.loop = asyncio.get_running_loop()
        self.searches.append(search)
        return self.index.search(search)

    async def get(self, kind: Kind, pid: str, viewer: Viewer) -> bytes | None:
        return self.index.get(kind, pid, viewer.groups)

    async def get_many(self, kind: Kind, pids: Sequence[str], viewer: Viewer) -> dict[str, bytes]:
        return self.index.get_many(kind, pids, viewer.groups)

    async def suggest(self, text: str, first: int) -> list[Suggestion]:
        return self.index.suggest(text, first)

    async def counts(self) -> dict[str, int]:
        return self.index.counts()

    async def public_head(self) -> int:
        return self.head


class FakeSessions:
    """Sign-in sessions in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[str, Session] = {}

    async def put(self, session: Session) -> None:
        self.kept[session.hash] = session

    async def get(self, hash: str) -> Session | None:
        return self.kept.get(hash)

    async def refresh_lock(self, hash: str) -> bool:
        return False

    async def remove(self, hash: str) -> None:
        self.kept.pop(hash, None)

    async def put_state(self, state: str, data: bytes, expires: datetime) -> None:
        raise AssertionError("nobody signs in through the provider here")

    async def take_state(self, state: str) -> bytes | None:
        return None


class FakeHealth:
    """All is well."""

    async def ready(self) -> dict[str, str]:
        return {"index": "ok", "records": "ok"}


@dataclass
class World:
    """The gateway as it is put together, in a folder."""

    folder: Path
    documents: list[Document] = field(default_factory=some_documents)
    federation: Federation = FEDERATION
    url: str = "http://127.0.0.1:8080"
    now: datetime = NOW

    def __post_init__(self) -> None:
        self.vocabulary = default()
        self.index = EmbeddedIndex(self.folder, techniques=self.vocabulary)
        rebuilt = self.index.rebuild()
        rebuilt.apply([written(each) for each in self.documents], max(each.version for each in self.documents))
        rebuilt.swap()
        self.reader = IndexReader(self.index, len(self.documents))
        self.desk = FakeDesk()
        self.desk.known = {each.record.pid for each in self.documents}
        self.sources = FakeSources()
        self.sessions = FakeSessions()
        rooms = Rooms(
            url=self.url,
            secret=SECRET,
            reader=self.reader,
            sources=self.sources,
            launches=self.desk,
            sessions=self.sessions,
            health=FakeHealth(),
            federation=self.federation,
            vocabulary=self.vocabulary,
            clock=lambda: self.now,
            issuer=Client("https://id.example.org", "pangate", "secret", f"{self.url}/login/callback"),
            rated=False,
        )
        self.app = application(rooms)
        self._vault = Vault(SECRET)

    def client(self, viewer: Viewer | None = None, **headers: str) -> httpx.AsyncClient:
        """A browser; signed in if a viewer is given."""
        cookies = {jar(self.url).session: self.sign_in(viewer)} if viewer else {}
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app),
            base_url=self.url,
            cookies=cookies,
            headers={"accept": "text/html,*/*;q=0.5", **headers},
        )

    def sign_in(self, viewer: Viewer) -> str:
        """A session of that viewer (one each); the cookie's value."""
        id = f"cookie-of-{viewer.subject}"
        if hashed(id) not in self.sessions.kept:
            tokens = self._vault.seal(msgspec.json.encode(Tokens("access", None, "id", 0.0)), hashed(id))
            life = self.now + timedelta(hours=8)
            self.sessions.kept[hashed(id)] = Session(hashed(id), viewer, secrets.token_hex(8), tokens, life, self.now)
        return id

    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop that serves, once it has answered a search."""
        assert self.reader.loop is not None
        return self.reader.loop

    def csrf(self, viewer: Viewer) -> str:
        """The form token of that viewer's session."""
        return next(each.csrf for each in self.sessions.kept.values() if each.viewer == viewer)

    async def get(self, path: str, viewer: Viewer | None = None, **headers: str) -> httpx.Response:
        """An answer."""
        async with self.client(viewer, **headers) as client:
            return await client.get(path)

    async def post(self, path: str, viewer: Viewer | None = None, **fields: Any) -> httpx.Response:
        """The answer to a form; with the visitor's token unless another is given."""
        async with self.client(viewer) as client:
            token: dict[str, str] = {"csrf": self.csrf(viewer)} if viewer else {}
            return await client.post(path, data={**token, **fields})
