"""Where the demo listens: this file is the choice of loopback ports."""

import socket
from random import SystemRandom

HOST = "127.0.0.1"
_chance = SystemRandom()


def is_free(port: int) -> bool:
    """Whether a server could listen on that loopback port now."""
    with socket.socket() as probe:
        # as servers do: a port whose last connections are still closing is free
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A loopback port that nobody listens on: chosen at random below those that the system gives to outgoing connections, so that it is
    still free when its server starts."""
    while True:
        port = _chance.randrange(20_000, 30_000)
        if is_free(port):
            return port


def preferred(port: int) -> int:
    """That port, or any free one when somebody else has it."""
    return port if is_free(port) else free_port()
