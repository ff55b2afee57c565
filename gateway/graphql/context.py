"""This file is what a request knows: who asks, what is read, and what was already looked up for it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, cast

from gateway.limits import Limits
from gateway.ports import Launches, Reader, Sources
from schema.access import Viewer
from schema.federation import Federation
from schema.techniques import Vocabulary

__all__ = ["Context", "Memo", "Settings", "Vocabulary"]  # all that whoever makes a context needs

T = TypeVar("T")
_LIMITS = Limits()


@dataclass(frozen=True)
class Settings:
    """What the roof decides. `url` is the public address without a slash at its end; `cursor_key` signs cursors (≥ 32 bytes)."""

    url: str
    cursor_key: bytes


class Memo:
    """What was looked up once for this request, so that a page of datasets asks for counts or states once."""

    def __init__(self) -> None:
        self._known: dict[object, asyncio.Future[Any]] = {}

    async def get(self, key: object, make: Callable[[], Awaitable[T]]) -> T:
        """The value of `key`, made by the first who asks."""
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = asyncio.ensure_future(make())
        return cast(T, await asyncio.shield(known))


@dataclass(frozen=True)
class Context:
    """Everything a resolver may use. `client` is whom the rate is counted for: the principal, else the address.

    `cookie_session` says that a cookie made the viewer: then forged requests are a danger.
    """

    viewer: Viewer
    reader: Reader
    sources: Sources
    launches: Launches
    federation: Federation
    vocabulary: Vocabulary
    settings: Settings
    clock: Callable[[], datetime]
    client: str = ""
    correlation_id: str = ""
    cookie_session: bool = False
    limits: Limits = _LIMITS
    memo: Memo = field(default_factory=Memo)

    @property
    def operator(self) -> bool:
        """Whether the viewer may see rejects and harvest now."""
        return "operator" in self.viewer.roles
