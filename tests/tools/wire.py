"""A server of raw bytes on loopback, for what no server of a library would send."""

import socket
import threading
from collections.abc import Callable

Script = Callable[[socket.socket, int], None]


class Wire:
    """A server of raw bytes: each connection is answered by the script, which gets its number."""

    def __init__(self, script: Script) -> None:
        self.script, self.calls = script, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.calls += 1
            threading.Thread(target=self._answer, args=(connection, self.calls), daemon=True).start()

    def _answer(self, connection: socket.socket, number: int) -> None:
        with connection:
            connection.recv(65536)
            try:
                self.script(connection, number)
            except OSError:
                return


def answer(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
