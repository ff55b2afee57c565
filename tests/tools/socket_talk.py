"""A client of a web socket that speaks to an ASGI application in this process, message by message."""

import asyncio
import json
from typing import Any


class Talk:
    """One connection to /graphql."""

    def __init__(self, app: Any, subprotocols: list[str] | None = None, headers: dict[str, str] | None = None) -> None:
        named = {"host": "pangate.example.org", **(headers or {})}
        self._scope = {
            "type": "websocket",
            "path": "/graphql",
            "raw_path": b"/graphql",
            "query_string": b"",
            "root_path": "",
            "scheme": "ws",
            "headers": [(key.encode(), value.encode()) for key, value in named.items()],
            "client": ("127.0.0.1", 1),
            "server": ("pangate.example.org", 80),
            "subprotocols": ["graphql-transport-ws"] if subprotocols is None else subprotocols,
        }
        self._app = app
        self._in: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._out: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def __aenter__(self) -> "Talk":
        self._in.put_nowait({"type": "websocket.connect"})
        self._task = asyncio.create_task(self._app(self._scope, self._in.get, self._out.put))
        assert (await self._message())["type"] == "websocket.accept"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._in.put_nowait({"type": "websocket.disconnect", "code": 1000})
        await asyncio.wait_for(self._task, 60)

    async def begin(self) -> None:
        """Initialise the connection."""
        await self.send(type="connection_init")
        assert await self.receive() == {"type": "connection_ack"}

    async def send(self, **message: Any) -> None:
        await self.raw(json.dumps(message))

    async def raw(self, message: str | bytes) -> None:
        kind = "text" if isinstance(message, str) else "bytes"
        self._in.put_nowait({"type": "websocket.receive", kind: message})

    async def receive(self) -> Any:
        """The next message. Fails when the socket is closed instead."""
        message = await self._message()
        assert message["type"] == "websocket.send", message
        return json.loads(message["text"])

    async def closed(self) -> int:
        """The code the socket is closed with, whatever is sent before."""
        while True:
            message = await self._message()
            if message["type"] == "websocket.close":
                return int(message["code"])

    async def _message(self) -> dict[str, Any]:
        return await asyncio.wait_for(self._out.get(), 60)
