"""Which state of an Elasticsearch index is read: one is kept while nothing is counted into the index and not a second longer, what
replaces it closes it, and what a cursor names lives five minutes, in two processes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from contracts.index import TEAM, asked, dataset, numbers, pids, write

from catalogue.index.elastic import ElasticIndex
from catalogue.index.elastic_client import Absent, Refused, Request, Steps, T, run
from catalogue.index.elastic_generations import Layout
from catalogue.index.elastic_mapping import FORMAT
from catalogue.index.elastic_marks import reached
from catalogue.index.elastic_states import LIFE, SECONDS, States
from catalogue.index.elastic_views import View
from catalogue.index.pins import SECONDS as FIVE_MINUTES
from catalogue.query import FacetWish, Field, Found, Scope, Search, Sort
from schema.errors import CursorExpired, Misconfigured

MINE = Search(scope=Scope.MINE, groups=frozenset(TEAM.groups))
LAYOUT = Layout("x", template=False)
Make = Callable[..., ElasticIndex]


class Clock:
    """A time that moves when told."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Server:
    """Answers what is asked about states as Elasticsearch 8.19 does (seen at a real one): the mark by its alias, points in time."""

    def __init__(self) -> None:
        self.stem, self.mark, self.written = f"x-v{FORMAT}-20260101000000000000-00000000", 7, 1
        self.among = 1
        self.pits = 0
        self.asked: Counter[str] = Counter()

    def send(self, request: Request) -> Any:
        self.asked[f"{request.method} {request.path.rsplit('/', 1)[1]}"] += 1
        if request.path.startswith("/_alias/"):
            return {f"{self.stem}-public": {}}
        if request.path.endswith("/_pit"):
            self.pits += 1
            return {"id": f"pit {self.pits}"}
        if self.among != 1 and request.path.startswith("/x-restricted/"):
            raise Refused(400, "illegal_argument_exception", "alias [x-restricted] has more than one index")
        if self.mark == 0:
            raise Absent("no such document")
        return {"_index": f"{self.stem}-restricted", "_seq_no": self.written, "_source": {"mark": self.mark}}


class World:
    """States of a server, and a clock."""

    def __init__(self) -> None:
        self.server, self.clock = Server(), Clock()
        self.states = States(LAYOUT, self.clock)

    def run(self, steps: Steps[T]) -> T:
        return run(self.server, steps)

    def take(self, *, leave: bool = True) -> View:
        view = self.run(self.states.take(True))
        assert view is not None
        if leave:
            self.states.leave(view)
        return view

    @property
    def closed(self) -> list[str]:
        return [chore.body["id"] for chore in self.states.chores]  # type: ignore[index, call-overload]


@pytest.fixture
def world() -> World:
    return World()


def test_a_state_is_kept_while_nothing_changes_for_one_small_call_a_second(world: World) -> None:
    first = world.take()
    for _ in range(28):
        world.clock.now += SECONDS
        assert world.take() is world.take() is first
    assert world.server.asked == {"GET mark": 29, "POST _pit": 1}
    assert world.closed == []


@pytest.mark.parametrize(
    "change",
    [{"mark": 8, "written": 2}, {"written": 2}, {"stem": f"x-v{FORMAT}-20260102000000000000-00000000"}, {"mark": 0}],
)
def test_not_a_second_longer_once_something_does_and_the_old_one_is_closed(
    world: World, change: dict[str, Any]
) -> None:
    first = world.take()
    vars(world.server).update(change)
    assert world.take() is first
    world.clock.now += SECONDS
    second = world.take()
    assert (second is first, world.closed) == (False, ["pit 1"])
    assert world.take() is second


def test_it_is_read_half_a_minute_at_most(world: World) -> None:
    first = world.take()
    world.clock.now += LIFE
    assert world.take() is not first


def test_what_is_being_read_or_named_by_a_cursor_is_not_closed(world: World) -> None:
    read, named = world.take(leave=False), None
    for mark in (8, 9, 10):
        world.server.mark = mark
        world.clock.now += SECONDS
        view = world.take()
        if mark == 8:
            named = view
            view.pin()
    assert world.closed == ["pit 3"], "not the one that is read, not the one that is named, not the present one"
    assert named is not None
    world.states.leave(read)
    assert world.closed == ["pit 3", "pit 1"]


def test_forgetting_closes_what_nobody_reads_and_looks_anew(world: World) -> None:
    first, reads = world.take(), world.take(leave=False)
    assert first is reads
    world.states.forget()
    assert world.closed == []
    assert world.take() is not first
    world.states.leave(reads)
    assert world.closed == ["pit 1"]


def test_one_that_comes_late_does_not_take_the_place_of_a_newer_one(world: World) -> None:
    late = world.states.take(True)
    answer = world.server.send(next(late))
    world.server.mark = 8
    world.clock.now += SECONDS
    newer = world.take()
    opening = late.send(answer)
    with pytest.raises(StopIteration) as end:
        late.send(world.server.send(opening))
    assert world.take() is newer
    world.states.leave(end.value.value)
    assert world.closed == ["pit 2"]


def test_those_who_open_the_same_state_together_read_one(world: World) -> None:
    both = [world.states.take(True) for _ in range(2)]
    opening = [one.send(world.server.send(next(one))) for one in both]
    found = []
    for one, request in zip(both, opening, strict=True):
        with pytest.raises(StopIteration) as end:
            one.send(world.server.send(request))
        found.append(end.value.value)
    assert found[0] is found[1] is world.take()
    assert world.closed == ["pit 2"]


def test_how_far_an_index_is_takes_one_call_and_more_where_its_beginning_is_seen(world: World) -> None:
    server = world.server
    told = world.run(reached(LAYOUT))
    assert told is not None
    assert (told.generation.stem, told.mark, sum(server.asked.values())) == (server.stem, 7, 1)
    server.among = 2  # two writers have begun one each
    found = world.run(reached(LAYOUT))
    assert found is not None
    assert (found.generation.stem, found.mark) == (server.stem, 7)
    server.among, server.mark = 1, 0
    begun = world.run(reached(LAYOUT))
    assert begun is not None
    assert (begun.generation.stem, begun.mark) == (server.stem, 0)
    server.stem, server.mark = f"x-v{FORMAT + 1}-20260101000000000000-00000000", 7
    with pytest.raises(Misconfigured, match="pangate rebuild"):
        world.run(reached(LAYOUT))


# What follows is asked of a real node.


class Overheard:
    """What an index asks of its cluster, and what it is answered."""

    def __init__(self, index: ElasticIndex) -> None:
        self._send = index._cluster.send
        self.told: list[tuple[str, Any]] = []
        index._cluster.send = self  # type: ignore[method-assign, assignment]

    def __call__(self, request: Request) -> Any:
        try:
            answer = self._send(request)
        except Absent as error:
            answer = error
        self.told.append((f"{request.method} {request.path.rsplit('/', 1)[1].partition('.')[0]}", answer))
        if isinstance(answer, Absent):
            raise answer
        return answer

    def taken(self) -> Counter[str]:
        """How often each was asked since the last time."""
        found = Counter(what for what, _ in self.told)
        self.told.clear()
        return found


@pytest.mark.elasticsearch
@pytest.mark.timeout(600)
def test_searches_of_an_index_that_rests_cost_one_call_and_what_is_hidden_is_gone_within_two_seconds(
    make: Make,
) -> None:
    writer, clock = make(), Clock()
    write(writer, *(dataset(at, title="film", instruments=()) for at in range(9)))
    writer.mark()
    reader = make(writable=False, clock=clock)
    overheard = Overheard(reader)
    film = asked("film", first=4)
    assert reader.search(film).total == 9
    assert overheard.taken() == {"GET mark": 1, "POST _pit": 1, "POST _search": 2, "PUT view": 1}
    for _ in range(5):
        clock.now += SECONDS
        reader.search(film)
    reader.search(film)
    assert overheard.taken() == {"GET mark": 5, "POST _search": 6}
    write(writer, dataset(3, title="film", visibility=TEAM), start=20)
    writer.mark()
    clock.now += SECONDS
    assert numbers(reader.search(asked("film", first=20))) == [0, 1, 2, 4, 5, 6, 7, 8]
    assert numbers(reader.search(msgspec.structs.replace(film, scope=Scope.MINE, groups=MINE.groups))) == [3]


@pytest.mark.elasticsearch
@pytest.mark.timeout(600)
def test_points_in_time_are_closed_when_newer_ones_replace_them_but_those_that_cursors_name(make: Make) -> None:
    writer, clock = make(), Clock()
    write(writer, *(dataset(at, title="film") for at in range(9)))
    writer.mark()
    reader = make(writable=False, clock=clock)
    overheard = Overheard(reader)

    def later(search: Search) -> list[Any]:
        write(writer, dataset(50), start=int(clock.now))
        writer.mark()
        clock.now += SECONDS
        reader.search(search)
        found = [answer for what, answer in overheard.told if what == "DELETE _pit"]
        overheard.told.clear()
        return found

    assert later(Search(sort=Sort.TITLE)) == []
    assert later(Search(sort=Sort.TITLE)) == [{"succeeded": True, "num_freed": 1}]
    assert later(asked("film", first=2)) == [{"succeeded": True, "num_freed": 1}]
    assert later(asked("film", first=2)) == [], "a cursor may name the one before"


@pytest.mark.elasticsearch
@pytest.mark.timeout(600)
@pytest.mark.parametrize("scope", [Scope.PUBLIC, Scope.MINE])
def test_a_cursor_lives_five_minutes_while_much_is_written_here_and_in_another_process(
    make: Make, scope: Scope
) -> None:
    clock = Clock()
    shown = {"visibility": TEAM} if scope is Scope.MINE else {}
    writer, reader, other = make(), make(writable=False, clock=clock), make(writable=False, clock=clock)
    write(writer, *(dataset(at, title="film", **shown) for at in range(6)))
    writer.mark()
    film = msgspec.structs.replace(asked("film", first=2), scope=scope, groups=MINE.groups)
    first = reader.search(film)
    begun = clock.now
    for step in range(1, 40):  # more states than were ever kept by their number
        write(writer, dataset(100 + step, title="film film", **shown), start=100 + step)
        writer.mark()
        clock.now = begun + step * FIVE_MINUTES / 41
        assert reader.search(film).total == other.search(film).total == 6 + step
    clock.now = begun + FIVE_MINUTES - 1

    def rest(index: ElasticIndex) -> Found:
        return index.search(msgspec.structs.replace(film, first=9, after=first.hits[-1].position))

    whole = [f"north/dataset/{at:04d}" for at in range(6)]
    for index in (other, reader):
        found = rest(index)
        assert pids(first) + pids(found) == whole
        assert found.total == 6
    clock.now += 2 * FIVE_MINUTES
    for index in (reader, other):  # what was noted is taken away with what is no longer held
        index.search(film)
        index.search(film)
    held = writer._run(_notes(writer))
    assert held == {reader.search(film).hits[0].position.generation, other.search(film).hits[0].position.generation}
    with pytest.raises(CursorExpired):
        rest(reader)


def _notes(index: ElasticIndex) -> Steps[set[str]]:
    """The names that are noted in the index."""
    yield Request("POST", f"/{index._layout.alias('restricted')}/_refresh")
    body = {"query": {"match_all": {}}, "size": 1000, "_source": ["pit"]}
    found = yield Request("POST", f"/{index._layout.alias('restricted')}/_search", body)
    return {hit["_source"]["pit"]["name"] for hit in found["hits"]["hits"] if "pit" in hit["_source"]}


@pytest.mark.elasticsearch
@pytest.mark.timeout(600)
def test_labels_are_guessed_from_the_state_before_and_are_right(make: Make) -> None:
    """A spelling is outnumbered, is hidden, comes back: each time what most of the present documents say."""
    writer, clock = make(), Clock()
    wish = Search(facets=(FacetWish(Field.KEYWORD),))
    reader = make(writable=False, clock=clock)
    version = 0

    def spelled(number: int, *keywords: str, **more: Any) -> None:
        nonlocal version
        version += 1
        write(writer, dataset(number, keywords=keywords, **more), start=version)

    def labels() -> dict[str, str]:
        writer.mark()
        clock.now += SECONDS
        (facet,) = reader.search(wish).facets
        fresh = make(writable=False)
        assert fresh.search(wish).facets == (facet,), "as who has never guessed"
        return {bucket.value: bucket.label for bucket in facet.buckets}

    for number in range(3):
        spelled(number, "Neutron Film", "plain")
    assert labels() == {"neutron film": "Neutron Film", "plain": "plain"}
    spelled(10, "NEUTRON film")
    assert labels()["neutron film"] == "Neutron Film"
    for number in (0, 1):
        spelled(number, "Neutron Film", visibility=TEAM)
    spelled(11, "NEUTRON film")
    assert labels() == {"neutron film": "NEUTRON film", "plain": "plain"}
    spelled(2, visibility=TEAM)
    spelled(12, "neutron FILM")
    assert labels() == {"neutron film": "NEUTRON film"}
    spelled(10, "neutron FILM")
    assert labels() == {"neutron film": "neutron FILM"}
