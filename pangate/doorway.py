"""This file is how long a request may take to arrive: uvicorn's HTTP/1.1 with a clock for its head and for its body.

uvicorn itself waits for both without end, so whoever drips would hold a connection for as long as he likes. Numbers: reference on
reliability, section 8 (HTTP server).
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_S, BODY_S = 5.0, 10.0


class Doorway(H11Protocol):
    """One connection. A head is late when it is not whole so long after its first byte (the first one: after the connection), a body
    so long after its head; between two requests uvicorn's own time for keeping alive counts."""

    _clock: asyncio.TimerHandle | None = None
    _awaited: str | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """As asyncio.Protocol."""
        super().connection_made(transport)
        self._await("head")

    def data_received(self, data: bytes) -> None:
        """As asyncio.Protocol."""
        super().data_received(data)
        state = self.conn.their_state
        if state is h11.SEND_BODY:
            self._await("body")
        else:
            self._await("head" if state is h11.IDLE and self.conn.trailing_data[0] else None)

    def connection_lost(self, exc: Exception | None) -> None:
        """As asyncio.Protocol."""
        self._await(None)
        super().connection_lost(exc)

    def _await(self, part: str | None) -> None:
        """Start the clock of a part that was not awaited before; None: nothing is."""
        if part == self._awaited:
            return
        if self._clock is not None:
            self._clock.cancel()
        self._awaited = part
        late: Any = self._late
        self._clock = self.loop.call_later(HEAD_S if part == "head" else BODY_S, late) if part else None

    def _late(self) -> None:
        """Tell it where nothing else is being said (RFC 9110, 15.5.9), and hang up."""
        if self.conn.our_state is h11.IDLE and not self.transport.is_closing():
            headers = [("Content-Length", "0"), ("Connection", "close")]
            for event in (
                h11.Response(status_code=408, headers=headers, reason=b"Request Timeout"),
                h11.EndOfMessage(),
            ):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
