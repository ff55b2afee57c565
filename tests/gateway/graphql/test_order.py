"""This file is the order of checks (reference on reliability, 2.3): a request that breaks one check and every later one is told the
first, and what was not paid for is never looked at."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from graphql_world import World, dataset, document

from gateway.graphql.execute import Desk, Plan
from gateway.graphql.request import from_json
from gateway.limits import Limits

DEEP = "a{" * 11 + "b" + "}" * 11
"""Eleven levels of fields that no type has."""
DEAR = "datasets(first:100){nodes{" + "...F " * 50 + "}}"
OF_DATASETS = "fragment F on Dataset{facility{key}}"
TOKENS = "x " * 2_001
STAGES: dict[str, tuple[Any, str, str]] = {
    "bytes of the body": ("[" + " " * 65_536, "LIMIT_EXCEEDED", "body is longer"),
    "JSON": ("[{]" + TOKENS, "BAD_INPUT", "not JSON"),
    "one operation, no batch": ([{"query": "{" + TOKENS * 9}], "BAD_INPUT", "Batches"),
    "length of the document": ({"query": "{" + TOKENS * 5}, "LIMIT_EXCEEDED", "bytes; at most 16384"),
    "tokens": ({"query": "{" + DEEP + TOKENS}, "LIMIT_EXCEEDED", "more than 2000 tokens"),
    "comments": ({"query": "#\n" * 51 + "{" + DEEP + "}"}, "LIMIT_EXCEEDED", "comments"),
    "syntax": ({"query": "{" + DEEP + "} }"}, "BAD_INPUT", "Syntax Error"),
    "the linear pre-pass": ({"query": "{" + DEEP + DEAR + "}"}, "LIMIT_EXCEEDED", "levels of fields"),
    "the standard rules": ({"query": "{nothing " + DEAR + "}" + OF_DATASETS}, "BAD_INPUT", "nothing"),
    "variables": (
        {"query": "query($n:Int!){a:techniques(first:$n){name} " + DEAR + "}" + OF_DATASETS, "variables": {"n": "x"}},
        "BAD_INPUT",
        "$n",
    ),
    "cost": ({"query": "{" + DEAR + "}" + OF_DATASETS}, "LIMIT_EXCEEDED", "points of cost"),
    "points of the minute": ({"query": "{datasets{totalCount}}"}, "RATE_LIMITED", "within a minute"),
}


@pytest.mark.parametrize("stage", STAGES)
async def test_what_breaks_several_checks_is_told_the_first_and_nothing_is_searched(stage: str) -> None:
    """Nobody in this world has a point left: whatever is told before that was looked at before."""
    sent, code, told = STAGES[stage]
    world = World(rated=True, limits=Limits(points_anonymous=1))
    async with world.client() as client:
        headers = {"content-type": "application/json"}
        spent = await client.post("/graphql", content=b'{"query":"{vocabulary{name}}"}', headers=headers)
        assert "errors" not in spent.json()
        body = sent if isinstance(sent, str) else json.dumps(sent)
        answer = await client.post("/graphql", content=body.encode(), headers=headers)
    error = answer.json()["errors"][0]
    assert (error["extensions"]["code"], told in error["message"]) == (code, True), error
    assert "data" not in answer.json()
    assert world.reader.searches == []


async def test_a_request_is_paid_for_before_it_waits_for_a_place_and_its_size_is_looked_at_last() -> None:
    world = World(
        rated=True,
        documents=[document(dataset(1))],
        limits=Limits(points_anonymous=10, response=20, concurrent_total=1),
    )
    large = (await world.post('{dataset(pid:"10.5442/nd000001"){title no:description}}')).json()
    assert large["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert "bytes" in large["errors"][0]["message"]
    desk = Desk(Limits(points_anonymous=1))
    context = await world.context()
    plan = desk.plan(from_json(b'{"query":"{vocabulary{name}}"}', desk.limits), context)
    assert isinstance(plan, Plan)
    assert b"errors" not in (await desk.run(plan, context)).body
    desk._admission._all = asyncio.Semaphore(0)  # nobody would get a place
    assert b"within a minute" in (await desk.run(plan, context)).body
