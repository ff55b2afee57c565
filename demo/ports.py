"""Where the demo listens: this file is the choice of loopback ports."""

import fcntl
import os
import socket
import tempfile
from functools import cache
from pathlib import Path
from random import SystemRandom

HOST = "127.0.0.1"
_chance = SystemRandom()
_given: set[int] = set()


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
    """A loopback port that nobody listens on, and that nobody else is given while this process lives: chosen at random below those that
    the system gives to outgoing connections, so that it is still free when its server starts."""
    while True:
        port = _chance.randrange(20_000, 30_000)
        if port not in _given and is_free(port) and _claimed(port):
            _given.add(port)
            return port


def _claimed(port: int) -> bool:
    """Claim a port among all processes of this user: a lock on that byte of a file, which ends with the process and with nothing else."""
    try:
        fcntl.lockf(_claims(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except BlockingIOError:
        return False
    return True


@cache
def _claims() -> int:
    """The file of the locks, never closed: to close it would be to end them all."""
    place = Path(tempfile.gettempdir()) / f"pangate-ports-{os.getuid()}"
    return os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def preferred(port: int) -> int:
    """That port, or any free one when somebody else has it."""
    return port if is_free(port) else free_port()
