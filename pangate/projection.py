"""This file is the duty of the index's one writer: following the truth, and building the index anew when that is owed.

An embedded index has its writer by a lock file; a shared one has it by the lease "projector".
"""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from catalogue.rebuild import rebuild
from pangate.figures import distance
from pangate.house import House
from pangate.loops import Loop
from pangate.memory import give_back
from pangate.post import Post
from pangate.tally import PROJECTED, REBUILDS_ENDED
from schema.errors import PangateError

log = structlog.get_logger("pangate.projection")

FOLLOW_S, RENEW_S, RETRY_S, DISTANCE_S = 0.2, 20.0, 600.0, 5.0
_LONG_S = 6 * 3600.0
MUCH = 500
Told = Callable[[int, int], None]


def _silent(_done: int, _total: int) -> None:
    """Nobody watches."""


class Projection:
    """The projector's duty in this process. `mine` tells whether it has it now."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._post = Post(house.harvests, "projector", house.owner) if house.settings.index_url else None
        self._not_before = 0.0
        self._written = 0

    @property
    def mine(self) -> bool:
        """Whether this process may write to the index now."""
        return self._house.projecting and (self._post is None or self._post.held)

    def loops(self) -> list[Loop]:
        """What it does again and again; nothing when another process holds the lock."""
        if not self._house.projecting:
            return []
        own = [
            Loop("projector", self.follow, FOLLOW_S, _LONG_S),
            Loop("renewal", self.renew_if_due, RENEW_S, _LONG_S),
            Loop("distance", lambda: distance(self._house), DISTANCE_S),
        ]
        return own if self._post is None else [self._post.loop(), *own]

    def take(self) -> bool:
        """Take the duty if it is free; whether it is ours."""
        if self._post is not None:
            self._post.keep()
        return self.mine

    def leave(self) -> None:
        """Let another process have it."""
        if self._post is not None:
            self._post.leave()

    def follow(self) -> None:
        """Bring the index to the truth's head; when there is nothing more to do after much, give back the memory it took."""
        if not self.mine:
            return
        done = self._house.projector.project(going=lambda: self.mine)
        PROJECTED.inc(done)
        self._written += done
        if not done and self._written > MUCH:
            give_back()
            self._written = 0

    def renew_if_due(self) -> None:
        """Build the index anew if that is owed by now."""
        due = self._house.rebuilds.due() if self.mine and time.monotonic() >= self._not_before else None
        if due is None or due > self._house.clock():
            return
        try:
            count = self.renew()
        except PangateError as error:
            self._not_before = time.monotonic() + RETRY_S
            REBUILDS_ENDED.labels("failed").inc()
            self._house.rebuilds.failed(error.message)
            raise
        log.info("index_rebuilt", documents=count)

    def renew(self, told: Told = _silent) -> int:
        """Build the index anew and note it; how many documents it holds."""
        house = self._house
        began, head = house.clock(), house.truth.public_head()
        count = rebuild(house.projector, told=told)
        house.rebuilds.done(head, count, began)
        REBUILDS_ENDED.labels("done").inc()
        return count
