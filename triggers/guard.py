"""This file is the guarded connection: a platform's name is resolved, judged, and the judged address is the one connected to."""

from __future__ import annotations

import socket
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError
from urllib3.poolmanager import PoolManager

from schema.addresses import permitted


class Wire:
    """The connections of one thread to one platform. `cut` ends whatever is open, from another thread: a deadline has passed."""

    def __init__(self, *, private: bool, connect_s: float) -> None:
        self.session = requests.Session()
        self.session.trust_env = False  # no proxies, no netrc
        self._private = private
        self._connect_s = connect_s
        self._twins: list[socket.socket] = []
        adapter = _adapter(self)
        self.session.mount("http://", adapter)
        self.session.mount("https://", adapter)

    def connect(self, connection: HTTPConnection) -> socket.socket:
        """A socket to a permitted address of the connection's host. Raises NewConnectionError."""
        host, port = connection.host, connection.port or connection.default_port
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise NewConnectionError(connection, f"{host} is no known name") from error
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        if not addresses or not all(permitted(each, private=self._private) for each in addresses):
            raise NewConnectionError(connection, f"{host} leads to an address that must not be asked")
        last: OSError | None = None
        for address in addresses:
            try:
                made = socket.create_connection((address, port), timeout=self._connect_s)
            except OSError as error:
                last = error
                continue
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._forget()
            self._twins.append(made.dup())  # a twin ends the connection even when TLS has taken the socket over
            return made
        raise NewConnectionError(connection, f"{host} does not accept connections") from last

    def cut(self) -> None:
        """End every connection now."""
        for twin in tuple(self._twins):
            try:
                twin.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def close(self) -> None:
        """Let go of everything."""
        self.session.close()
        twins, self._twins = self._twins, []
        for twin in twins:
            twin.close()

    def _forget(self) -> None:
        # a wire belongs to one thread and talks to two addresses at most: an older twin's connection is done with
        for twin in self._twins[:-2]:
            twin.close()
        self._twins = self._twins[-2:]


def _adapter(wire: Wire) -> HTTPAdapter:
    class Plain(HTTPConnection):
        """http through the guard."""

        def _new_conn(self) -> socket.socket:
            return wire.connect(self)

    class Secure(HTTPSConnection):
        """https through the guard."""

        def _new_conn(self) -> socket.socket:
            return wire.connect(self)

    class PlainPool(HTTPConnectionPool):
        """A pool of such connections."""

        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        """A pool of such connections."""

        ConnectionCls = Secure

    class Adapter(HTTPAdapter):
        """Requests' own adapter over those pools."""

        def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
            self.poolmanager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, **pool_kwargs)
            self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}

    return Adapter(pool_connections=2, pool_maxsize=1, max_retries=0)
