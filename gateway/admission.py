"""This file is who may ask now: points a minute, requests at once, subscriptions at once, each client for itself.

A client is whoever the application says it is: the principal of a signed-in viewer, else the address. Numbers: reference on
reliability, section 8.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from gateway.limits import Limits
from schema.errors import LimitExceeded, RateLimited

_CLIENTS = 10_000  # clients remembered; the one that has been silent for longest is forgotten first
_PATIENCE_S = 1.0  # how long a request waits for a place


class Bucket:
    """Points a minute for each client. A client with one left may ask, and pays later what it had not."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, client: str, points: float, per_minute: int) -> None:
        """Take points. Raises RateLimited when less than one is left."""
        now = self._clock()
        left, then = self._left.pop(client, (float(per_minute), now))
        left = min(per_minute, left + (now - then) * per_minute / 60)
        self._left[client] = (left, now)
        if left < 1:
            wait = max(1.0, (1 - left) * 60 / per_minute)
            raise RateLimited("Too much was asked for within a minute. Wait a little, then go on.", wait)
        self._left[client] = (left - points, now)
        while len(self._left) > _CLIENTS:
            self._left.popitem(last=False)


class Admission:
    """The counts of one process."""

    def __init__(self, limits: Limits, clock: Callable[[], float], *, rated: bool = True) -> None:
        self._limits = limits
        self._rated = rated
        self._points = Bucket(clock)
        self._mutations = Bucket(clock)
        self._all = asyncio.Semaphore(limits.concurrent_total)
        self._each: dict[str, asyncio.Semaphore] = {}
        self._waiting: Counter[str] = Counter()
        self._subscriptions: Counter[str] = Counter()

    def charge(self, client: str, points: int, *, signed_in: bool, mutation: bool) -> None:
        """Let an operation of that cost pay. Raises RateLimited."""
        if not self._rated:
            return
        if mutation:
            self._mutations.take(client, 1, self._limits.mutations)
        allowed = self._limits.points_signed_in if signed_in else self._limits.points_anonymous
        self._points.take(client, max(1, points), allowed)

    @asynccontextmanager
    async def place(self, client: str) -> AsyncIterator[None]:
        """A place among those who are served at once. Raises RateLimited when none gets free within a second."""
        own = self._each.setdefault(client, asyncio.Semaphore(self._limits.concurrent_client))
        self._waiting[client] += 1
        try:
            await _enter(own)
            try:
                await _enter(self._all)
                try:
                    yield
                finally:
                    self._all.release()
            finally:
                own.release()
        finally:
            self._waiting[client] -= 1
            if not self._waiting[client]:
                del self._waiting[client], self._each[client]

    def open_subscription(self, client: str) -> None:
        """Count a subscription. Raises LimitExceeded when the client has as many as it may."""
        if self._subscriptions[client] >= self._limits.subscriptions:
            raise LimitExceeded(
                f"At most {self._limits.subscriptions} subscriptions are open at once. End one of them first."
            )
        self._subscriptions[client] += 1

    def close_subscription(self, client: str) -> None:
        """Give its place back."""
        self._subscriptions[client] -= 1
        if self._subscriptions[client] <= 0:
            del self._subscriptions[client]


async def _enter(places: asyncio.Semaphore) -> None:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            await places.acquire()
    except TimeoutError:
        raise RateLimited("Too many requests are being served at once. Ask again in a moment.", 1.0) from None
