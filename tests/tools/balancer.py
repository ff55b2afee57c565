"""A proxy before several gateways: this file forwards each connection to the next of them that accepts it."""

from __future__ import annotations

import itertools
import socket
import socketserver
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class Balancer(socketserver.ThreadingTCPServer):
    """Round robin over loopback ports, without reading what passes."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, ports: Sequence[int]) -> None:
        super().__init__(("127.0.0.1", port), _Pair)
        self._turn = itertools.cycle(ports)
        self._count = len(ports)
        self.given: dict[int, int] = dict.fromkeys(ports, 0)

    def reach(self) -> socket.socket | None:
        """A connection to the next gateway that is there."""
        for _ in range(self._count):
            port = next(self._turn)
            try:
                found = socket.create_connection(("127.0.0.1", port), timeout=5)
            except OSError:
                continue
            self.given[port] += 1
            found.settimeout(None)
            return found
        return None


class _Pair(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Balancer)
        there = self.server.reach()
        if there is None:
            return
        with there:
            back = threading.Thread(target=_pour, args=(there, self.request), daemon=True)
            back.start()
            _pour(self.request, there)
            back.join()


def _pour(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        for each in (source, sink):
            each.close()


@contextmanager
def balanced(port: int, ports: Sequence[int]) -> Iterator[Balancer]:
    """A balancer for as long as the context lasts."""
    with Balancer(port, ports) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
