"""This file is the guarded connection: names are resolved once, judged, and the judged address is the one connected to."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError
from urllib3.poolmanager import PoolManager

from schema.addresses import permitted

Resolver = Callable[[str, int], list[str]]


class AddressRefused(NewConnectionError):
    """The name leads to an address that may not be asked."""


def resolve(host: str, port: int) -> list[str]:
    """Every address of a name, by the system's resolver."""
    return [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class Gate:
    """What one session's connections are judged by, and the sockets that are open, so that a deadline can end them."""

    def __init__(self, *, private: bool, resolver: Resolver = resolve) -> None:
        self.private = private
        self._resolver = resolver
        self._open: set[socket.socket] = set()

    def connect(self, connection: HTTPConnection) -> socket.socket:
        """A socket to a permitted address of the connection's host. Raises AddressRefused, NewConnectionError."""
        host, port = connection.host, connection.port or connection.default_port
        try:
            addresses = self._resolver(host, port)
        except OSError as error:
            raise NewConnectionError(connection, f"the name {host} cannot be resolved") from error
        refused = [each for each in addresses if not permitted(each, private=self.private)]
        if refused or not addresses:
            raise AddressRefused(connection, f"{host} leads to an address that must not be asked")
        timeout = connection.timeout if isinstance(connection.timeout, int | float) else 5.0
        last: OSError | None = None
        for address in addresses:
            try:
                made = socket.create_connection((address, port), timeout=timeout)
            except OSError as error:
                last = error
                continue
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.watch(made)
            return made
        raise NewConnectionError(connection, f"{host} does not accept connections") from last

    def watch(self, made: socket.socket) -> None:
        """Remember an open socket."""
        self._open = {each for each in self._open if each.fileno() >= 0} | {made}

    def cut(self) -> None:
        """End every open socket: a deadline has passed."""
        for each in tuple(self._open):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


def guarded(gate: Gate) -> HTTPAdapter:
    """An adapter for requests whose every connection goes through the gate."""

    class Plain(HTTPConnection):
        """http through the gate."""

        def _new_conn(self) -> socket.socket:
            return gate.connect(self)

    class Secure(HTTPSConnection):
        """https through the gate."""

        def _new_conn(self) -> socket.socket:
            return gate.connect(self)

        def connect(self) -> None:
            super().connect()
            if isinstance(self.sock, socket.socket):
                gate.watch(self.sock)

    class PlainPool(HTTPConnectionPool):
        """A pool of such connections."""

        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        """A pool of such connections."""

        ConnectionCls = Secure

    class Adapter(HTTPAdapter):
        """Requests' own adapter over those pools; no proxies, no retries of its own."""

        def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
            self.poolmanager = PoolManager(num_pools=connections, maxsize=maxsize, block=block, **pool_kwargs)
            self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}

    return Adapter(pool_connections=2, pool_maxsize=2, max_retries=0)


def session(gate: Gate) -> requests.Session:
    """A session of requests that reads no environment, keeps no credentials of its own, and only connects through the gate."""
    made = requests.Session()
    made.trust_env = False
    adapter = guarded(gate)
    made.mount("http://", adapter)
    made.mount("https://", adapter)
    return made
