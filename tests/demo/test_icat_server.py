"""The HTTP side of the ICAT stand-in: sessions, limits, planned failures, slowness, and the content of the demo."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from demo.icat.content import fill
from demo.icat.server import serve
from demo.icat.store import Store


class Clock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 22, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def store(clock: Clock) -> Store:
    made = Store(now=clock)
    fill(made, seed=1, datasets=240)
    return made


@pytest.fixture(scope="module")
def client(store: Store) -> Iterator[httpx.Client]:
    with serve(store) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def login(client: httpx.Client, plugin: str, *credentials: dict[str, str]) -> str:
    form = {"json": json.dumps({"plugin": plugin, "credentials": credentials})}
    return client.post("/session", data=form).json()["sessionId"]


@pytest.fixture(scope="module")
def reader(client: httpx.Client) -> str:
    return login(client, "db", {"username": "reader"}, {"password": "reader-secret"})


def ask(client: httpx.Client, session: str, query: str, **more: str) -> httpx.Response:
    return client.get("/entityManager", params={"sessionId": session, "query": query, **more})


def test_there_is_no_date_header(client: httpx.Client) -> None:
    assert "date" not in client.get("/version").headers


def test_a_session_does_not_grow_with_use_and_put_revives_it(client: httpx.Client, clock: Clock) -> None:
    session = login(client, "anon")
    clock.moment += timedelta(minutes=100)
    assert client.get(f"/session/{session}").json() == {"userName": "anon/anon", "remainingMinutes": 20.0}
    clock.moment += timedelta(minutes=30)
    expired = ask(client, session, "SELECT COUNT(f) FROM Facility f")
    assert (expired.status_code, expired.json()["code"]) == (403, "SESSION")
    assert client.put(f"/session/{session}").status_code == 204
    assert client.get(f"/session/{session}").json()["remainingMinutes"] == 120.0
    clock.moment -= timedelta(minutes=130)


def test_request_line_and_headers_end_at_8192_bytes(client: httpx.Client, reader: str) -> None:
    statuses = set()
    for length in range(7600, 8200, 50):
        reply = ask(client, reader, f"SELECT COUNT(ds) FROM Dataset ds WHERE ds.name = '{'a' * length}'")
        request = reply.request
        size = len(f"GET {request.url.raw_path.decode()} HTTP/1.1\r\n\r\n")
        size += sum(len(name) + len(value) + 4 for name, value in request.headers.raw)
        statuses.add(reply.status_code)
        assert reply.status_code == (200 if size <= 8192 else 400)
        assert reply.status_code == 200 or reply.content == b""
    assert statuses == {200, 400}


def test_a_planned_failure_hits_one_request_each(client: httpx.Client, store: Store, reader: str) -> None:
    query = "SELECT COUNT(ds) FROM Dataset ds"
    store.fail_next(1, "sql_500")
    store.fail_next(1, "process_412")
    store.restart(html_404s=1)
    broken, much, away, fine = (ask(client, reader, query) for _ in range(4))
    assert (broken.status_code, "SELECT ID, EXPIREDATETIME" in broken.json()["message"]) == (500, True)
    assert (much.status_code, much.json()["message"]) == (412, "attempt to process more than 10000 entities")
    assert (away.status_code, away.headers["content-type"].partition(";")[0]) == (404, "text/html")
    assert (fine.status_code, fine.json()) == (200, [240])


def test_a_truncated_reply_ends_before_its_length(client: httpx.Client, store: Store, reader: str) -> None:
    store.fail_next(1, "truncated")
    with pytest.raises(httpx.RemoteProtocolError):
        ask(client, reader, "SELECT ds FROM Dataset ds ORDER BY ds.id LIMIT 0, 5")


def test_a_database_that_is_down_leaves_only_the_version(client: httpx.Client, store: Store, reader: str) -> None:
    store.faults.database_down = True
    try:
        assert client.get("/version").json() == {"version": "6.2.0"}
        assert ask(client, reader, "SELECT COUNT(ds) FROM Dataset ds").json()["code"] == "INTERNAL"
    finally:
        store.faults.database_down = False


def test_include_costs_time_for_every_object_and_plain_pages_do_not(
    client: httpx.Client, store: Store, reader: str
) -> None:
    store.costs.included = 0.01
    try:
        plain, more = "SELECT ds FROM Dataset ds ORDER BY ds.id%s LIMIT 0, 20", " INCLUDE ds.type, ds.investigation"

        def took(query: str) -> float:
            began = time.perf_counter()
            ask(client, reader, query)
            return time.perf_counter() - began

        assert took(plain % more) >= 0.4
        assert min(took(plain % "") for _ in range(5)) < 0.2, "the best of some: a busy machine only adds"
    finally:
        store.costs.included = 0.0


def test_anonymous_sees_only_what_is_released_and_no_people(client: httpx.Client, reader: str) -> None:
    anon = login(client, "anon")
    released = "SELECT COUNT(ds) FROM Dataset ds WHERE ds.investigation.releaseDate < {ts 2026-11-22 11:00:00}"
    seen = ask(client, anon, "SELECT COUNT(ds) FROM Dataset ds").json()
    assert seen == ask(client, reader, released).json()
    assert 0 < seen[0] < 240
    assert ask(client, anon, "SELECT u FROM User u").json() == []
    assert ask(client, anon, "SELECT MAX(u.id) FROM User u").json() == []
    hidden = ask(
        client, reader, "SELECT i.id FROM Investigation i WHERE i.releaseDate > {ts 2027-01-01 00:00:00}"
    ).json()
    assert ask(client, anon, "Investigation", id=str(hidden[0])).json()["code"] == "INSUFFICIENT_PRIVILEGES"


def test_the_demo_has_embargoed_investigations_of_those_who_sign_in(client: httpx.Client, reader: str) -> None:
    for name in ("ada", "bohr", "curie"):
        query = (
            "SELECT COUNT(i) FROM Investigation i JOIN i.investigationUsers iu WHERE "
            f"iu.user.name = 'oidc/{name}' AND i.releaseDate > {{ts 2026-11-22 00:00:00}}"
        )
        assert ask(client, reader, query).json()[0] >= 2, name


@pytest.mark.parametrize(
    "query",
    [
        "SELECT COUNT(t) FROM ParameterType t WHERE t.units IN ('N/A', 'none', '')",
        "SELECT COUNT(d) FROM Dataset d WHERE d.endDate IS NULL",
        "SELECT COUNT(d) FROM Dataset d WHERE d.startDate < {ts 1971-01-01 00:00:00}",
        "SELECT COUNT(p) FROM DataPublication p WHERE p.pid LIKE 'DOI:%'",
        "SELECT COUNT(p) FROM DataPublication p WHERE p.pid LIKE 'https://doi.org/%'",
        "SELECT COUNT(t) FROM Technique t WHERE t.pid IS NULL",
        "SELECT COUNT(i) FROM Investigation i WHERE i.summary LIKE '%<p>%'",
        "SELECT COUNT(p) FROM DatasetParameter p WHERE p.dateTimeValue IS NOT NULL",
        "SELECT COUNT(p) FROM DatasetParameter p WHERE p.rangeTop IS NOT NULL AND p.numericValue IS NULL",
        "SELECT COUNT(d) FROM Dataset d WHERE d.name = 'scan_0001' AND d.id > 12",
    ],
)
def test_the_demo_has_the_blemishes_of_real_records(client: httpx.Client, reader: str, query: str) -> None:
    assert ask(client, reader, query).json()[0] > 0


@pytest.mark.parametrize("version", ["6.0.1", "5.0.1", "4.10"])
def test_the_content_fits_older_versions(version: str) -> None:
    old = Store(version=version)
    fill(old, datasets=40)
    assert len(old.tables["Dataset"]) == 40
    assert ("DataPublication" in old.tables) == (version != "4.10")


def test_the_same_seed_gives_the_same_content() -> None:
    one, two = Store(), Store()
    fill(one, seed=5, datasets=30)
    fill(two, seed=5, datasets=30)
    for row in one.tables["Dataset"].all():
        twin = two.get("Dataset", row.id)
        assert twin is not None
        assert (twin.name, twin.doi, twin.modTime) == (row.name, row.doi, row.modTime)
