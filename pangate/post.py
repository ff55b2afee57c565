"""This file is a post: a duty (sweeping, projecting) that one of several processes has at a time, by a lease in the truth."""

from __future__ import annotations

import threading
import time

import structlog

from catalogue.leases import Leases
from catalogue.ports import Lease
from pangate.loops import Loop
from schema.errors import LeaseLost

log = structlog.get_logger("pangate.post")

SECONDS = 30.0
_SAFETY = 0.8
"""The share of the lease after which we act no more on it unless it was renewed: clocks differ, and threads pause."""


class Post:
    """The lease called `name`, taken when it is free and renewed beside the work. If its holder dies, another process has it after
    `seconds`."""

    def __init__(self, leases: Leases, name: str, owner: str, seconds: float = SECONDS) -> None:
        self._leases, self._name, self._owner, self._seconds = leases, name, owner, seconds
        self._lease: Lease | None = None
        self._until = 0.0
        self._turn = threading.Lock()

    @property
    def held(self) -> bool:
        """Whether this process has the duty now, as far as it can know."""
        return time.monotonic() < self._until

    def loop(self) -> Loop:
        """What keeps the post."""
        return Loop(f"post-{self._name}", self.keep, self._seconds / 6)

    def keep(self) -> None:
        """Take the post if it is free; keep it if it is ours."""
        with self._turn:
            asked = time.monotonic()
            try:
                lease = self._renewed() or self._leases.acquire(self._name, self._owner, self._seconds)
            except LeaseLost:
                log.warning("post_lost", post=self._name)
                lease = None
            if lease is not None and self._lease is None:
                log.info("post_taken", post=self._name)
            self._lease = lease
            self._until = asked + self._seconds * _SAFETY if lease is not None else 0.0

    def leave(self) -> None:
        """Give it back, so that another process need not wait."""
        with self._turn:
            lease, self._lease, self._until = self._lease, None, 0.0
            if lease is not None:
                self._leases.release(lease)

    def _renewed(self) -> Lease | None:
        return self._leases.renew(self._lease, self._seconds) if self._lease is not None else None
