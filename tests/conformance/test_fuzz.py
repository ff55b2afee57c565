"""This file is schemathesis over the running endpoint: whatever it makes up, the answer is data or an error with a documented code.

Its own check ST113 takes every error of an execution for a fault of the server; ours stands in its place. Half of the cases
are tamed first: strings become pids, ids and names that exist, and numbers small, so that they come past the first refusal.
PANGATE_CASES: how many of each operation and visitor (8; with PANGATE_SOAK 400); PANGATE_SEED: which.
"""

from collections import Counter

import pytest
import schemathesis
from graphql import REMOVE, IntValueNode, StringValueNode, Visitor, parse, print_ast, visit
from graphql_world import ANONYMOUS, OPERATOR, SAXS, World
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from soak import SEED, how_many, keep

from gateway.graphql import ids

DOCUMENTED = {
    "UNAUTHENTICATED", "FORBIDDEN", "NOT_FOUND", "BAD_INPUT", "CURSOR_INVALID", "CURSOR_EXPIRED", "LIMIT_EXCEEDED",
    "RATE_LIMITED", "CONFLICT", "UNAVAILABLE",
}  # fmt: skip
CASES = how_many("PANGATE_CASES", 8, 400)
LEAKS = ("Traceback", " object at 0x", "Exception", "site-packages", "schema.errors", "Error(")
KNOWN = [
    "10.5442/nd000001", "10.5442/nd000090", "north/instrument/1", "north/investigation/7", "north", "north/scicat",
    ids.encode("Dataset", "10.5442/nd000001"), ids.encode("Facility", "north"), ids.encode("Trigger", "north/hub"),
    ids.encode("Launch", "l1"), ids.encode("Source", "north/scicat"), SAXS, "temperature", "photon energy", "keV", "K",
    "silver -run", '"silver nanoparticles"', "2024", "2024-01", "plain", "",
]  # fmt: skip
TALLY: Counter[str] = Counter()


class Tame(Visitor):
    """Strings that name something, small numbers, no cursors (none could be right)."""

    def __init__(self, names: list[str], numbers: list[int]) -> None:
        super().__init__()
        self._names, self._numbers = iter(names * 100), iter(numbers * 100)

    def enter_string_value(self, node: StringValueNode, *_: object) -> StringValueNode:
        return StringValueNode(value=next(self._names, ""), block=False)

    def enter_int_value(self, node: IntValueNode, *_: object) -> IntValueNode:
        return IntValueNode(value=str(next(self._numbers, 1)))

    def enter_argument(self, node: object, *_: object) -> object:
        return REMOVE if node.name.value in ("after", "facets") and next(self._numbers, 1) % 2 else None


def only_documented_errors(_context: object, response: schemathesis.Response, _case: schemathesis.Case) -> None:
    """The check in the place of ST113: every error of an answer carries a documented code, and none is INTERNAL."""
    answer = response.json()
    assert response.status_code < 500, answer
    assert "data" in answer or "errors" in answer
    for error in answer.get("errors", ()):
        assert error["extensions"]["code"] in DOCUMENTED, error
        assert error["extensions"]["correlationId"] == "c0ffee"
        assert error["message"].strip()
        assert not any(leak in error["message"] for leak in LEAKS), error
    TALLY["data" if answer.get("data") else "refused"] += 1


WORLDS = {"anonymous": World(viewer=ANONYMOUS), "operator": World(viewer=OPERATOR)}
SCHEMA = schemathesis.graphql.from_asgi("/graphql", WORLDS["anonymous"].app)
OPERATIONS = {each.ok().label: each.ok() for each in SCHEMA.get_all_operations()}


@pytest.mark.parametrize("who", WORLDS)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_whatever_is_asked_is_answered_or_refused_by_name(operation: str, who: str) -> None:
    @seed(SEED)
    @settings(
        max_examples=CASES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        OPERATIONS[operation].as_strategy(),
        st.booleans(),
        st.lists(st.sampled_from(KNOWN), min_size=1, max_size=6),
        st.lists(st.integers(1, 12), min_size=1, max_size=5),
    )
    def ask(case: schemathesis.Case, tame: bool, names: list[str], numbers: list[int]) -> None:
        if tame:
            case.body = print_ast(visit(parse(case.body), Tame(names, numbers)))
        response = case.call(app=WORLDS[who].app, headers={"accept": "application/json"})
        case.validate_response(response, checks=[only_documented_errors], excluded_checks=[not_a_server_error])

    ask()


def test_enough_was_asked_and_answered() -> None:
    if not TALLY:
        pytest.skip("needs the cases of the other test of this file, which were not run in this process")
    keep("fuzz", {"operations": len(OPERATIONS), "visitors": len(WORLDS), "cases": TALLY.total(), **TALLY})
    assert len(OPERATIONS) >= 25
    assert TALLY.total() >= CASES * len(OPERATIONS)
    assert TALLY["data"] >= TALLY.total() * 0.3


def test_the_check_sees_a_fault_of_ours() -> None:
    world = World()

    async def broken() -> None:
        raise RuntimeError("password=hunter2")

    world.reader.counts = broken
    case = OPERATIONS["Query.facilities"].Case(body="{facilities{datasetCount}}")
    with pytest.raises(FailureGroup) as found:
        case.validate_response(case.call(app=world.app), checks=[only_documented_errors])
    assert "INTERNAL" in str(found.value)
