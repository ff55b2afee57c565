"""This file is what every search index must do, whichever engine is behind it: import its classes into an engine's test module.

That module gives the fixture `fresh`: a function without arguments that makes a new, empty, writable index which knows oracle.Tree.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import count
from typing import ClassVar

import msgspec
import oracle
import pytest
import strategies as made
from hypothesis import HealthCheck, given, settings

from catalogue.ports import Entry, Held, Index
from catalogue.query import AnyOf, Between, FacetWish, Field, Found, Instant, ParameterIs, Position, Scope, Search, Sort
from schema.access import Access, Visibility
from schema.errors import CursorInvalid
from schema.records import (
    Dataset,
    Document,
    FileTotals,
    InstrumentPart,
    InvestigationPart,
    Kind,
    Parameter,
    Person,
    SamplePart,
    Technique,
    encode_document,
)
from schema.text import parse

Fresh = Callable[[], Index]
TEAM = Visibility(public=False, groups=("north:team",))
EXAMPLES = settings(
    max_examples=40,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.differing_executors,  # one suite, two engines: both inherit its classes
    ],
)


def dataset(number: int, **fields: object) -> Dataset:
    """A public dataset of that number."""
    known: dict[str, object] = {"title": f"Dataset {number}", "facility": "north"} | fields
    return Dataset(source=f"{known['facility']}/main", id=str(number), pid=f"north/dataset/{number:04d}", **known)  # type: ignore[arg-type]


def write(index: Index, *records: Dataset, start: int = 1) -> list[Entry]:
    """Write records, each at the next version, and set the mark to the last."""
    entries = [made.entry(record, version) for version, record in enumerate(records, start=start)]
    index.apply(entries, entries[-1].version)
    return entries


def pids(found: Found) -> list[str]:
    """The pids of a page."""
    return [hit.document().record.pid for hit in found.hits]


def numbers(found: Found) -> list[int]:
    """The numbers of a page's datasets, rising."""
    return sorted(int(pid.rsplit("/", 1)[1]) for pid in pids(found))


def walk(index: Index, search: Search) -> Iterator[Found]:
    """All pages, from the first to the last."""
    while True:
        found = index.search(search)
        yield found
        if not found.more:
            return
        search = msgspec.structs.replace(search, after=found.hits[-1].position)


def asked(query: str, **fields: object) -> Search:
    """A search for words."""
    return Search(asked=parse(query), **fields)  # type: ignore[arg-type]


class Scopes:
    """Two worlds that never mix."""

    def test_public_finds_only_what_everybody_may_see(self, fresh: Fresh) -> None:
        index = fresh()
        write(index, dataset(1), dataset(2, visibility=TEAM))
        assert numbers(index.search(Search(groups=frozenset(TEAM.groups)))) == [1]

    def test_mine_finds_only_what_is_hidden_and_open_to_my_groups(self, fresh: Fresh) -> None:
        index = fresh()
        write(
            index,
            dataset(1),
            dataset(2, visibility=TEAM),
            dataset(3, visibility=Visibility(public=False, groups=("x:y",))),
        )
        assert numbers(index.search(Search(scope=Scope.MINE, groups=frozenset(TEAM.groups)))) == [2]
        assert index.search(Search(scope=Scope.MINE)).total == 0

    def test_get_gives_hidden_documents_to_their_groups_alone(self, fresh: Fresh) -> None:
        index = fresh()
        entries = write(index, dataset(1), dataset(2, visibility=TEAM))
        stored = [encode_document(entry.make()) for entry in entries if entry.make]
        assert index.get(Kind.DATASET, entries[0].pid, frozenset()) == stored[0]
        assert index.get(Kind.DATASET, entries[1].pid, frozenset()) is None
        assert index.get(Kind.DATASET, entries[1].pid, frozenset({"north:other"})) is None
        assert index.get(Kind.DATASET, entries[1].pid, frozenset(TEAM.groups)) == stored[1]
        assert index.get(Kind.SAMPLE, entries[0].pid, frozenset()) is None
        everything = index.get_many(Kind.DATASET, ["absent", *(entry.pid for entry in entries)], frozenset(TEAM.groups))
        assert everything == {entries[0].pid: stored[0], entries[1].pid: stored[1]}

    def test_public_answers_are_the_same_with_and_without_hidden_documents(self, fresh: Fresh) -> None:
        shown = [dataset(number, title=f"neutron film {'thin ' * number}", keywords=("a",)) for number in range(1, 6)]
        hidden = [
            dataset(
                number, title="neutron film film", visibility=TEAM, keywords=("a", "b"), people=(Person("Hidden One"),)
            )
            for number in range(50, 90)
        ]
        with_them, without = fresh(), fresh()
        write(without, *shown)
        write(with_them, *shown)
        write(with_them, *hidden, start=100)
        search = asked("film", facets=(FacetWish(Field.KEYWORD),), first=3)
        for left, right in zip(walk(with_them, search), walk(without, search), strict=True):
            assert left == right
        assert with_them.suggest("hid", 5) == without.suggest("hid", 5) == []
        assert with_them.counts() == without.counts() == {"north": 5}

    def test_scores_of_mine_do_not_depend_on_what_others_hide(self, fresh: Fresh) -> None:
        shown = [dataset(number, title="neutron film") for number in range(1, 9)]
        mine = [dataset(20, title="neutron film"), dataset(21, title="film film neutron"), dataset(22, title="film")]
        team = [msgspec.structs.replace(record, visibility=TEAM) for record in mine]
        others = [
            dataset(number, title="film", visibility=Visibility(public=False, groups=("x:y",)))
            for number in range(30, 60)
        ]
        alone, beside = fresh(), fresh()
        write(alone, *shown, *team)
        write(beside, *shown, *team)
        write(beside, *others, start=100)
        search = asked("film", scope=Scope.MINE, groups=frozenset(TEAM.groups))
        left, right = alone.search(search), beside.search(search)
        assert [(hit.raw, hit.score) for hit in left.hits] == [(hit.raw, hit.score) for hit in right.hits]
        assert left.total == 3
        assert all(hit.score and hit.score > 0 for hit in left.hits)
        assert left.hits[0].score != left.hits[-1].score

    def test_the_spelling_of_what_was_hidden_since_is_shown_to_nobody_else(self, fresh: Fresh) -> None:
        index = fresh()

        def at_instrument(number: int, name: str, visibility: Visibility) -> Dataset:
            part = InstrumentPart(pid="north/instrument/1", name=name)
            return dataset(number, instruments=(part,), visibility=visibility)

        public = Visibility(public=True)
        write(index, at_instrument(1, "Open", public), *(at_instrument(at, "Secret", public) for at in range(2, 6)))
        write(index, *(at_instrument(at, "Secret", TEAM) for at in range(2, 6)), start=50)
        (facet,) = index.search(Search(facets=(FacetWish(Field.INSTRUMENT),))).facets
        assert [(bucket.label, bucket.count) for bucket in facet.buckets] == [("Open", 1)]
        assert index.suggest("secr", 5) == []

    def test_a_document_that_changes_worlds_is_in_one_only(self, fresh: Fresh) -> None:
        index = fresh()
        mine = Search(scope=Scope.MINE, groups=frozenset(TEAM.groups))
        for version, public in enumerate([True, False, True, False], start=1):
            write(index, dataset(1, visibility=Visibility(public=public, groups=TEAM.groups)), start=version)
            assert (index.search(Search()).total, index.search(mine).total) == ((1, 0) if public else (0, 1))

    def test_kinds_are_apart(self, fresh: Fresh) -> None:
        index = fresh()
        one = dataset(1, title="film")
        index.apply([made.entry(one, 1), made.entry(made.investigation(one), 2)], 2)
        assert index.search(asked("film")).total == 1
        assert index.search(asked("film", kind=Kind.INVESTIGATION)).hits[0].document().record.kind is Kind.INVESTIGATION
        assert index.counts() == {"north": 1}


class Words:
    """Text: all words, phrases, exclusions, weights."""

    @pytest.mark.parametrize(
        ("query", "expected"),
        [
            ("neutron", [1, 2, 3]),
            ("neutrons scatter", [1]),
            ("NEUTRON Größe", [2]),
            ("groesse", []),
            ('"thin film"', [1, 3]),
            ('"film thin"', []),
            ("small-angle", [1, 4]),
            ("small angle", [1, 4]),
            ("neutron -film", [2]),
            ('neutron -"thin film"', [2]),
            ("-neutron", [4, 5]),
            ("Fe2O3", [5]),
            ("La1.85Sr0.15CuO4", [4]),
            ('"example sample"', []),
            ("PXRD", [5]),
            ("north/dataset/0004", [4]),
            ("absent", []),
        ],
    )
    def test_words_find(self, fresh: Fresh, query: str, expected: list[int]) -> None:
        index = fresh()
        write(
            index,
            dataset(1, title="Neutron scattering", description="small-angle study of a thin film"),
            dataset(2, title="neutrons", keywords=("Größe",)),
            dataset(3, title="thin films", description="by neutron"),
            dataset(4, title="La1.85Sr0.15CuO4 at small angles", people=(Person("Ada Example"), Person("Sample Two"))),
            dataset(5, title="α-Fe2O3", techniques=(Technique("powder", pid=made.IRIS[2]),)),
        )
        assert numbers(index.search(asked(query))) == expected

    def test_a_title_weighs_more_than_a_description(self, fresh: Fresh) -> None:
        index = fresh()
        write(
            index,
            dataset(1, title="one thing", description="a film"),
            dataset(2, title="a film", description="one thing"),
        )
        found = index.search(asked("film"))
        assert pids(found) == ["north/dataset/0002", "north/dataset/0001"]
        assert found.hits[0].score is not None
        assert found.hits[0].score > (found.hits[1].score or 0)

    def test_filters_leave_scores_alone(self, fresh: Fresh) -> None:
        index = fresh()
        write(index, *(dataset(number, title="film " * number, keywords=("k",)) for number in range(1, 4)))
        filtered = index.search(asked("film", clauses=(AnyOf(Field.KEYWORD, ("k",)), Between(Instant.STARTED))))
        assert filtered.total == 0
        filtered = index.search(asked("film", clauses=(AnyOf(Field.KEYWORD, ("k",)),)))
        assert [hit.score for hit in filtered.hits] == [hit.score for hit in index.search(asked("film")).hits]

    def test_scores_are_the_textbooks(self, fresh: Fresh) -> None:
        """BM25 with k1 1.2 and b 0.75 over one field in which lengths are equal: checked by hand."""
        index = fresh()
        write(
            index, dataset(1, title="film film alpha"), dataset(2, title="film beta gamma"), dataset(3, title="x y z")
        )
        found = index.search(asked("film"))
        rarity = 0.4700036292457356  # log(1 + (3 - 2 + 0.5) / (2 + 0.5))
        expected = [4.0 * rarity * 2.2 * times / (times + 1.2) for times in (2, 1)]
        assert [hit.score for hit in found.hits] == pytest.approx(expected, rel=1e-4)


class Filters:
    """Every field, times, parameters."""

    RICH: ClassVar[dict[str, object]] = dict(  # noqa: C408
        instruments=(InstrumentPart(pid="north/instrument/1", name="ID01"),),
        techniques=(Technique("x", pid=made.IRIS[2]), Technique("Odd Method")),
        samples=(SamplePart(pid="north/sample/1", name="Größe", formula="Fe2O3"),),
        people=(Person("Béla Sample", orcid="0000-0001"),),
        investigation=InvestigationPart(pid="north/investigation/7", title="A Study", proposal="MA-1234"),
        keywords=("Soft Matter",),
        files=FileTotals(formats=("H5",)),
        access=Access.OPEN,
        doi="10.1/abc",
        start=made.START,
        parameters=(Parameter(name="Energy", source_name="mono_e", si_value=2.0, dimension="d"),),
    )

    @pytest.mark.parametrize(
        ("field", "values"),
        [
            (Field.PID, ["north/dataset/0001", "10.1/ABC"]),
            (Field.FACILITY, ["north"]),
            (Field.SOURCE, ["north/main"]),
            (Field.INSTRUMENT, ["north/instrument/1", "ID01", "id01"]),
            (Field.TECHNIQUE, [*made.IRIS, "odd  method"]),
            (Field.TECHNIQUE_EXACT, [made.IRIS[2], "ODD method"]),
            (Field.SAMPLE, ["north/sample/1", "grosse", "fe2o3"]),
            (Field.PERSON, ["0000-0001", "bela sample"]),
            (Field.INVESTIGATION, ["north/investigation/7", "a study", "ma-1234"]),
            (Field.KEYWORD, ["Soft Matter", "soft matter"]),
            (Field.FILE_FORMAT, ["h5"]),
            (Field.ACCESS, ["OPEN"]),
            (Field.YEAR, ["2019"]),
            (Field.PARAMETER_NAME, ["energy", "MONO_E"]),
        ],
    )
    def test_a_field_is_found_by_pid_and_by_name(self, fresh: Fresh, field: Field, values: Sequence[str]) -> None:
        index = fresh()
        plain = dataset(2, facility="south", access=Access.CLOSED)
        write(index, dataset(1, **self.RICH), plain)
        for value in values:
            assert numbers(index.search(Search(clauses=(AnyOf(field, (value, "nothing")),)))) == [1], value
        assert index.search(Search(clauses=(AnyOf(field, ("nothing",)),))).total == 0
        assert index.search(Search(clauses=(AnyOf(field, ()),))).total == 0

    def test_exact_techniques_leave_narrower_ones_out(self, fresh: Fresh) -> None:
        index = fresh()
        write(index, *(dataset(at, techniques=(Technique("x", pid=iri),)) for at, iri in enumerate(made.IRIS)))
        assert numbers(index.search(Search(clauses=(AnyOf(Field.TECHNIQUE, (made.IRIS[1],)),)))) == [1, 2]
        assert numbers(index.search(Search(clauses=(AnyOf(Field.TECHNIQUE_EXACT, (made.IRIS[1],)),)))) == [1]

    def test_times_include_their_start_and_not_their_end(self, fresh: Fresh) -> None:
        index = fresh()
        hours = [made.START + timedelta(microseconds=at) for at in range(4)]
        write(index, dataset(9), *(dataset(at, start=hour, release=hour) for at, hour in enumerate(hours)))
        for field in Instant:
            assert numbers(index.search(Search(clauses=(Between(field, hours[1], hours[3]),)))) == [1, 2]
            assert numbers(index.search(Search(clauses=(Between(field, None, hours[1]),)))) == [0]
            assert numbers(index.search(Search(clauses=(Between(field),)))) == [0, 1, 2, 3]

    @pytest.mark.parametrize(
        ("clause", "expected"),
        [
            (ParameterIs("energy"), [1, 2, 3, 4, 5, 6]),
            (ParameterIs("ENERGY", 2.0, 2.0, "d"), [1, 3, 4]),
            (ParameterIs("energy", 2.5, 100.5, "d"), [2, 3, 4, 6]),
            (ParameterIs("energy", 10, 100.5, "d"), [2, 4]),
            (ParameterIs("energy", None, 1.5, "d"), [3, 6]),
            (ParameterIs("energy", 2.0, None, None), [5]),
            (ParameterIs("energy", 0.0, 0.0, None), []),
            (ParameterIs("energy", text=("COLD",)), [6]),
            (ParameterIs("energy", 1, 2, "d", ("cold",)), []),
            (ParameterIs("energy", 3, 3, "d", ("hot", "cold")), [6]),
            (ParameterIs("energy", 9, 3, "d"), []),
            (ParameterIs("absent", 1, 2, "d"), []),
        ],
    )
    def test_parameters_are_compared_in_their_dimension(
        self, fresh: Fresh, clause: ParameterIs, expected: list[int]
    ) -> None:
        index = fresh()

        def energy(**numbers: object) -> Parameter:
            return Parameter(name="Energy", source_name="e", **numbers)  # type: ignore[arg-type]

        write(
            index,
            dataset(1, parameters=(energy(si_value=2.0, value=2000.0, dimension="d"),)),
            dataset(2, parameters=(energy(si_value=10.0, dimension="d"),)),
            dataset(3, parameters=(energy(si_min=1.0, si_max=3.0, dimension="d"),)),
            dataset(4, parameters=(energy(si_min=2.0, dimension="d"),)),
            dataset(5, parameters=(energy(value=2.5),)),
            dataset(
                6, parameters=(energy(si_value=3.0, dimension="d", text="Cold"), energy(si_value=1.0, dimension="d"))
            ),
        )
        assert numbers(index.search(Search(clauses=(clause,)))) == expected

    def test_values_of_two_parameters_are_not_mixed(self, fresh: Fresh) -> None:
        index = fresh()
        ranges = tuple(
            Parameter(name="gap", source_name="gap", si_min=low, si_max=low + 1, dimension="d")
            for low in (0.0, 4.0, 8.0)
        )
        write(index, dataset(1, parameters=ranges))
        assert index.search(Search(clauses=(ParameterIs("gap", 4.4, 4.6, "d"),))).total == 1
        assert index.search(Search(clauses=(ParameterIs("gap", 2.0, 3.0, "d"),))).total == 0


class Facets:
    """Counts are exact, of documents, and leave out the clauses on their own field."""

    def test_a_facet_ignores_its_own_filter_and_obeys_the_others(self, fresh: Fresh) -> None:
        index = fresh()
        write(
            index,
            *(dataset(at, keywords=("a",), facility="north") for at in range(3)),
            *(dataset(at, keywords=("b",), facility="north") for at in range(3, 5)),
            dataset(5, keywords=("b",), facility="south"),
        )
        clauses = (AnyOf(Field.KEYWORD, ("a",)), AnyOf(Field.FACILITY, ("north",)))
        found = index.search(Search(clauses=clauses, facets=(FacetWish(Field.KEYWORD), FacetWish(Field.FACILITY))))
        keyword, facility = found.facets
        assert [(bucket.value, bucket.count) for bucket in keyword.buckets] == [("a", 3), ("b", 2)]
        assert [(bucket.value, bucket.count) for bucket in facility.buckets] == [("north", 3)]
        assert found.total == 3
        assert found.sources == {"north/main": 3}

    def test_a_value_is_shown_as_it_is_written_and_filters_as_it_is(self, fresh: Fresh) -> None:
        index = fresh()
        write(
            index,
            dataset(1, keywords=("Soft Matter",), instruments=(InstrumentPart(pid="north/instrument/1", name="ID01"),)),
            dataset(2, keywords=("soft matter",), techniques=(Technique("x", pid=made.IRIS[1]),)),
        )
        wishes = tuple(FacetWish(field) for field in (Field.KEYWORD, Field.INSTRUMENT, Field.TECHNIQUE_EXACT))
        for facet in index.search(Search(facets=wishes)).facets:
            for bucket in facet.buckets:
                clause = AnyOf(facet.wish.field or Field.PID, (bucket.value,))
                assert index.search(Search(clauses=(clause,))).total == bucket.count
        labels = [[bucket.label for bucket in facet.buckets] for facet in index.search(Search(facets=wishes)).facets]
        assert labels == [["Soft Matter"], ["ID01"], ["diffraction"]]

    def test_many_values_are_counted_exactly(self, fresh: Fresh) -> None:
        index = fresh()
        records = [
            dataset(at, keywords=tuple({f"k{at % 97:02d}", f"k{at * at % 89:02d}", f"m{at % 3}"})) for at in range(400)
        ]
        for start in range(0, 400, 100):
            write(index, *records[start : start + 100], start=start + 1)
        documents = [made.document(record, 1) for record in records]
        for size in (1, 3, 10, 50):
            wish = FacetWish(Field.KEYWORD, size=size)
            compare_facet(index, documents, Search(facets=(wish,), first=0), wish)

    def test_a_histogram_has_equal_bins_and_counts_documents(self, fresh: Fresh) -> None:
        index = fresh()
        write(
            index,
            dataset(0),
            *(
                dataset(
                    at,
                    parameters=tuple(
                        Parameter(name="t", source_name="t", si_value=value, dimension="d") for value in values
                    ),
                )
                for at, values in enumerate([(0.0, 1.0), (5.0,), (10.0, 2.0), (7.5,)], start=1)
            ),
        )
        (facet,) = index.search(Search(facets=(FacetWish(None, "T", "d", bins=2),))).facets
        assert [(bucket.low, bucket.high, bucket.count) for bucket in facet.buckets] == [(0.0, 5.0, 2), (5.0, 10.0, 3)]
        assert facet.missing == 1
        (facet,) = index.search(Search(facets=(FacetWish(None, "T", "d", bins=20), FacetWish(None, "absent")))).facets[
            :1
        ]
        assert sum(bucket.count for bucket in facet.buckets) == 6
        (absent,) = index.search(Search(facets=(FacetWish(None, "absent", "d"),))).facets
        assert (absent.buckets, absent.missing) == ((), 5)


def compare_facet(index: Index, documents: list[Document], search: Search, wish: FacetWish) -> None:
    """The facet is what brute force counts."""
    facet = index.search(search).facets[search.facets.index(wish)]
    if wish.field is None:
        counts, missing = oracle.histogram(documents, search, wish)
        assert ([bucket.count for bucket in facet.buckets], facet.missing) == (counts, missing)
        return
    expected, missing, other = oracle.facet(documents, search, wish)
    assert {bucket.value: bucket.count for bucket in facet.buckets} == expected
    assert (facet.missing, facet.other) == (missing, other)
    shown = [(bucket.value, bucket.count) for bucket in facet.buckets]
    order = sorted(shown) if wish.field is Field.YEAR else sorted(shown, key=lambda pair: (-pair[1], pair[0]))
    assert shown == order


class Pages:
    """Every order is total, and a walk of pages is the whole list."""

    @pytest.mark.parametrize("sort", list(Sort))
    @pytest.mark.parametrize("size", [1, 3, 7, 50])
    def test_pages_lose_and_repeat_nothing(self, fresh: Fresh, sort: Sort, size: int) -> None:
        index = fresh()
        records = [
            dataset(
                at,
                title=f"film {at % 3}" if at % 4 else "",
                start=made.START + timedelta(days=at % 4) if at % 5 else None,
                release=made.START + timedelta(days=at % 3) if at % 2 else None,
            )
            for at in range(23)
        ]
        entries = write(index, *records)
        found = [pid for page in walk(index, Search(sort=sort, first=size)) for pid in pids(page)]
        assert found == oracle.ordered([entry.make() for entry in entries if entry.make], sort)

    def test_equal_scores_are_in_order_of_pid(self, fresh: Fresh) -> None:
        index = fresh()
        order = [at * 7 % 40 for at in range(40)]
        for start in range(0, 40, 10):
            write(index, *(dataset(at, title="film") for at in order[start : start + 10]), start=start + 1)
        found = [pid for page in walk(index, asked("film", first=7)) for pid in pids(page)]
        assert found == [f"north/dataset/{at:04d}" for at in range(40)]

    def test_relevance_falls_to_the_last_page(self, fresh: Fresh) -> None:
        index = fresh()
        write(index, *(dataset(at, title="film " * (at % 5 + 1) + "x " * (at % 3)) for at in range(40)))
        pages = list(walk(index, asked("film", first=6)))
        ranked = [(-(hit.score or 0), hit.document().record.pid) for page in pages for hit in page.hits]
        assert len({pid for _, pid in ranked}) == 40
        assert all(page.total == 40 for page in pages)
        assert all(left[0] <= right[0] + 1e-5 for left, right in itertools.pairwise(ranked))

    def test_a_list_by_relevance_is_read_on_as_it_was_begun(self, fresh: Fresh) -> None:
        index = fresh()
        write(index, *(dataset(at, title="film") for at in range(10)))
        first = index.search(asked("film", first=4))
        write(index, *(dataset(at, title="film film film") for at in (20, 0, 1, 9)), start=100)
        rest = index.search(asked("film", first=20, after=first.hits[-1].position))
        assert pids(first) + pids(rest) == [f"north/dataset/{at:04d}" for at in range(10)]

    def test_a_list_by_a_field_goes_on_by_value_while_others_write(self, fresh: Fresh) -> None:
        index = fresh()
        write(index, *(dataset(at, title=f"t{at:02d}") for at in range(10)))
        first = index.search(Search(sort=Sort.TITLE, first=4))
        write(index, dataset(50, title="a"), dataset(60, title="t04x"), dataset(2, title="zz"), start=100)
        rest = index.search(Search(sort=Sort.TITLE, first=20, after=first.hits[-1].position))
        assert numbers(first) == [0, 1, 2, 3]
        assert pids(rest)[:3] == ["north/dataset/0004", "north/dataset/0060", "north/dataset/0005"]

    def test_a_position_of_another_order_is_refused(self, fresh: Fresh) -> None:
        index = fresh()
        write(index, *(dataset(at, title="film") for at in range(4)))
        position = index.search(Search(first=1)).hits[0].position
        with pytest.raises(CursorInvalid):
            index.search(Search(first=1, sort=Sort.TITLE, after=position))
        with pytest.raises(CursorInvalid):
            index.search(Search(first=1, after=Position("", Sort.NEWEST, "nonsense", "x", 1)))

    def test_mine_is_walked_to_its_end(self, fresh: Fresh) -> None:
        index = fresh()
        write(index, *(dataset(at, title="film " * (1 + at % 3), visibility=TEAM) for at in range(20)))
        search = asked("film", scope=Scope.MINE, groups=frozenset(TEAM.groups), first=3)
        found = [pid for page in walk(index, search) for pid in pids(page)]
        assert len(found) == len(set(found)) == 20


class Suggestions:
    """Completions by the beginning of a word, from public documents."""

    def test_beginnings_complete_to_what_filters_take(self, fresh: Fresh) -> None:
        index = fresh()
        write(index, dataset(1, **Filters.RICH), dataset(2, keywords=("soft Robotics",), title="software"))
        for text, kind, value in [
            ("SOF", "keyword", "soft matter"),
            ("matt", "keyword", "soft matter"),
            ("id0", "instrument", "north/instrument/1"),
            ("grö", "sample", "north/sample/1"),
            ("béla s", "person", "0000-0001"),
            ("ma-12", "investigation", "north/investigation/7"),
            ("stud", "investigation", "north/investigation/7"),
            ("powder d", "technique", made.IRIS[2]),
            ("pxr", "technique", made.IRIS[2]),
            ("odd", "technique", "odd method"),
            ("ener", "parameter", "energy"),
        ]:
            found = {(one.kind, one.value): one.count for one in index.suggest(text, 10)}
            assert found.get((kind, value)) == 1, text
        assert index.suggest("", 10) == index.suggest("zz", 10) == []
        assert len(index.suggest("so", 1)) == 1

    def test_the_most_used_come_first_and_gone_ones_not_at_all(self, fresh: Fresh) -> None:
        index = fresh()
        write(index, *(dataset(at, keywords=(f"film {at % 3 // 2}", f"film only{at}")) for at in range(6)))
        assert [(one.text, one.count) for one in index.suggest("film", 2)] == [("film 0", 4), ("film 1", 2)]
        write(index, *(dataset(at) for at in range(6)), start=100)
        assert index.suggest("film", 5) == []


class Writes:
    """A version at or below the one that is there does nothing."""

    def test_older_and_equal_versions_are_skipped(self, fresh: Fresh) -> None:
        index = fresh()
        index.apply([made.entry(dataset(1, title="new"), 5)], 5)
        for version in (4, 5):
            index.apply([made.entry(dataset(1, title="old"), version)], 5)
        index.apply([made.entry(dataset(1), 3, gone=True)], 5)
        assert index.search(Search()).hits[0].document().record == dataset(1, title="new")
        index.apply([made.entry(dataset(1), 6, gone=True)], 6)
        index.apply([made.entry(dataset(1, title="old"), 5)], 6)
        assert index.search(Search()).total == 0
        index.apply([made.entry(dataset(1, title="again"), 7)], 7)
        assert index.search(Search()).total == 1

    def test_the_newest_of_one_batch_wins(self, fresh: Fresh) -> None:
        index = fresh()
        index.apply([made.entry(dataset(1, title=f"t{version}"), version) for version in (2, 4, 3, 1)], 4)
        assert [hit.document().version for hit in index.search(Search()).hits] == [4]

    def test_the_mark_moves_and_does_not_go_back(self, fresh: Fresh) -> None:
        index = fresh()
        assert index.mark() == 0
        index.apply([], 3)
        assert index.mark() == 3
        index.apply([made.entry(dataset(1), 2)], 2)
        assert index.mark() == 3

    @EXAMPLES
    @given(entries=made.entries(), data=made.st.data())
    def test_repeats_and_reorderings_do_no_harm(
        self, fresh: Fresh, entries: list[Entry], data: made.st.DataObject
    ) -> None:
        index = fresh()
        shuffled = data.draw(made.st.permutations(entries + entries[: len(entries) // 2]))
        for start in range(0, len(shuffled), 7):
            index.apply(shuffled[start : start + 7], start)
        expected = oracle.held(entries)
        for scope in Scope:
            search = Search(scope=scope, groups=frozenset(made.GROUPS), first=100)
            stored = {hit.raw for hit in index.search(search).hits}
            assert stored == {encode_document(document) for document in oracle.matching(expected, search)}
        index.close()


class Rebuilds:
    """A new index is built aside and taken at once."""

    def test_a_rebuild_is_unseen_until_the_swap(self, fresh: Fresh) -> None:
        index = fresh()
        write(index, dataset(1, title="old"))
        rebuild = index.rebuild()
        rebuild.apply([made.entry(dataset(2, title="new"), 8)], 8)
        assert (numbers(index.search(Search())), index.mark()) == ([1], 1)
        rebuild.swap()
        assert (numbers(index.search(Search())), index.mark()) == ([2], 8)
        write(index, dataset(3), start=9)
        assert numbers(index.search(Search())) == [2, 3]

    def test_an_abandoned_one_leaves_no_trace(self, fresh: Fresh) -> None:
        index = fresh()
        write(index, dataset(1))
        rebuild = index.rebuild()
        rebuild.apply([made.entry(dataset(2), 8)], 8)
        rebuild.abandon()
        assert (numbers(index.search(Search())), index.mark()) == ([1], 1)

    def test_it_tells_how_many_documents_it_holds(self, fresh: Fresh) -> None:
        rebuild = fresh().rebuild()
        assert rebuild.held() == Held(0)
        beside = made.entry(made.investigation(dataset(1)), 6)
        shown = [made.entry(dataset(at), at) for at in range(1, 6)]
        hidden = [made.entry(dataset(at, visibility=TEAM), at) for at in (7, 8)]
        rebuild.apply([*shown, beside, *hidden], 8)
        assert rebuild.held() == Held(8)
        rebuild.apply([*shown, beside, *hidden], 8)
        assert rebuild.held() == Held(8), "what comes again is there once"
        rebuild.apply([made.entry(dataset(1), 9, gone=True), made.entry(dataset(7), 10, gone=True)], 10)
        rebuild.apply([made.entry(dataset(99), 11, gone=True), made.entry(dataset(1), 4)], 11)
        assert rebuild.held() == Held(6), "tombstones are no documents, and nothing old comes back"
        rebuild.apply([made.entry(dataset(2, visibility=TEAM), 12), made.entry(dataset(8), 13)], 13)
        assert rebuild.held() == Held(6), "what changes worlds is in one of them"
        rebuild.apply([made.entry(dataset(1), 14)], 14)
        assert rebuild.held() == Held(7)
        rebuild.swap()

    def test_what_it_cannot_take_is_told_apart_as_long_as_it_is_so(self, fresh: Fresh) -> None:
        """What one engine refuses another may take."""
        index = fresh()
        rebuild = index.rebuild()
        wide = msgspec.structs.replace(TEAM, groups=(*TEAM.groups, "north:" + "x" * 40_000))
        beyond = [made.entry(dataset(1, keywords=("x" * 40_000,)), 1), made.entry(dataset(2, visibility=wide), 2)]
        for _ in range(2):
            rebuild.apply([*beyond, made.entry(dataset(3), 3)], 3)
            held = rebuild.held()
            assert held.live + held.refused == 3
        rebuild.apply([made.entry(dataset(2), 4)], 4)
        held = rebuild.held()
        assert held.live + held.refused == 3
        rebuild.apply([made.entry(dataset(1), 5, gone=True)], 5)
        assert rebuild.held() == Held(2)
        rebuild.swap()
        assert numbers(index.search(Search())) == [2, 3]

    @settings(EXAMPLES, max_examples=15)
    @given(entries=made.entries(), data=made.st.data())
    def test_it_holds_what_any_entries_in_any_order_leave(
        self, fresh: Fresh, entries: list[Entry], data: made.st.DataObject
    ) -> None:
        index = fresh()
        rebuild = index.rebuild()
        shuffled = data.draw(made.st.permutations(entries + entries[: len(entries) // 2]))
        for start in range(0, len(shuffled), 7):
            rebuild.apply(shuffled[start : start + 7], start)
        assert rebuild.held() == Held(len(oracle.held(entries)))
        rebuild.abandon()
        index.close()

    def test_a_begun_list_is_read_on_after_the_swap(self, fresh: Fresh) -> None:
        index = fresh()
        write(index, *(dataset(at, title="film") for at in range(6)))
        first = index.search(asked("film", first=2))
        rebuild = index.rebuild()
        rebuild.apply([made.entry(dataset(50, title="film"), 90)], 90)
        rebuild.swap()
        assert numbers(index.search(asked("film", first=9, after=first.hits[-1].position))) == [2, 3, 4, 5]

    def test_readers_see_one_world_or_the_other_while_it_swaps(self, fresh: Fresh) -> None:
        index = fresh()
        write(index, *(dataset(at, title="film") for at in range(4)))
        seen: list[tuple[int, ...]] = []
        done = threading.Event()

        def read() -> None:
            while not done.is_set():
                seen.append(tuple(numbers(index.search(asked("film")))))

        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        for version in count(100):
            rebuild = index.rebuild()
            entries = [made.entry(dataset(at, title="film"), version) for at in range(10, 13)]
            rebuild.apply(entries, version)
            rebuild.swap()
            if version >= 103 and len(seen) > 20:
                break
        done.set()
        for reader in readers:
            reader.join()
        assert set(seen) <= {(0, 1, 2, 3), (10, 11, 12)}


class BruteForce:
    """Any made documents, any question: the same answer as by brute force."""

    @EXAMPLES
    @given(entries=made.entries(), searches=made.st.lists(made.searches(), min_size=1, max_size=6))
    def test_any_search_answers_as_brute_force_does(
        self, fresh: Fresh, entries: list[Entry], searches: list[Search]
    ) -> None:
        index = fresh()
        for start in range(0, len(entries), 9):
            index.apply(entries[start : start + 9], entries[start : start + 9][-1].version)
        documents = oracle.held(entries)
        for search in searches:
            expected = oracle.matching(documents, search)
            pages = list(walk(index, search))
            found = [pid for page in pages for pid in pids(page)]
            assert sorted(found) == sorted(document.record.pid for document in expected)
            assert {page.total for page in pages} == {len(expected)}
            assert pages[0].sources == oracle.sources(expected)
            if search.sort is not Sort.RELEVANCE or not (search.asked.words or search.asked.phrases):
                assert found == oracle.ordered(expected, search.sort)
            for wish in search.facets:
                compare_facet(index, documents, search, wish)
        index.close()
