"""This file is the latest moment at which a process that was told to end is gone, whatever hangs: a database, a broker, a search engine."""

from __future__ import annotations

import os
import threading

import structlog

log = structlog.get_logger("pangate.ending")


def bound(seconds: float) -> None:
    """End this process so many seconds from now if it still lives. What it has in hand is then as after a crash: pages are committed whole
    or not at all, and its leases run out."""
    last = threading.Timer(seconds, _cut, (seconds,))
    last.daemon = True
    last.start()


def _cut(seconds: float) -> None:
    try:
        log.warning("ended_with_work_in_hand", after_s=seconds)
    finally:
        os._exit(1)  # a thread that waits for a server that hangs cannot be ended otherwise
