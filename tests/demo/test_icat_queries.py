"""The query engine of the ICAT stand-in against plain Python over the same rows."""

from contextlib import suppress

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demo.icat.answer import answer
from demo.icat.errors import Refusal
from demo.icat.sessions import User
from demo.icat.store import Store

ROOT = User("simple/root", root=True)


def built(parameters: list[tuple[int, float | None]], datasets: int = 12) -> Store:
    """Datasets 1..n, every third without a sample, and parameters given as (dataset, value)."""
    store = Store()
    facility = store.load("Facility", name="F")
    kind = store.load("InvestigationType", name="experiment", facility=facility)
    raw = store.load("DatasetType", name="raw", facility=facility)
    home = store.load("Investigation", name="p", visitId="1", title="t", facility=facility, type=kind)
    sample = store.load("Sample", name="s", investigation=home)
    for number in range(1, datasets + 1):
        own = sample if number % 3 else None
        store.load("Dataset", name=f"d{number:03}", investigation=home, type=raw, sample=own, fileSize=number * 7 % 5)
    for place, (dataset, value) in enumerate(parameters):
        kind = store.load("ParameterType", name=f"t{place}", units="K", valueType="NUMERIC", facility=facility)
        store.load("DatasetParameter", dataset=dataset, type=kind, numericValue=value)
    return store


def asked(store: Store, query: str, user: User = ROOT) -> list:
    return orjson.loads(answer(store, user, query).body)


parameters = st.lists(st.tuples(st.integers(1, 12), st.none() | st.floats(-5, 5)), max_size=30)


@given(parameters, st.integers(1, 7))
@settings(max_examples=60, deadline=None)
def test_keyset_pages_give_every_row_once_and_in_order(rows: list[tuple[int, float | None]], size: int) -> None:
    store = built(rows)
    last, found = 0, []
    while page := asked(
        store, f"SELECT p.id FROM DatasetParameter p WHERE p.id > {last} ORDER BY p.id LIMIT 0, {size}"
    ):
        found += page
        last = page[-1]
    assert found == list(range(1, len(rows) + 1))


@given(parameters, st.integers(0, 13), st.integers(0, 13), st.integers(0, 30))
@settings(max_examples=60, deadline=None)
def test_children_by_parent_are_what_a_plain_filter_finds(
    rows: list[tuple[int, float | None]], low: int, high: int, last: int
) -> None:
    query = (
        "SELECT p.id, p.dataset.id, p.numericValue, p.stringValue FROM DatasetParameter p "
        f"WHERE p.dataset.id > {low} AND p.dataset.id <= {high} AND p.id > {last} ORDER BY p.id LIMIT 0, 10000"
    )
    wanted = [[n, d, v, None] for n, (d, v) in enumerate(rows, 1) if low < d <= high and n > last]
    assert asked(built(rows), query) == wanted


@given(parameters, st.floats(-5, 5))
@settings(max_examples=60, deadline=None)
def test_null_is_neither_above_nor_below_nor_not_above(rows: list[tuple[int, float | None]], bar: float) -> None:
    store = built(rows)
    above = asked(store, f"SELECT p.id FROM DatasetParameter p WHERE p.numericValue > {bar:f}")
    below = asked(store, f"SELECT p.id FROM DatasetParameter p WHERE NOT p.numericValue > {bar:f}")
    empty = asked(store, "SELECT p.id FROM DatasetParameter p WHERE p.numericValue IS NULL")
    assert sorted(above + below + empty) == list(range(1, len(rows) + 1))
    assert empty == [n for n, (_, value) in enumerate(rows, 1) if value is None]


@given(parameters)
@settings(max_examples=60, deadline=None)
def test_joins_distinct_exists_and_in_agree_about_parents(rows: list[tuple[int, float | None]]) -> None:
    store = built(rows)
    wanted = sorted({dataset for dataset, value in rows if value is not None and value > 0})
    for query in (
        "SELECT DISTINCT ds.id FROM Dataset ds JOIN ds.parameters p WHERE p.numericValue > 0 ORDER BY ds.id",
        "SELECT ds.id FROM Dataset ds WHERE EXISTS (SELECT p FROM DatasetParameter p WHERE p.dataset = ds AND p.numericValue > 0)",
        "SELECT ds.id FROM Dataset ds WHERE ds.id IN (SELECT p.dataset.id FROM DatasetParameter p WHERE p.numericValue > 0)",
        "SELECT p.dataset.id FROM DatasetParameter p WHERE p.numericValue > 0 GROUP BY p.dataset.id ORDER BY p.dataset.id",
    ):
        assert asked(store, query) == wanted, query


@given(parameters)
@settings(max_examples=40, deadline=None)
def test_totals_are_those_of_the_rows(rows: list[tuple[int, float | None]]) -> None:
    values = [value for _, value in rows if value is not None]
    total = (
        "SELECT COUNT(p), MIN(p.numericValue), MAX(p.numericValue), COUNT(DISTINCT p.dataset) FROM DatasetParameter p"
    )
    wanted = [len(rows), min(values, default=None), max(values, default=None), len({dataset for dataset, _ in rows})]
    assert asked(built(rows), total) == [wanted]


def test_an_empty_relation_drops_the_row_in_a_path_but_not_in_a_left_join() -> None:
    store = built([], datasets=4)
    assert asked(store, "SELECT ds.id, ds.sample.name FROM Dataset ds ORDER BY ds.id") == [[1, "s"], [2, "s"], [4, "s"]]
    left = asked(store, "SELECT ds.id, s.name FROM Dataset ds LEFT JOIN ds.sample s ORDER BY ds.id")
    assert left == [[1, "s"], [2, "s"], [3, None], [4, "s"]]
    assert asked(store, "SELECT ds.id FROM Dataset ds WHERE ds.sample IS NULL") == [3]


def test_order_by_attribute_keeps_ties_by_id_and_can_go_down() -> None:
    store = built([], datasets=6)
    rows = asked(store, "SELECT ds.fileSize, ds.id FROM Dataset ds ORDER BY ds.fileSize DESC, ds.id")
    assert rows == sorted(rows, key=lambda row: (-row[0], row[1]))


READER = User("db/reader", "", ("Dataset", "SELECT i FROM Investigation i WHERE i.releaseDate < CURRENT_TIMESTAMP"))


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("SELECT ds.id FROM Dataset ds WHERE ds.sample.name = 's' ORDER BY ds.id", [1, 2]),
        ("SELECT ds.id, ds.sample.id FROM Dataset ds", []),
        ("SELECT ds.id, s.id FROM Dataset ds LEFT JOIN ds.sample s", []),
        ("SELECT ds.id, ds.investigation.id FROM Dataset ds", []),
        ("SELECT MAX(s.id) FROM Sample s", []),
        ("SELECT COUNT(s) FROM Sample s", [0]),
        ("SELECT MAX(i.id) FROM Investigation i", [None]),
        ("SELECT s FROM Sample s", []),
    ],
)
def test_rows_vanish_without_a_word_where_the_reader_has_no_right(query: str, wanted: list) -> None:
    assert asked(built([], datasets=3), query, READER) == wanted


def test_a_rule_by_date_opens_when_the_date_has_come() -> None:
    store = built([], datasets=3)
    store.update("Investigation", 1, releaseDate="2020-01-01T00:00:00+00:00")
    assert asked(store, "SELECT ds.id, ds.investigation.id FROM Dataset ds", READER) == [[1, 1], [2, 1], [3, 1]]


@pytest.mark.parametrize(
    ("limit", "outcome"),
    [("LIMIT 0, 5", 5), ("LIMIT 0, 0", 12), ("LIMIT 8, *", 4), ("", 12), ("LIMIT 0, 400", 12), ("LIMIT 20, 5", 0)],
)
def test_limit_counts_as_the_server_does(limit: str, outcome: int) -> None:
    assert len(asked(built([]), f"SELECT ds.id FROM Dataset ds ORDER BY ds.id {limit}")) == outcome


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("SELECT ds.id FROM Dataset ds", "process"),
        ("SELECT ds.id FROM Dataset ds LIMIT 0, 0", "process"),
        ("SELECT ds FROM Dataset ds LIMIT 0, 400", "process"),
        ("SELECT ds FROM Dataset ds ORDER BY ds.id INCLUDE ds.investigation LIMIT 0, 6", "return"),
        ("SELECT i FROM Investigation i INCLUDE i.datasets", "return"),
    ],
)
def test_too_much_is_refused_in_either_wording(query: str, word: str) -> None:
    store = built([])
    store.max_entities = 11
    with pytest.raises(Refusal, match=f"attempt to {word} more than 11 entities") as refused:
        asked(store, query)
    assert refused.value.status == 412
    assert asked(store, "SELECT COUNT(ds) FROM Dataset ds") == [12]


@pytest.mark.parametrize(
    "query",
    [
        "SELECT",
        "SELECT ds FROM",
        "SELECT ds FROM Dataset",
        "SELECT ds FROM Dataset ds WHERE (ds.id = 1",
        "SELECT ds FROM Dataset ds WHERE ds.id IN (",
        "SELECT ds FROM Dataset ds WHERE ds.name LIKE",
        "SELECT ds FROM Dataset ds ORDER ds.id",
        "SELECT x FROM Dataset ds",
        "SELECT ds FROM Dataset ds JOIN ds.name n",
        "SELECT FOO(ds) FROM Dataset ds",
        "Dataset [id=",
        "Dataset INCLUDE Facility",
        "0,1",
    ],
)
def test_what_is_no_query_is_a_bad_parameter(query: str) -> None:
    with pytest.raises(Refusal) as refused:
        asked(built([]), query)
    assert refused.value.code == "BAD_PARAMETER"


@given(
    st.text(alphabet=st.sampled_from("SELECT ds.id FROM Dataset WHERE ><=()'{},1 INCLUDE LIMIT [] :user"), max_size=80)
)
@settings(max_examples=200, deadline=None)
def test_no_text_breaks_the_parser(text: str) -> None:
    store = built([], datasets=1)
    with suppress(Refusal):
        assert orjson.loads(answer(store, ROOT, text).body) is not None
