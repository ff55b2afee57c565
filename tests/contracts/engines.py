"""This file is what two engines must answer alike: sets, counts, facets, suggestions; and on freshly built indexes scores and order.

A test module imports `Alike` and gives the fixture `fresh` (see contracts/index.py) of the engine that is held against the embedded one.
A few sets of made records are built once each, and very many made questions are asked of both; PANGATE_TIMES as many (with PANGATE_SOAK
ten times).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import ClassVar

import hypothesis
import msgspec
import oracle
import pytest
import strategies as made
from contracts.index import Fresh, walk
from hypothesis import HealthCheck, Phase, given, settings
from soak import how_many, keep

from catalogue.index.embedded import EmbeddedIndex
from catalogue.ports import Entry, Index
from catalogue.query import Found, Hit, Position, Search
from schema.records import Dataset

CLOSE = 1e-4
PAGES = 4
TIMES = how_many("PANGATE_TIMES", 1, 10)
words = made.st.sampled_from([*made.WORDS, *made.KEYWORDS, *made.NAMES, *made.PEOPLE, "pxrd", "energy", "0000-0001"])
beginnings = made.st.builds(lambda word, length: word[:length].lower(), words, made.st.integers(1, 9))


def made_records(count: int) -> list[Dataset]:
    """So many datasets as hypothesis makes them, the same in every run, each with an id and pid of its own."""
    found: list[Dataset] = []

    @hypothesis.seed(count)
    @settings(max_examples=count, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(made.datasets())
    def collect(record: Dataset) -> None:
        own = {"id": str(len(found)), "pid": f"{record.facility}/dataset/{len(found)}"}
        found.append(msgspec.structs.replace(record, **own))

    while len(found) < count:
        collect()
    return found[:count]


def written(records: list[Dataset]) -> list[Entry]:
    """Their first writes, an investigation beside every fifth."""
    entries = [made.entry(record, version) for version, record in enumerate(records, start=1)]
    beside = [made.entry(made.investigation(record), 10_000 + at) for at, record in enumerate(records[::5])]
    return [*entries, *beside]


def lived(records: list[Dataset]) -> list[Entry]:
    """What happens later: every third record takes the content of another one, every seventh goes."""
    others = records[1:] + records[:1]
    changed = [
        msgspec.structs.replace(other, source=record.source, facility=record.facility, id=record.id, pid=record.pid)
        for record, other in zip(records, others, strict=True)
    ]
    return [
        made.entry(record, 20_000 + at, gone=at % 7 == 0)
        for at, record in enumerate(changed)
        if at % 3 == 0 or at % 7 == 0
    ]


class Alike:
    """Any question: the same answer of both engines. `ASKED` is how many questions a set of so many records is asked."""

    ASKED: ClassVar[dict[int, int]] = {2: 120, 15: 480, 70: 700, 250: 500}
    LATER: ClassVar[int] = 100

    @pytest.fixture
    def embedded(self, tmp_path: Path) -> Iterator[EmbeddedIndex]:
        index = EmbeddedIndex(tmp_path / "embedded", techniques=oracle.Tree())
        yield index
        index.close()

    @pytest.mark.parametrize("size", [2, 15, 70, 250])
    def test_any_question_is_answered_alike(self, fresh: Fresh, embedded: EmbeddedIndex, size: int) -> None:
        other = fresh()
        entries = written(records := made_records(size))
        for index in (embedded, other):
            rebuild = index.rebuild()
            rebuild.apply(entries, 10_000)
            rebuild.swap()
        asked = self.ASKED[size] * TIMES
        first = questions(embedded, other, asked, scored=True)
        assert first >= asked
        same_beside_searches(embedded, other, entries)
        later = lived(records)
        for index in (embedded, other):
            index.apply(later, 30_000)
        second = questions(embedded, other, self.LATER * TIMES, scored=False)
        assert second >= self.LATER * TIMES
        same_beside_searches(embedded, other, entries)
        keep(f"alike-{size}", {"fresh": first, "lived": second})


def questions(one: Index, other: Index, count: int, *, scored: bool) -> int:
    """Ask so many of both; how many were asked. `scored`: scores and order must be alike too."""
    asked = 0

    @settings(max_examples=count, suppress_health_check=list(HealthCheck), database=None)
    @given(search=made.searches(), begun=beginnings)
    def ask(search: Search, begun: str) -> None:
        nonlocal asked
        asked += 1
        total = one.search(msgspec.structs.replace(search, first=1, facets=())).total
        paged = msgspec.structs.replace(search, first=max(search.first, -(-total // PAGES)))
        alike(list(walk(one, paged)), list(walk(other, paged)), scored=scored)
        if asked % 5 == 0:
            assert one.suggest(begun, 5) == other.suggest(begun, 5)

    ask()
    return asked


def same_beside_searches(one: Index, other: Index, entries: list[Entry]) -> None:
    """Counts, marks and documents."""
    assert one.counts() == other.counts()
    assert one.mark() == other.mark()
    pids = [entry.pid for entry in entries]
    for groups in (frozenset[str](), frozenset(made.GROUPS[:2])):
        for kind in {entry.kind for entry in entries}:
            assert one.get_many(kind, pids, groups) == other.get_many(kind, pids, groups)


def alike(one: list[Found], other: list[Found], *, scored: bool) -> None:
    """Two walks through all pages of the same search."""
    for left, right in zip(one, other, strict=True):
        assert (left.total, left.more, left.facets, left.sources) == (
            right.total,
            right.more,
            right.facets,
            right.sources,
        )
    first, second = ([hit for page in pages for hit in page.hits] for pages in (one, other))
    if all(hit.score is None for hit in first):
        assert [_bare(hit) for hit in first] == [_bare(hit) for hit in second]
        return
    scores = {hit.raw: hit.score for hit in first}
    assert {hit.raw for hit in second} == scores.keys()
    assert len(first) == len(second) == len(scores)
    if scored:
        _ranked_alike(first, second)


def _ranked_alike(first: list[Hit], second: list[Hit]) -> None:
    scores = {hit.raw: hit.score for hit in first}
    for hit in second:
        assert hit.score == pytest.approx(scores[hit.raw], rel=CLOSE)
    for above, below in pairwise(second):  # the same order but for equal scores
        assert (scores[above.raw] or 0) >= (scores[below.raw] or 0) * (1 - CLOSE)
    equal = [math.isclose(above.score or 0, below.score or 0, rel_tol=CLOSE) for above, below in pairwise(first)]
    if not any(equal):
        assert [hit.raw for hit in first] == [hit.raw for hit in second]


def _bare(hit: Hit) -> tuple[bytes, Position]:
    return hit.raw, msgspec.structs.replace(hit.position, generation="")
