"""This file is the hot path against graphql-core's own executor: the same bytes, for any query and any stored record."""

import asyncio
from collections.abc import Sequence
from typing import Any

import orjson
import pytest
import strategies
import structlog
from graphql import ExecutionResult, execute, parse, validate
from graphql.execution.values import get_variable_values
from graphql_world import ALICE, World, some_documents
from hypothesis import HealthCheck, Phase, assume, given, note, settings
from hypothesis import strategies as st
from operations import Known, queries

from catalogue.query import Bucket, Facet, Found, Hit, Position, Search, Suggestion
from gateway import errors
from gateway.graphql import execute as execute_module
from gateway.graphql import execution, ids
from gateway.graphql.api import SCHEMA
from gateway.graphql.context import Context
from gateway.graphql.execution import Execution, Prepared
from gateway.graphql.request import Request
from schema.access import Viewer
from schema.records import Document, Kind, encode_document

pytestmark = [  # graphql-core drops coroutines of fields beside one that failed
    pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
QUICK = settings(suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.reuse, Phase.generate])

PIDS = [f"north/dataset/{number}" for number in (1, 2, 3)]
IDS = [ids.encode("Dataset", PIDS[0]), ids.encode("Facility", "north"), ids.encode("Trigger", "north/hub"), "nonsense"]
KNOWN = Known(PIDS, [*IDS, ids.encode("Harvest", "3"), ids.encode("Instrument", "north/instrument/1")])
WRONG = [None, True, 0, -7, 5_000_000_000, 1.5, 1e300, "", "WEIRD", "7", [], [None], ["x", 3], {}, {"name": 1}]


class Shelf:
    """A reader that gives the stored bytes it was made of, whatever is asked: what they hold is not its business."""

    def __init__(self, stored: Sequence[bytes]) -> None:
        self.stored = stored

    async def search(self, search: Search) -> Found:
        await asyncio.sleep(0)
        shown = self.stored[: search.first]
        hits = [Hit(raw, at / 3, Position("g", search.sort, "", f"p{at}", at)) for at, raw in enumerate(shown)]
        bins = (Bucket("north", "", 2, 0.5, 1.5), Bucket("x", "Label", 1))
        facets = tuple(Facet(wish, bins[: wish.size], 1, 2) for wish in search.facets)
        return Found(len(self.stored), tuple(hits), len(self.stored) > search.first, facets, {"north/scicat": 2})

    async def get(self, kind: Kind, pid: str, viewer: Viewer) -> bytes | None:
        return (await self.get_many(kind, [pid], viewer)).get(pid)

    async def get_many(self, kind: Kind, pids: Sequence[str], viewer: Viewer) -> dict[str, bytes]:
        await asyncio.sleep(0)
        return dict(zip([pid for pid in pids if pid in PIDS], self.stored, strict=False))

    async def suggest(self, text: str, first: int) -> list[Suggestion]:
        return [Suggestion("silver", "keyword", "silver", 3)][:first]

    async def counts(self) -> dict[str, int]:
        return {"north": 3}


def _spoil(draw: st.DrawFn, value: Any) -> Any:
    """The value with something in it that should not be there."""
    if isinstance(value, dict) and value and draw(st.integers(0, 5)):
        key = draw(st.sampled_from(sorted(value)))
        return {**value, key: _spoil(draw, value[key])}
    if isinstance(value, list) and value and draw(st.integers(0, 5)):
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], _spoil(draw, value[at]), *value[at + 1 :]]
    return draw(st.sampled_from(WRONG))


@st.composite
def stored(draw: st.DrawFn) -> bytes:
    """A stored record, one in four spoilt in one place."""
    record = draw(strategies.datasets())
    raw = encode_document(draw(st.sampled_from([*some_documents()])) if draw(st.booleans()) else _kept(record))
    return orjson.dumps(_spoil(draw, orjson.loads(raw))) if draw(st.integers(0, 3)) == 0 else raw


def _kept(record: Any) -> Document:
    return Document(record, some_documents()[0].provenance, 1, 1)


@pytest.fixture(autouse=True, scope="module")
def _silence():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(errors, "log", structlog.wrap_logger(None, processors=[_drop]))
        yield


def _drop(_logger: Any, _name: str, _event: Any) -> Any:
    raise structlog.DropEvent


async def _context(raws: Sequence[bytes]) -> Context:
    world = World([], viewer=ALICE)
    world.reader = Shelf(raws)
    return await world.context()


def _bytes(result: ExecutionResult) -> bytes:
    told = [errors.located(each, "c0ffee") for each in result.errors or ()]
    return orjson.dumps({"data": result.data, "errors": told} if told else {"data": result.data})


async def _standard(text: str, variables: dict[str, Any], raws: Sequence[bytes]) -> bytes:
    result = execute(SCHEMA, parse(text), None, await _context(raws), variables, hide_suggestions=True)
    return _bytes(result if isinstance(result, ExecutionResult) else await result)


async def _hot(prepared: Prepared, variables: dict[str, Any], raws: Sequence[bytes]) -> bytes:
    operation = prepared.document.definitions[0]
    coerced = get_variable_values(SCHEMA, operation.variable_definitions, variables)
    assert isinstance(coerced, dict)
    return _bytes(await execution.answer(prepared, operation, coerced, await _context(raws)))


def _same(text: str, variables: dict[str, Any], raws: Sequence[bytes]) -> bytes:
    document = parse(text)
    assume(not validate(SCHEMA, document))
    note(text)
    prepared = Prepared(SCHEMA, text, document)
    switched = {name: value if not isinstance(value, bool) else not value for name, value in variables.items()}
    for each in (variables, switched, variables):  # compiled, other switches, kept
        expected = asyncio.run(_standard(text, each, raws))
        assert asyncio.run(_hot(prepared, each, raws)) == expected
    return expected


@QUICK
@given(queries(KNOWN), st.lists(stored(), max_size=4))
def test_any_query_over_any_records_is_answered_with_the_bytes_of_the_standard_executor(query, raws):
    _same(*query, raws)


FIXED = """query Q($names: [String!], $s0: Boolean!) {
  datasets(query: "scattering", facets: [{field: FACILITY}, {field: PARAMETER, parameter: "energy", bins: 3}]) {
    totalCount
    pageInfo { hasNextPage endCursor }
    facets { field parameter missing buckets { value label count from to } }
    edges { cursor score highlights { field fragment } node { ...Shown ...More @include(if: $s0) } }
    sources { source state facility { key freshness } }
  }
}
fragment Shown on Dataset {
  __typename id pid kind: type title isPublic landingPage access startDate
  facility { key shortName } investigation { pid title } instruments { id name facility { name } }
  techniques { pid name broader { name broader { name } } } people { name orcid } keywords
  parameters(names: $names) { name value unit siValue } files { count bytes formats } provenance { source primary harvestedAt }
}
fragment More on Dataset { access title samples { name formula } related { identifier } analysisOptions { available } }"""


@QUICK
@given(st.lists(stored(), max_size=3), st.none() | st.lists(st.sampled_from(["energy", "TEMP", ""])), st.booleans())
def test_a_page_with_every_field_has_the_bytes_of_the_standard_executor(raws, names, more):
    _same(FIXED, {"names": names, "s0": more}, raws)


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [*([path] if path else []), *(each for key, part in inner for each in _places(part, (*path, key)))]


def _with(value: Any, path: tuple[Any, ...], wrong: Any) -> Any:
    """A copy with something else at a place."""
    if not path:
        return wrong
    copy = value.copy()
    copy[path[0]] = _with(value[path[0]], path[1:], wrong)
    return copy


async def test_whatever_is_wrong_at_whatever_place_of_a_stored_record_the_bytes_are_those_of_the_standard_executor():
    """Each place of a full record in turn, with five values that should not be there, beside a record that is sound."""
    sound = encode_document(some_documents()[1])
    full = orjson.loads(encode_document(some_documents()[0]))
    places = _places(full)
    assert len(places) > 60
    prepared, variables = Prepared(SCHEMA, FIXED, parse(FIXED)), {"names": None, "s0": True}
    for at, path in enumerate(places):
        for turn in range(5):
            wrong = WRONG[(at + turn * 3) % len(WRONG)]
            raws = [orjson.dumps(_with(full, path, wrong)), sound]
            assert await _hot(prepared, variables, raws) == await _standard(FIXED, variables, raws), (path, wrong)


async def test_a_page_is_projected_and_not_resolved_field_by_field(monkeypatch):
    resolved = []
    standard = Execution.execute_field

    def counted(self: Execution, parent: Any, source: Any, nodes: Any, path: Any) -> Any:
        resolved.append(f"{parent.name}.{nodes[0].name.value}")
        return standard(self, parent, source, nodes, path)

    monkeypatch.setattr(Execution, "execute_field", counted)
    raws = [encode_document(each) for each in some_documents()[:20]]
    prepared = Prepared(SCHEMA, FIXED, parse(FIXED))
    first = await _hot(prepared, {"s0": False}, raws)
    assert len(orjson.loads(first)["data"]["datasets"]["edges"]) == 10
    assert {each for each in resolved if not each.startswith(("Query.", "DatasetConnection.", "SourceFreshness."))} == {
        "Facility.freshness",  # the one under `sources`: it asks the ledger
        "Facility.key",
    }


async def test_what_waits_is_resolved_and_its_neighbours_are_projected():
    text = "{ datasets { nodes { title analysisOptions { available procedures { id } } people { name } } } }"
    raws = [encode_document(each) for each in some_documents()[:3]]
    prepared = Prepared(SCHEMA, text, parse(text))
    assert await _hot(prepared, {}, raws) == await _standard(text, {}, raws)
    programs = prepared.programs(prepared.document.definitions[0], {})
    assert {str(key[0]): made is not None for key, made in programs.items()} == {
        "DatasetConnection": False,
        "Dataset": False,
        "AnalysisOption": True,
        "Person": True,
    }


async def test_no_more_is_compiled_of_a_document_than_its_length_allows():
    fields = " ".join(f"f{at}: id" for at in range(90))
    text = (
        "{ datasets { nodes { "
        + " ".join(f"p{at}: people {{ name role orcid }}" for at in range(60))
        + fields
        + " } } }"
    )
    raws = [encode_document(some_documents()[0])]
    prepared = Prepared(SCHEMA, text, parse(text))
    prepared.room.fields = 20
    assert await _hot(prepared, {}, raws) == await _standard(text, {}, raws)
    assert prepared.room.fields < 0
    assert all(
        made is None or key[0] == "Person"
        for key, made in prepared.programs(prepared.document.definitions[0], {}).items()
    )


async def test_the_desk_keeps_documents_up_to_a_number_of_characters(monkeypatch):
    monkeypatch.setattr(execute_module, "_CHARACTERS", 200)
    desk, context = execute_module.Desk(rated=False), await _context([])
    for at in range(20):
        plan = desk.plan(Request(f"{{ me {{ name }} }} # {at:030}", None, {}), context)
        assert not isinstance(plan, execute_module.Answer)
    assert 0 < sum(map(len, desk._documents)) <= 200
    assert desk._characters == sum(map(len, desk._documents))
