"""What pangate promises of Elasticsearch beside the contract: faults, refusals that name the remedy, cursors, generations."""

import random
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count
from pathlib import Path

import httpx
import msgspec
import oracle
import pytest
import strategies as made
from contracts.index import TEAM, asked, dataset, numbers, pids, write
from servers.elasticsearch import Elasticsearch
from servers.wiping import made_name, wipe

from catalogue.index.elastic import ElasticIndex
from catalogue.index.elastic_bulk import (
    BASE_SECONDS,
    CAP_SECONDS,
    CHUNK_BYTES,
    Item,
    Outcome,
    Writer,
    delay,
    parts,
    sorted_out,
)
from catalogue.index.elastic_client import Absent, Busy, Connection, Refused, Request, Unsure, looked
from catalogue.index.elastic_generations import Generation, Layout
from catalogue.index.elastic_mapping import FORMAT, mappings
from catalogue.ports import Entry, Held
from catalogue.query import AnyOf, Field, Position, Scope, Search, Sort
from schema.access import Visibility
from schema.errors import CursorExpired, CursorInvalid, Misconfigured, Unavailable
from schema.records import Kind, Reject

Make = Callable[..., ElasticIndex]
node_needed = [pytest.mark.elasticsearch, pytest.mark.timeout(600)]
MINE = Search(scope=Scope.MINE, groups=frozenset(TEAM.groups))


def marked(*marks: pytest.MarkDecorator) -> Callable[[object], object]:
    """Several marks at once."""

    def mark(test: object) -> object:
        for one in marks:
            test = one(test)  # type: ignore[arg-type]
        return test

    return mark


on_a_node = marked(*node_needed)


class Weather:
    """Between an index and its cluster: bulks meet 429, single items too, connections break when the work is done."""

    def __init__(self, index: ElasticIndex, seed: int, chance: float) -> None:
        self._cluster = index._cluster
        self._calm = self._cluster.send
        self._random = random.Random(seed)
        self._chance = chance
        self.met: set[str] = set()
        self._cluster.send = self  # type: ignore[method-assign, assignment]

    def __call__(self, request: Request) -> object:
        if not request.path.endswith("/_bulk") or self._random.random() > self._chance:
            return self._calm(request)
        fault = self._random.choice(["busy", "unsure", "items"])
        self.met.add(fault)
        if fault == "busy":
            raise Busy("429")
        if fault == "unsure":
            self._calm(request)
            raise Unsure("cut after the work was done")
        assert isinstance(request.body, bytes)
        lines = request.body.splitlines(keepends=True)
        halves = [lines[at : at + 2] for at in range(0, len(lines), 2)]
        kept = [self._random.random() < 0.5 for _ in halves]
        body = b"".join(line for half, stays in zip(halves, kept, strict=True) if stays for line in half)
        results = iter(self._calm(request._replace(body=body))["items"] if body else [])
        refused = {"index": {"status": 429, "error": {"type": "es_rejected_execution_exception"}}}
        return {"items": [next(results) if stays else refused for stays in kept]}


@on_a_node
@pytest.mark.parametrize("seed", range(6))
def test_storms_lose_nothing_and_write_nothing_twice(make: Make, seed: int) -> None:
    index = make()
    weather = Weather(index, seed, 0.5)
    chance = random.Random(seed)
    entries: list[Entry] = []
    for version in range(1, 241):
        hidden = chance.random() < 0.4
        record = dataset(chance.randrange(60), title=f"t{version}", **({"visibility": TEAM} if hidden else {}))
        entries.append(made.entry(record, version, gone=chance.random() < 0.1))
    for start in range(0, 240, 40):
        index.apply(entries[start : start + 40], start + 40)
    expected = oracle.held(entries)
    assert weather.met
    assert index.mark() == 240
    for search in (Search(first=100), msgspec.structs.replace(MINE, first=100)):
        found = index.search(search)
        assert {hit.document() for hit in found.hits} == set(oracle.matching(expected, search))


@on_a_node
def test_only_what_was_there_before_is_looked_for_among_the_hidden(make: Make) -> None:
    index = make()
    calm, looked = index._cluster.send, []

    def overheard(request: Request) -> object:
        if request.path.endswith("/_mget"):
            assert isinstance(request.body, dict)
            looked.append(len(request.body["ids"]))
        return calm(request)

    index._cluster.send = overheard  # type: ignore[method-assign]
    write(index, *(dataset(at) for at in range(1, 4)), dataset(4, visibility=TEAM))
    assert looked == []
    again = [made.entry(record, 9) for record in (dataset(1, title="other"), dataset(4), dataset(5))]
    index.apply(again, 9)
    assert looked == [2]
    assert (numbers(index.search(Search())), index.search(MINE).total) == ([1, 2, 3, 4, 5], 0)
    index.apply(again, 9)
    assert looked == [2, 3], "what another has written may have been cut off before it looked"


@on_a_node
def test_a_storm_that_does_not_end_is_told_and_the_mark_stays(make: Make) -> None:
    index = make()
    write(index, dataset(1))
    assert index.mark() == 1
    calm = index._cluster.send

    def storm(request: Request) -> object:
        if request.path.endswith("/_bulk"):
            raise Busy("429")
        return calm(request)

    index._cluster.send = storm  # type: ignore[method-assign, assignment]
    with pytest.raises(Unavailable):
        write(index, dataset(2), start=2)
    assert index.mark() == 1
    index._cluster.send = calm  # type: ignore[method-assign]
    write(index, dataset(2), start=2)
    assert (numbers(index.search(Search())), index.mark()) == ([1, 2], 2)


@on_a_node
def test_what_the_mapping_refuses_is_reported_and_blocks_nothing(make: Make) -> None:
    told: list[Reject] = []
    index = make(report=told.append)
    good, bad = dataset(1), msgspec.structs.replace(dataset(2), pid="north/" + "x" * 40_000)
    hidden = msgspec.structs.replace(bad, pid="north/" + "y" * 40_000, visibility=TEAM)
    entries = [made.entry(record, version) for version, record in enumerate((good, bad, hidden, dataset(3)), start=1)]
    index.apply(entries, 4)
    assert (numbers(index.search(Search())), index.search(MINE).total, index.mark()) == ([1, 3], 0, 4)
    assert [(one.source, one.kind, one.id, one.reason) for one in told] == [
        ("north/main", "dataset", "2", "index.refused")
    ] * 2
    assert all("failed to parse field [pid]" in one.message for one in told)


@on_a_node
@pytest.mark.parametrize("hidden", [False, True])
def test_nothing_older_is_seen_of_what_the_mapping_refuses(make: Make, hidden: bool) -> None:
    told: list[Reject] = []
    index = make(report=told.append)
    shown = {"visibility": TEAM} if hidden else {}
    record, search = dataset(1, **shown), MINE if hidden else Search()
    write(index, record)
    assert index.search(search).total == 1
    wide = msgspec.structs.replace(TEAM, groups=(*TEAM.groups, "north:" + "x" * 40_000))
    bad = made.entry(msgspec.structs.replace(record, visibility=wide) if hidden else record, 2)
    assert bad.make is not None
    beyond = bad.make() if hidden else msgspec.structs.replace(bad.make(), public_number=2**63)
    index.apply([made.written(beyond)], 2)
    assert [one.reason for one in told] == ["index.refused"]
    assert (index.search(Search()).total, index.search(MINE).total, index.mark()) == (0, 0, 2)
    write(index, record, start=3)
    assert index.search(search).total == 1, "it comes back with the next version that can be taken"


@on_a_node
def test_hidden_things_leave_the_public_index_before_they_are_elsewhere(make: Make) -> None:
    index = make()
    write(index, dataset(1))
    index.mark()
    calm = index._cluster.send

    def broken(request: Request) -> object:
        if "restricted.write/_bulk" in request.path:
            raise Unavailable("killed here")
        return calm(request)

    index._cluster.send = broken  # type: ignore[method-assign, assignment]
    with pytest.raises(Unavailable):
        index.apply([made.entry(dataset(1, visibility=TEAM), 2)], 2)
    index._cluster.send = calm  # type: ignore[method-assign]
    other = make(writable=False)
    index._cluster.send(Request("POST", "/_refresh"))
    assert (other.search(Search()).total, other.mark()) == (0, 1)
    index.apply([made.entry(dataset(1, visibility=TEAM), 2)], 2)
    assert (index.search(Search()).total, index.search(MINE).total, index.mark()) == (0, 1, 2)


@on_a_node
def test_another_process_reads_lists_on_and_sees_marks(make: Make) -> None:
    writer, reader, other = make(), make(writable=False), make(writable=False)
    assert (reader.mark(), reader.search(Search()).total) == (0, 0)
    write(writer, *(dataset(at, title="film") for at in range(10)))
    assert writer.mark() == 10
    assert reader.mark() == 10
    first = reader.search(asked("film", first=4))
    write(writer, *(dataset(at, title="film film") for at in (0, 9, 20)), start=20)
    writer.mark()
    rest = other.search(asked("film", first=9, after=first.hits[-1].position))
    assert pids(first) + pids(rest) == [f"north/dataset/{at:04d}" for at in range(10)]
    with pytest.raises(Unavailable):
        reader.apply([], 1)
    with pytest.raises(Unavailable):
        reader.rebuild()


@on_a_node
def test_cursors_of_states_that_are_gone_say_so(make: Make, elasticsearch: Elasticsearch) -> None:
    index = make()
    write(index, *(dataset(at, title="film") for at in range(4)))
    position = index.search(asked("film", first=1)).hits[-1].position
    for generation in ("0" * 24, "no/such"):
        with pytest.raises(CursorExpired):
            index.search(asked("film", after=msgspec.structs.replace(position, generation=generation)))
    with pytest.raises(CursorInvalid):
        index.search(Search(sort=Sort.NEWEST, after=Position("", Sort.NEWEST, f"={2**70}", "x", 1)))
    pit = index._reading._pins.find(position.generation).pit
    httpx.request("DELETE", f"{elasticsearch.url}/_pit", json={"id": pit}, timeout=60).raise_for_status()
    with pytest.raises(CursorExpired):
        index.search(asked("film", after=position))
    assert index.search(asked("film")).total == 4  # what is no cursor's is opened again


@on_a_node
def test_a_rebuild_counts_out_what_the_mapping_refuses_until_it_can_be_taken(make: Make) -> None:
    told: list[Reject] = []
    rebuild = make(report=told.append).rebuild()
    wide = msgspec.structs.replace(TEAM, groups=(*TEAM.groups, "north:" + "x" * 40_000))
    beyond = made.written(msgspec.structs.replace(made.document(dataset(1), 2), public_number=2**63))
    unwritable = made.entry(dataset(3, title="\ud800"), 4)
    batch = [beyond, made.entry(dataset(2, visibility=wide), 3), unwritable, made.entry(dataset(4), 5)]
    for times in (1, 2):
        rebuild.apply(batch, 5)
        assert (rebuild.held(), len(told)) == (Held(1, refused=3), 3 * times)
    rebuild.apply([made.entry(dataset(1), 6), made.entry(dataset(2, visibility=TEAM), 7)], 7)
    assert rebuild.held() == Held(3, refused=1)
    rebuild.apply([beyond, made.entry(dataset(3), 8, gone=True)], 8)
    assert rebuild.held() == Held(3), "what is refused of an older version is no loss"


@on_a_node
def test_a_rebuild_counts_what_the_engine_has_and_not_what_it_was_given(
    make: Make, stem: str, elasticsearch: Elasticsearch
) -> None:
    index = make()
    rebuild = index.rebuild()
    seen = {0: Visibility(public=True), 1: TEAM}
    rebuild.apply([made.entry(dataset(at, visibility=seen[at % 2]), at) for at in range(1, 7)], 6)
    assert rebuild.held() == Held(6)
    for side, lost in (("public", 2), ("restricted", 3)):
        place = f"{elasticsearch.url}/{stem}-v{FORMAT}-*-{side}"
        body = {"query": {"term": {"pid": f"north/dataset/{lost:04d}"}}}
        names = list(httpx.get(f"{place}?filter_path=*.aliases", timeout=60).json())
        found = f"{elasticsearch.url}/{names[0]}/_search?filter_path=hits.hits._id"
        answer = httpx.post(found, json=body, timeout=60).json()
        for hit in answer["hits"]["hits"]:
            one = f"{elasticsearch.url}/{names[0]}/_doc/{hit['_id']}?version={lost + 50}&version_type=external"
            httpx.delete(one, timeout=60)
    assert rebuild.held() == Held(4)
    later = make().rebuild()
    with pytest.raises(Unavailable, match="gone"):
        rebuild.held()
    later.abandon()


@on_a_node
def test_an_index_that_goes_before_the_hidden_are_looked_for_is_told_so(
    make: Make, stem: str, elasticsearch: Elasticsearch
) -> None:
    index = make()
    write(index, dataset(1))
    index.mark()
    calm = index._cluster.send

    def dropped(request: Request) -> object:
        if request.path.endswith("/_mget"):
            httpx.delete(f"{elasticsearch.url}{request.path.removesuffix('/_mget')}", timeout=60).raise_for_status()
        return calm(request)

    index._cluster.send = dropped  # type: ignore[method-assign, assignment]
    with pytest.raises(Unavailable, match="gone"):
        index.apply([made.entry(dataset(1, title="other"), 2)], 2)


@pytest.mark.parametrize("failed", [Absent("index_not_found_exception: no such index"), Refused(400, "closed", "")])
def test_whatever_the_look_for_the_hidden_meets_is_unavailable(failed: Exception) -> None:
    class Server:
        def send(self, request: Request) -> object:
            if request.path.endswith("/_mget"):
                raise failed
            return {"items": [{"index": {"status": 200}}]}

    writer = Writer(Server(), Generation("films"), oracle.Tree(), lambda _reject: None)  # type: ignore[arg-type]
    with pytest.raises(Unavailable):
        writer.write(writer.rows([made.entry(dataset(1), 1)]))


def test_what_could_not_be_looked_for_is_looked_for_again() -> None:
    away = {"_id": "a", "error": {"type": "no_shard_available_action_exception"}}
    whole = [{"_id": "a", "found": True}, {"_id": "b", "found": False}]
    assert looked(whole) == whole
    with pytest.raises(Busy):
        looked([away, {"_id": "b", "found": True}])
    with pytest.raises(Absent):
        looked([away, {"_id": "b", "error": {"type": "index_not_found_exception"}}])


@on_a_node
def test_an_index_of_another_mapping_is_refused_until_it_is_rebuilt(
    make: Make, stem: str, elasticsearch: Elasticsearch
) -> None:
    name = f"{stem}-v{FORMAT + 1}-20200101000000-00000000"
    for side in ("public", "restricted"):
        body = {"mappings": mappings(), "aliases": {f"{stem}-{side}": {}}}
        httpx.put(f"{elasticsearch.url}/{name}-{side}", json=body, timeout=60).raise_for_status()
    index = make()
    for refused in (index.check, index.mark, lambda: index.search(Search()), lambda: write(index, dataset(1))):
        with pytest.raises(Misconfigured, match="pangate rebuild"):
            refused()
    rebuild = index.rebuild()
    rebuild.apply([made.entry(dataset(1), 5)], 5)
    rebuild.swap()
    assert (numbers(index.search(Search())), index.mark()) == ([1], 5)
    index.check()


@on_a_node
def test_the_old_generation_is_kept_until_the_next_swap_or_dropped(
    make: Make, stem: str, elasticsearch: Elasticsearch
) -> None:
    index = make()
    write(index, dataset(1))

    def held() -> int:
        return len(httpx.get(f"{elasticsearch.url}/{stem}-*?filter_path=*.aliases", timeout=60).json()) // 2

    for version in (10, 20, 30):
        rebuild = index.rebuild()
        rebuild.apply([made.entry(dataset(2), version)], version)
        rebuild.swap()
        rebuild.abandon()  # a swap whose answer was lost is taken for failed
        assert (held(), index.mark(), numbers(index.search(Search()))) == (2, version, [2])
    assert index.drop_old() == 1
    assert (held(), numbers(index.search(Search()))) == (1, [2])


@on_a_node
def test_a_rebuild_that_a_later_one_has_replaced_is_told_so_and_makes_no_index(
    make: Make, stem: str, elasticsearch: Elasticsearch
) -> None:
    index = make()
    first = index.rebuild()
    later = make().rebuild()
    for refused in (lambda: first.apply([made.entry(dataset(1), 1)], 1), first.swap):
        with pytest.raises(Unavailable):
            refused()
    first.abandon()
    later.apply([made.entry(dataset(2), 2)], 2)
    later.swap()
    assert (numbers(index.search(Search())), index.mark()) == ([2], 2)
    found = httpx.get(f"{elasticsearch.url}/{stem}-*?filter_path=*.aliases", timeout=60).json()
    assert len(found) == 2, "the public and the restricted index of one generation"


@on_a_node
def test_dropping_what_is_old_leaves_alone_what_is_being_built(make: Make) -> None:
    index, other = make(), make()
    rebuild = index.rebuild()
    assert other.drop_old() == 0, "nothing is in use yet, and what there is will be"
    rebuild.apply([made.entry(dataset(1), 1)], 1)
    rebuild.swap()
    for version in (2, 3):
        rebuild = index.rebuild()
        assert other.drop_old() == version - 2
        rebuild.apply([made.entry(dataset(version), version)], version)
        assert other.drop_old() == 0
        rebuild.swap()
        assert numbers(index.search(Search())) == [version]
    with pytest.raises(Unavailable):
        make(writable=False).drop_old()


@on_a_node
def test_generations_rise_though_clocks_of_several_machines_differ(
    make: Make, stem: str, elasticsearch: Elasticsearch
) -> None:
    ahead = f"{stem}-v{FORMAT}-29991231235959999999-ffffffff"
    for side in ("public", "restricted"):
        aliases = {f"{stem}-{side}": {}, f"{ahead}-{side}.write": {}}
        body = {"mappings": mappings(), "aliases": aliases}
        httpx.put(f"{elasticsearch.url}/{ahead}-{side}", json=body, timeout=60).raise_for_status()
    index = make()
    rebuild = index.rebuild()
    assert make().drop_old() == 0
    rebuild.apply([made.entry(dataset(1), 1)], 1)
    rebuild.swap()
    assert (numbers(index.search(Search())), index.drop_old()) == ([1], 1)


@on_a_node
def test_a_projector_does_not_write_beyond_a_swap_that_another_process_made(make: Make) -> None:
    """Its batch follows the mark of the old index; in the new one, whose mark is lower, what lies between would be lost."""
    late, other = make(), make()
    write(late, dataset(1))
    assert late.mark() == 1
    rebuild = other.rebuild()
    rebuild.apply([made.entry(dataset(1), 1)], 1)
    late.apply([made.entry(dataset(2), 2)], 2)
    assert late.mark() == 2
    rebuild.swap()
    with pytest.raises(Unavailable, match="swapped"):
        late.apply([made.entry(dataset(3), 3)], 3)
    assert late.mark() == 1, "so that the change in between is written again"
    write(late, dataset(2), dataset(3), start=2)
    assert (numbers(late.search(Search())), late.mark()) == ([1, 2, 3], 3)


@on_a_node
def test_a_template_guards_the_names(elasticsearch: Elasticsearch) -> None:
    stem = made_name()
    index = ElasticIndex(Connection(elasticsearch.url), Layout(stem))
    write(index, dataset(1))
    index.close()
    stray = f"{elasticsearch.url}/{stem}-v{FORMAT}-stray"
    httpx.put(f"{stray}/_doc/1", json={"kind": "dataset"}, timeout=60).raise_for_status()
    assert httpx.put(f"{stray}/_doc/2", json={"unknown": 1}, timeout=60).status_code == 400
    wipe(elasticsearch, stem)


@on_a_node
def test_several_shards_count_exactly_and_score_with_common_statistics(elasticsearch: Elasticsearch) -> None:
    stem = made_name()
    index = ElasticIndex(
        Connection(elasticsearch.url), Layout(stem, shards=3, template=False), techniques=oracle.Tree()
    )
    records = [
        dataset(at, title="film " * (1 + at % 2), keywords=(f"k{at % 37:02d}", f"m{at % 3}")) for at in range(150)
    ]
    write(index, *records)
    from contracts.index import compare_facet

    from catalogue.query import FacetWish

    documents = [made.document(record, 1) for record in records]
    for size in (1, 3, 10):
        wish = FacetWish(Field.KEYWORD, size=size)
        compare_facet(index, documents, Search(facets=(wish,)), wish)
    found = index.search(asked("film", first=100))
    assert len({hit.score for hit in found.hits}) == 2
    rest = index.search(asked("film", first=100, after=found.hits[-1].position))
    assert sorted(pids(found) + pids(rest)) == sorted(record.pid for record in records)
    index.close()
    wipe(elasticsearch, stem)


@on_a_node
def test_strange_questions_find_nothing_and_break_nothing(make: Make) -> None:
    index = make()
    write(index, dataset(1))
    for value in ("\ud800", "a\x00b", "x" * 100_000, "*", "", " "):
        assert index.search(Search(clauses=(AnyOf(Field.KEYWORD, (value,)),))).total == 0
        assert index.get(Kind.DATASET, value if value.isprintable() else "absent", frozenset({value})) is None
        assert index.suggest("zq" + value, 3) == []
    assert index.search(msgspec.structs.replace(MINE, groups=frozenset({"\ud800"}))).total == 0


# What follows needs no node.


class Imitation(BaseHTTPRequestHandler):
    """Imitates the answers of Elasticsearch 7.17 and 8.19 to `_nodes`, and of servers that refuse (shapes of its documentation)."""

    def do_GET(self) -> None:
        status, body, product = self.server.answer  # type: ignore[attr-defined]
        data = msgspec.json.encode(body)
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        if product:
            self.send_header("x-elastic-product", "Elasticsearch")
        self.end_headers()
        self.server.seen.append(self.headers.get("authorization", ""))  # type: ignore[attr-defined]
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture
def imitation() -> Iterator[HTTPServer]:
    """A server whose `answer` can be set."""
    with HTTPServer(("127.0.0.1", 0), Imitation) as server:
        server.seen = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("answer", "remedy"),
    [
        ((401, {"error": {"type": "security_exception", "reason": "no"}}, True), "API key or password"),
        ((200, {"nodes": {"a": {"version": "7.17.0"}}}, True), "Use a server of these versions"),
        ((200, {"nodes": {"a": {"version": "10.0.0"}}}, True), "Use a server of these versions"),
        ((200, {"hello": "world"}, False), "Correct the address"),
        ((200, {"hello": "world"}, True), "Correct the address"),
        ((404, {"no": 1}, False), "Correct the address"),
    ],
)
def test_a_wrong_server_is_refused_with_the_remedy(imitation: HTTPServer, answer: object, remedy: str) -> None:
    imitation.answer = answer  # type: ignore[attr-defined]
    index = ElasticIndex(Connection(f"http://127.0.0.1:{imitation.server_port}"), Layout("x"))
    with pytest.raises(Misconfigured, match=remedy):
        index.check()
    index.close()


@pytest.mark.parametrize(
    ("login", "header"),
    [({"api_key": "a-key"}, "ApiKey a-key"), ({"user": "u", "password": "p"}, "Basic dTpw"), ({}, "")],
)
def test_logins_are_sent_and_never_shown(imitation: HTTPServer, login: dict[str, str], header: str) -> None:
    imitation.answer = (401, {"error": {"type": "security_exception", "reason": "no"}}, True)  # type: ignore[attr-defined]
    connection = Connection(f"http://127.0.0.1:{imitation.server_port}", **login)  # type: ignore[arg-type]
    index = ElasticIndex(connection, Layout("x"))
    with pytest.raises(Misconfigured) as refused:
        index.check()
    index.close()
    assert imitation.seen == [header]  # type: ignore[attr-defined]
    for secret in login.values():
        assert secret in ("u", "p") or secret not in f"{refused.value} {connection!r} {connection}"


def test_an_address_nobody_listens_at_is_unavailable(free_url: str) -> None:
    index = ElasticIndex(Connection(free_url, timeout=2), Layout("x"))
    with pytest.raises(Unavailable, match="does not answer"):
        index.check()
    index.close()


@pytest.fixture
def free_url() -> str:
    """An address where nobody listens."""
    from servers.elasticsearch import free_port

    return f"http://127.0.0.1:{free_port()}"


@pytest.mark.parametrize(
    ("connection", "remedy"),
    [
        (Connection("nonsense"), "cannot be used"),
        (Connection("http://127.0.0.1:1", api_key="k", user="u"), "not both"),
        (Connection("https://127.0.0.1:1", ca_file=Path("/nowhere/ca.pem")), "Name a file"),
    ],
)
def test_settings_that_cannot_work_are_refused(connection: Connection, remedy: str) -> None:
    with pytest.raises(Misconfigured, match=remedy):
        ElasticIndex(connection, Layout("x"))


@pytest.mark.parametrize("prefix", ["", "Upper", "a,b", "a*", "-a", "a/b", "x" * 200])
def test_prefixes_that_name_no_index_are_refused(prefix: str) -> None:
    with pytest.raises(Misconfigured):
        Layout(prefix)


def test_a_ca_file_is_what_https_is_trusted_by(tmp_path: Path, imitation: HTTPServer) -> None:
    pem = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    imitation.socket = context.wrap_socket(imitation.socket, server_side=True)
    imitation.answer = (200, {"nodes": {"a": {"version": "8.19.9"}}}, True)  # type: ignore[attr-defined]
    url = f"https://127.0.0.1:{imitation.server_port}"
    stranger = ElasticIndex(Connection(url), Layout("x"))
    with pytest.raises(Misconfigured, match="CA file"):
        stranger.check()
    stranger.close()
    from catalogue.index.elastic_client import Cluster, check

    assert check(Cluster(Connection(url, ca_file=pem))) == ["8.19.9"]


def certificate(folder: Path) -> Path:
    """A certificate of 127.0.0.1 that signs itself, with its key."""
    from datetime import UTC, datetime, timedelta
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return pem


def item(number: int, size: int = 2) -> Item:
    """A write of that many bytes."""
    return Item(Entry(Kind.DATASET, str(number), number, None, False), b"x" * size, False)


def test_bulks_are_cut_by_bytes_and_lose_nothing() -> None:
    sizes = [10, CHUNK_BYTES, 10, CHUNK_BYTES // 2, CHUNK_BYTES // 2 - 400, 500, 10]
    items = [item(at, size) for at, size in enumerate(sizes)]
    found = list(parts(items))
    assert [one for part in found for one in part] == items
    assert all(len(part) == 1 or sum(len(one.content) for one in part) <= CHUNK_BYTES for part in found)
    assert list(parts([])) == []


def test_every_item_is_judged_by_its_own_result() -> None:
    numbered = count()
    answers = [
        {"index": {"status": status, "error": {"type": f"t{next(numbered)}", "reason": "r"}}}
        for status in (201, 200, 409, 400, 429, 503, 500)
    ]
    items = [item(at) for at in range(7)]
    judged, left = sorted_out(items, answers)
    assert [one.outcome for one in judged] == [Outcome.FIRST, Outcome.DONE, Outcome.STALE, Outcome.BAD]
    assert judged[-1].reason == "t3: r"
    assert left == items[4:]
    for status in (403, 404):
        with pytest.raises(Unavailable):
            sorted_out([item(1)], [{"index": {"status": status, "error": {"type": "gone"}}}])


def test_delays_are_jittered_and_end_somewhere() -> None:
    for attempt in range(1, 12):
        waits = [delay(attempt) for _ in range(50)]
        assert 0 <= min(waits) < max(waits) <= min(CAP_SECONDS, BASE_SECONDS * 2**attempt)
    assert Refused(400, "a", "b").status == 400
