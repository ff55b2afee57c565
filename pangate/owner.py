"""This file is the name under which a process holds leases, and whether the process behind such a name is gone."""

from __future__ import annotations

import os
import secrets
import socket


def own_name() -> str:
    """This process: machine, process number, and a word of chance, since numbers come again."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def is_gone(name: str) -> bool:
    """Whether a name's process was one of this machine and runs no more. Of other machines nothing is known: they are not gone."""
    machine, _, rest = name.partition(":")
    number = rest.partition(":")[0]
    if machine != socket.gethostname() or not number.isdigit():
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False
