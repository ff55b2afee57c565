"""The memory engine answers as a real MongoDB does: one contract for both, and a comparison over generated filters."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.scicat.engine import BadQuery, Engine, Page
from demo.scicat.memory import MemoryEngine
from demo.scicat.mongo import MongoEngine

DAY = datetime(2024, 3, 1, tzinfo=UTC)
DOCS: list[dict[str, Any]] = [
    {"_id": "a/1", "pid": "a/1", "n": 1, "tags": ["x", "y"], "when": DAY, "deep": [{"k": 1}, {"k": 5}], "flag": True},
    {"_id": "a/2", "pid": "a/2", "n": 2.5, "tags": [], "when": DAY.replace(year=2025), "deep": {"k": 2}, "flag": False},
    {"_id": "b/1", "pid": "b/1", "n": "3", "tags": [None], "name": "Ångström"},
    {"_id": "b/2", "pid": "b/2", "n": None, "tags": "x", "name": "angle"},
    {"_id": "c", "pid": "c", "n": float("nan"), "obj": {"v": 1, "u": "K"}},
]


@pytest.fixture(params=["memory", pytest.param("mongodb", marks=pytest.mark.mongodb)])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "memory":
        yield MemoryEngine()
        return
    made = MongoEngine(request.getfixturevalue("mongodb"), f"t{uuid4().hex}")
    yield made
    made.drop()


@pytest.fixture
def filled(engine: Engine) -> Engine:
    for doc in DOCS:
        engine.put("Dataset", dict(doc))
    return engine


def ids(engine: Engine, where: dict[str, Any], page: Page | None = None) -> list[str]:
    return [doc["_id"] for doc in engine.find("Dataset", where, page or Page(("_id", 1)))]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, ["a/1", "a/2", "b/1", "b/2", "c"]),
        ({"pid": {"$gt": "a/2"}}, ["b/1", "b/2", "c"]),
        ({"pid": {"$gt": ""}}, ["a/1", "a/2", "b/1", "b/2", "c"]),
        ({"n": {"$gte": 1}}, ["a/1", "a/2"]),
        ({"n": {"$gt": "1"}}, ["b/1"]),
        ({"n": None}, ["b/2"]),
        ({"name": None}, ["a/1", "a/2", "c"]),
        ({"tags": "x"}, ["a/1", "b/2"]),
        ({"tags": ["x", "y"]}, ["a/1"]),
        ({"tags": None}, ["b/1", "c"]),
        ({"tags": {"$ne": "x"}}, ["a/2", "b/1", "c"]),
        ({"tags": {"$nin": ["x", None]}}, ["a/2"]),
        ({"tags": {"$size": 0}}, ["a/2"]),
        ({"tags": {"$exists": False}}, ["c"]),
        ({"deep.k": {"$gt": 1, "$lt": 3}}, ["a/1", "a/2"]),
        ({"deep": {"$elemMatch": {"k": {"$gt": 1}}}}, ["a/1"]),
        ({"deep.1.k": 5}, ["a/1"]),
        ({"obj": {"v": 1, "u": "K"}}, ["c"]),
        ({"obj": {"u": "K", "v": 1}}, []),
        ({"when": {"$gte": DAY.replace(month=6)}}, ["a/2"]),
        ({"when": {"$gte": "2020-01-01T00:00:00.000Z"}}, []),
        ({"name": {"$regex": "^ang", "$options": "i"}}, ["b/2"]),
        ({"flag": {"$ne": True}}, ["a/2", "b/1", "b/2", "c"]),
        ({"flag": 1}, []),
        ({"$or": [{"n": 1}, {"name": "angle"}]}, ["a/1", "b/2"]),
        ({"$and": [{"pid": {"$gt": "a/1"}}, {"tags": {"$exists": True}}]}, ["a/2", "b/1", "b/2"]),
        ({"n": {"$not": {"$gt": 1}}}, ["a/1", "b/1", "b/2", "c"]),
        ({"unknown": 5}, []),
    ],
)
def test_a_filter_finds_the_same_documents(filled: Engine, where: dict[str, Any], expected: list[str]) -> None:
    assert ids(filled, where) == expected
    assert filled.count("Dataset", where) == len(expected)


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({"pid": {"$foo": "1"}}, "unknown operator: $foo"),
        ({"$foo": 1}, "unknown top level operator: $foo"),
        ({"pid": {"$in": "a"}}, "$in needs an array"),
        ({"$or": []}, "nonempty array"),
        ({"pid": {"$regex": 5}}, "$regex has to be a string"),
    ],
)
def test_a_query_that_cannot_run_is_refused_in_mongodbs_words(
    filled: Engine, where: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadQuery) as refusal:
        filled.find("Dataset", where, Page())
    assert words in str(refusal.value)


def test_pages_skip_and_take_in_either_direction(filled: Engine) -> None:
    assert ids(filled, {}, Page(("pid", -1), 1, 2)) == ["b/2", "b/1"]
    assert ids(filled, {"pid": {"$gt": "a/1"}}, Page(("pid", 1), 0, 2)) == ["a/2", "b/1"]
    assert len(ids(filled, {}, Page(None, 3, 10))) == 2


def test_types_sort_as_bson_has_them(filled: Engine) -> None:
    assert ids(filled, {}, Page(("n", 1))) == ["b/2", "c", "a/1", "a/2", "b/1"]


def test_replacing_and_deleting_by_id(filled: Engine) -> None:
    filled.put("Dataset", {"_id": "c", "pid": "c", "n": 9})
    assert (filled.get("Dataset", "c") or {})["n"] == 9
    assert filled.delete("Dataset", "c")
    assert not filled.delete("Dataset", "c")
    assert filled.get("Dataset", "c") is None
    assert filled.count("Dataset", {}) == 4
    assert filled.find("Nothing", {}, Page()) == []


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 3),
    st.sampled_from([0.5, 1.0]),
    st.sampled_from(["", "a", "ab", "É"]),
    st.just(DAY),
)
values = st.recursive(
    scalars,
    lambda v: st.lists(v, max_size=3) | st.dictionaries(st.sampled_from(["k", "m"]), v, max_size=2),
    max_leaves=4,
)
documents = st.dictionaries(st.sampled_from(["p", "q"]), values, max_size=2)
operators = st.one_of(
    st.tuples(st.sampled_from(["$eq", "$ne"]), values),
    st.tuples(st.sampled_from(["$gt", "$gte", "$lt", "$lte"]), scalars),
    st.tuples(st.sampled_from(["$in", "$nin"]), st.lists(scalars, max_size=2)),
    st.tuples(st.just("$exists"), st.booleans()),
    st.tuples(st.just("$size"), st.integers(0, 2)),
    st.tuples(st.just("$regex"), st.sampled_from(["a", "^b", "b$"])),
).map(lambda pair: {pair[0]: pair[1]})
clauses = st.tuples(
    st.sampled_from(["p", "q", "p.k", "p.k.m"]), values | operators | operators.map(lambda o: {"$not": o})
).map(lambda pair: {pair[0]: pair[1]})
filters = st.recursive(
    clauses,
    lambda f: st.tuples(st.sampled_from(["$and", "$or", "$nor"]), st.lists(f, min_size=1, max_size=2)).map(
        lambda p: {p[0]: p[1]}
    ),
    max_leaves=3,
)


@pytest.mark.mongodb
@given(st.lists(documents, min_size=1, max_size=4), st.lists(filters, min_size=1, max_size=6))
def test_memory_and_mongodb_agree_on_any_filter(
    mongodb: str, docs: list[dict[str, Any]], wheres: list[dict[str, Any]]
) -> None:
    memory, real = MemoryEngine(), _shared(mongodb)
    group = uuid4().hex
    for number, doc in enumerate(docs):
        for one in (memory, real):
            one.put("Any", {**doc, "_id": f"{group}/{number}", "g": group})
    for where in wheres:
        mine = {"$and": [{"g": group}, where]}
        assert _found(memory, mine) == _found(real, mine), where


def _shared(server: str, _made: dict[str, MongoEngine] = {}) -> MongoEngine:  # noqa: B006 - one connection a run
    return _made.setdefault(server, MongoEngine(server, "compare"))


def _found(engine: Engine, where: dict[str, Any]) -> list[str] | str:
    try:
        return [doc["_id"] for doc in engine.find("Any", where, Page(("_id", 1)))]
    except BadQuery:
        return "refused"
