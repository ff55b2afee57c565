"""This file measures how fast an index's answer becomes the bytes of a response, against graphql-core's own executor."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, cast

import orjson
from graphql import ExecutionResult, execute

from benchmarks.measure import Result, spread
from benchmarks.question import QUERY, search, variables
from catalogue.query import Found, Search
from gateway.graphql import execution
from gateway.graphql.api import SCHEMA
from gateway.graphql.context import Context, Memo, Settings
from gateway.graphql.execute import Desk, Plan
from gateway.graphql.request import Request
from pangate.house import House
from schema.access import ANONYMOUS


class _Given:
    """A reader that has the answer already; it notes when it gave it."""

    def __init__(self, found: Found) -> None:
        self._found = found
        self.gave = 0.0

    async def search(self, _search: Search) -> Found:
        """The answer."""
        self.gave = time.thread_time()
        return self._found


def measure(house: House, words: Sequence[str], times: int) -> list[Result]:
    """The ratio of the standard executor's time to ours, over real answers of the house's index."""
    return asyncio.run(_measured(house, words, times))


async def _measured(house: House, words: Sequence[str], times: int) -> list[Result]:
    ratios: list[float] = []
    ours: list[float] = []
    standard: list[float] = []
    for word in words:
        reader = _Given(house.index.search(search(word)))
        context = _context(house, reader)
        plan = Desk(rated=False).plan(Request(QUERY, None, variables(word)), context)
        assert isinstance(plan, Plan)
        hot, stock = _ways(plan, context)
        assert await hot() == await stock()
        for _ in range(times):
            ours.append(await _after(reader, hot))
            standard.append(await _after(reader, stock))
            ratios.append(standard[-1] / ours[-1])
    ratio = statistics.median(ratios)
    details = {"ours_ms": statistics.median(ours) * 1e3, "standard_ms": statistics.median(standard) * 1e3}
    name = "index result to response bytes, times as fast as the standard executor"
    return [Result(name, "≥ 5", ratio, "times", ratio >= 5, spread(ratios), spread(standard), details)]


def _ways(plan: Plan, context: Context) -> tuple[Callable[[], Awaitable[bytes]], Callable[[], Awaitable[bytes]]]:
    async def hot() -> bytes:
        fresh = replace(context, memo=Memo())
        return _bytes(await execution.answer(plan.prepared, plan.operation, plan.variables, fresh))

    async def stock() -> bytes:
        fresh = replace(context, memo=Memo())
        result = execute(SCHEMA, plan.document, None, fresh, plan.request.variables)
        return _bytes(result if isinstance(result, ExecutionResult) else await result)

    return hot, stock


def _bytes(result: ExecutionResult) -> bytes:
    assert not result.errors, result.errors
    return orjson.dumps({"data": result.data})


async def _after(reader: _Given, way: Callable[[], Awaitable[bytes]]) -> float:
    """Seconds of the processor from the moment the index has answered: one thread does it all, whoever else is at work."""
    await way()
    return time.thread_time() - reader.gave


def _context(house: House, reader: _Given) -> Context:
    return Context(
        viewer=ANONYMOUS,
        reader=cast(Any, reader),
        sources=cast(Any, None),  # not asked for here
        launches=cast(Any, None),
        federation=house.federation,
        vocabulary=house.vocabulary,
        settings=Settings("http://127.0.0.1", b"k" * 32),
        clock=lambda: datetime.now(UTC),
    )
