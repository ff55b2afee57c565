"""The SciCat stand-in has the manners of the real backend, release by release: the ones that hurt a harvester."""

import json
import threading
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from uuid import uuid4

import httpx
import pytest

from demo.scicat.mongo import MongoEngine
from demo.scicat.visitor import Served


def _many(served: Served, count: int, **fields: Any) -> list[str]:
    return [served.store.put_dataset(pid=f"20.5/{n:04d}", isPublished=True, **fields) for n in range(count)]


def test_a_list_without_a_limit_has_a_hundred_and_limits_at_the_top_are_ignored(served: Served) -> None:
    _many(served, 120)
    assert len(served.pids()) == 100
    assert len(served.pids(limit=3, skip=5, order="pid ASC", offset=1)) == 100
    assert len(served.pids(limits={"limit": 5000})) == 120
    assert served.get("/api/v3/datasets/count", where={"pid": "20.5/0001"}).json() == {"count": 120}


def test_odd_limits_and_orders_are_taken_as_each_release_takes_them(served: Served) -> None:
    _many(served, 15)
    assert len(served.pids(limits={"limit": 0})) == (10 if served.modern else 15)
    if served.modern:
        assert served.page(limits={"limit": -1}).status_code == 400
        assert served.page(limits={"limit": "5"}).status_code == 400
    else:
        assert len(served.pids(limits={"limit": -1})) == 1
    broken = served.page(limits={"order": ["updatedAt:asc", "pid:asc"]})
    assert (broken.status_code, broken.json()) == (500, "Internal server error")
    assert served.pids(limits={"limit": 2, "order": "pid:desc,type:asc"}) == ["20.5/0014", "20.5/0013"]


def test_the_portable_operators_work_and_the_others_do_not(served: Served) -> None:
    _many(served, 6)
    assert served.pids(where={"pid": {"$gt": "20.5/0003"}}, limits={"order": "pid:asc"}) == ["20.5/0004", "20.5/0005"]
    assert served.pids(
        where={"$or": [{"pid": {"$in": ["20.5/0001"]}}, {"pid": {"$regex": "5$"}}]}, limits={"order": "pid:asc"}
    ) == [
        "20.5/0001",
        "20.5/0005",
    ]
    assert served.pids(where={"nothing": "here"}) == []
    unknown = served.page(where={"pid": {"$foo": "1"}})
    assert unknown.status_code == (400 if served.modern else 500)
    assert unknown.json() == (
        {"message": "unknown operator: $foo", "error": "Bad Request", "statusCode": 400}
        if served.modern
        else "Internal server error"
    )
    plain = served.page(where={"updatedAt": {"gte": "2001-01-01T00:00:00.000Z"}}, limits={"limit": 1})
    assert plain.status_code == (200 if served.modern else 500)
    tight = '{"where":{"pid":{"inq":["20.5/0001"]}}}'
    assert len(served.get("/api/v3/datasets", filter=tight).json()) == (0 if served.modern else 1)
    spaced = served.get("/api/v3/datasets", filter=json.dumps(json.loads(tight)))
    assert spaced.json() == [] if served.modern else spaced.status_code == 500


def test_dates_in_v3_lists_are_cast_and_in_v4_lists_silently_match_nothing(served: Served) -> None:
    old = served.store.put_dataset(updatedAt="2020-01-01T00:00:00.000Z", isPublished=True)
    new = served.store.put_dataset(updatedAt="2026-01-01T00:00:00.000Z", isPublished=True)
    where = {"updatedAt": {"$gte": "2025-06-01T00:00:00.000Z"}}
    assert served.pids(where=where) == [new]
    assert served.pids(where={**where, "pid": {"$gt": ""}}, limits={"limit": 10, "order": "pid:asc"}) == [new]
    token = served.store.token("ingestor")
    assert served.get("/api/v4/datasets", token, filter={"where": where}).json() == []
    assert served.get("/api/v4/datasets/count", token, filter={"where": where}).json() == {"count": 1}
    assert old != new


def test_a_walk_by_pid_finds_all_and_skipping_through_ties_does_not(served: Served) -> None:
    if isinstance(served.store.engine, MongoEngine):
        pytest.skip(
            "a real MongoDB may or may not shuffle ties, as its plan has it: that skipping loses some cannot be claimed of it"
        )
    everything = set(_many(served, 300, updatedAt="2025-03-01T02:00:00.000Z"))
    walked, last = [], ""
    while page := served.pids(where={"pid": {"$gt": last}}, limits={"limit": 50, "order": "pid:asc"}):
        walked += page
        last = page[-1]
    assert set(walked) == everything
    assert len(walked) == 300
    skipped = [
        pid
        for skip in range(0, 300, 50)
        for pid in served.pids(limits={"limit": 50, "skip": skip, "order": "updatedAt:asc"})
    ]
    assert len(skipped) == 300
    assert set(skipped) != everything


def test_a_pid_must_be_encoded_once(served: Served) -> None:
    pid = served.store.put_dataset(pid="20.5/a/b c", isPublished=True)
    assert served.http.get("/api/v3/Datasets/20.5%2Fa%2Fb%20c").json()["pid"] == pid
    bare = served.http.get("/api/v3/datasets/20.5/a/b%20c")
    assert (bare.status_code, bare.json()["message"]) == (404, "Cannot GET /api/v3/datasets/20.5/a/b%20c")
    assert served.http.get("/api/v3/datasets/20.5%252Fa%252Fb%20c").status_code == 404


def test_what_was_never_stored_is_absent_on_5_and_filled_in_on_4_with_new_ids_at_every_read(served: Served) -> None:
    served.store.put_dataset(
        pid="p",
        isPublished=True,
        techniques=[{"pid": "PaNET01188", "name": "x"}],
        sampleIds=[None],
        packedSize=float("nan"),
    )
    first, second = served.page().json()[0], served.page().json()[0]
    assert first["sampleIds"] == [None]
    assert first["sampleId"] is None
    if served.modern:
        assert not {"keywords", "sharedWith", "inputDatasets", "relationships"} & set(first)
        assert first["packedSize"] is None
        assert first == second
        assert "history" in served.get("/api/v3/datasets/p").json()
        assert "history" not in first
    else:
        assert first["keywords"] == first["sharedWith"] == first["inputDatasets"] == first["relationships"] == []
        assert "packedSize" not in first
        assert first["techniques"][0]["_id"] != second["techniques"][0]["_id"]
        assert first["datasetlifecycle"]["_id"] != second["datasetlifecycle"]["_id"]
        assert first["datasetlifecycle"]["publishedOn"] == second["datasetlifecycle"]["publishedOn"]


def test_fields_and_include(served: Served) -> None:
    served.store.put_dataset(pid="p", isPublished=True, instrumentIds=["i"])
    served.store.put_instrument(pid="i", name="X")
    served.store.put_origdatablock(
        datasetId="p", dataFileList=[{"path": "a.h5", "size": 3, "time": "2024-01-01T00:00:00.000Z"}]
    )
    extra = set() if served.modern else {"history"}
    assert set(served.page(fields=["pid", "updatedAt"]).json()[0]) == {"_id", "pid", "updatedAt"} | extra
    portable = served.page(include=[{"relation": "origdatablocks"}]).json()[0]
    assert portable["origdatablocks"][0]["dataFileList"][0]["path"] == "a.h5"
    as_text = served.page(include=["instruments"])
    assert as_text.json()[0].get("instruments", [{}])[0].get("name") == ("X" if served.modern else None)
    assert served.page(include=["nonsense"]).status_code == (400 if served.modern else 200)
    one, two = (served.get("/api/v3/datasets/p/origdatablocks").json()[0] for _ in range(2))
    assert one["dataFileList"][0]["_id"] != two["dataFileList"][0]["_id"]


def test_keys_with_dots_come_back_whole_and_are_found_by_their_encoded_form_only(served: Served) -> None:
    served.store.put_dataset(
        pid="p", isPublished=True, scientificMetadata={"wave.length": {"value": 1.5, "unit": "Å"}, "$odd/ü": 1}
    )
    assert served.page().json()[0]["scientificMetadata"] == {"wave.length": {"value": 1.5, "unit": "Å"}, "$odd/ü": 1}
    assert served.pids(where={"scientificMetadata.wave.length.value": 1.5}) == []
    assert served.pids(where={"scientificMetadata.wave%2Elength.value": 1.5}) == ["p"]


def test_a_deleted_dataset_is_simply_gone_and_only_5_remembers(served: Served) -> None:
    _many(served, 3)
    served.store.delete_dataset("20.5/0001", by="somebody")
    assert served.pids(limits={"order": "pid:asc"}) == ["20.5/0000", "20.5/0002"]
    asked = {"subsystem": "Dataset", "operation": "delete"}
    history = served.get("/api/v3/history", served.store.token("ingestor"), filter=asked)
    if not served.modern:
        assert history.status_code == 404
        return
    assert [(line["documentId"], line["user"], line["after"]) for line in history.json()["items"]] == [
        ("20.5/0001", "somebody", None)
    ]
    assert served.get("/api/v3/history", filter=asked).status_code == 401
    assert served.get("/api/v3/history", served.store.token("reader"), filter=asked).status_code == 403


def test_what_moves_updated_at_and_what_does_not(served: Served) -> None:
    pid = served.store.put_dataset(pid="p", isPublished=True, updatedAt="2020-01-01T00:00:00.000Z")
    read = lambda: served.page(fields=["updatedAt", "description"]).json()[0]  # noqa: E731 - read twice below
    served.store.edit_database(pid, description="by hand")
    assert (read()["updatedAt"], read()["description"]) == ("2020-01-01T00:00:00.000Z", "by hand")
    served.store.put_origdatablock(datasetId=pid, dataFileList=[])
    moved = read()["updatedAt"]
    assert moved > "2026"
    served.store.skew = timedelta(days=1)
    served.store.put_dataset(pid=pid, description="patched")
    assert (read()["updatedAt"] > moved, read()["description"]) == (True, "patched")


def test_the_clock_is_the_servers(served: Served) -> None:
    served.store.skew = timedelta(hours=-5)
    sent = parsedate_to_datetime(served.get("/api/v3/health").headers["date"])
    assert abs(sent - (datetime.now(UTC) - timedelta(hours=5))) < timedelta(seconds=30)
    created = served.store.put_dataset(isPublished=True)
    assert served.page(where={"pid": created}).json()[0]["updatedAt"] < datetime.now(UTC).isoformat()


def test_a_head_beyond_16_kilobytes_is_431_and_a_long_filter_may_not_go_by_header_too(served: Served) -> None:
    pids = [f"20.5/{uuid4()}" for _ in range(250)]
    assert served.page(where={"pid": {"$in": pids[:100]}}).status_code == 200
    long = served.page(where={"pid": {"$in": pids * 2}})
    assert (long.status_code, long.content) == (431, b"")
    assert served.get("/api/v3/datasets", headers={"filter": '{"limits":{"limit":1}}'}).status_code == 200
    assert served.get("/api/v3/datasets", headers={"filter": "{}"}, filter={}).status_code == 400


def test_bad_days(served: Served) -> None:
    _many(served, 20)
    served.store.fail_next(2, "500")
    assert [served.page().status_code for _ in range(3)] == [500, 500, 200]
    served.store.fail_next(1, "html")
    page = served.page()
    assert (page.status_code, page.headers["content-type"][:9]) == (200, "text/html")
    served.store.fail_next(1, "503", seconds=7)
    assert served.page().headers["retry-after"] == "7"
    served.store.fail_next(1, "reset")
    with pytest.raises(httpx.RemoteProtocolError):
        served.page()
    served.store.fail_next(1, "truncated", path="/datasets")
    assert served.get("/api/v3/health").status_code == 200
    with pytest.raises(json.JSONDecodeError):
        served.page().json()
    served.store.fail_next(1, "slow", seconds=0.2)
    assert served.page().elapsed >= timedelta(seconds=0.2)


def test_too_many_at_once_get_500(served: Served) -> None:
    served.store.capacity, served.store.latency = 2, 0.3
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(served.http.get("/api/v3/health").status_code))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(200) >= 2
    assert statuses.count(500) >= 1


def test_an_unchanged_list_is_304(served: Served) -> None:
    served.store.put_dataset(pid="p", isPublished=True)
    tag = served.page().headers["etag"]
    again = served.get("/api/v3/datasets", headers={"if-none-match": tag}, filter={})
    assert again.status_code == (304 if served.modern else 200), "on 4.x ids that are new at every read change the tag"


def test_the_other_collections(served: Served) -> None:
    store = served.store
    store.put_instrument(pid="i1", name="A")
    store.put_proposal(proposalId="p1", isPublished=True, updatedAt="2024-05-01T00:00:00.000Z")
    store.put_proposal(proposalId="p2")
    store.put_sample(sampleId="s1", isPublished=True)
    store.put_published(doi="10.82001/x", pidArray=["gone"], status="registered")
    store.put_published(doi="10.82001/y", status="pending_registration")
    store.put_origdatablock(datasetId="none", dataFileList=[])
    token = store.token("ingestor")
    assert [one["proposalId"] for one in served.get("/api/v3/proposals").json()] == ["p1"]
    assert (
        len(
            served.get(
                "/api/v3/proposals", token, filter={"where": {"_id": {"$gt": "p1"}}, "limits": {"order": "_id:asc"}}
            ).json()
        )
        == 1
    )
    assert (
        len(
            served.get(
                "/api/v3/proposals", filter={"where": {"updatedAt": {"$gte": "2024-01-01T00:00:00.000Z"}}}
            ).json()
        )
        == 1
    )
    assert served.get("/api/v3/instruments/none").content == b""
    assert served.get("/api/v3/instruments/i1").json()["name"] == "A"
    assert served.get("/api/v3/samples/count").status_code == 401
    assert (
        served.get("/api/v3/samples", filter={"where": {"updatedAt": {"gte": "2024-01-01T00:00:00.000Z"}}}).status_code
        == 500
    )
    assert (
        served.get(
            "/api/v3/origdatablocks", token, filter={"where": {"updatedAt": {"$gte": "2024-01-01T00:00:00.000Z"}}}
        ).status_code
        == 500
    )
    assert [one["doi"] for one in served.get("/api/v3/publisheddata").json()] == ["10.82001/x"]
    assert served.http.get("/api/v3/publisheddata/10.82001%2Fx").json()["pidArray"] == ["gone"]
    assert served.get("/api/v3/jobs").status_code == 401


def test_the_search_forms_own_route(served: Served) -> None:
    _many(
        served,
        3,
        scientificMetadata={"sample.temp": {"value": 4, "unit": "K"}},
        creationTime="2024-05-05T00:00:00.000Z",
    )
    ask = lambda **fields: served.get("/api/v3/datasets/fullquery", fields=fields, limits={"limit": 10})  # noqa: E731 - said five times
    assert len(ask(type=["raw"]).json()) == 3
    assert len(ask(text="0002").json()) == 1
    assert len(ask(scientific=[{"lhs": "sample.temp", "relation": "LESS_THAN", "rhs": 5}]).json()) == 3
    assert len(ask(creationTime={"begin": "2024-05-01T00:00:00.000Z", "end": "2024-05-02T00:00:00.000Z"}).json()) == 0
    assert ask(creationTime={"begin": "2024-05-01T00:00:00.000Z"}).status_code == 500


def test_writing_while_reading_never_tears_a_page(served: Served) -> None:
    _many(served, 150)
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            served.store.put_dataset(pid=f"20.5/{number % 150:04d}", datasetName=str(number), description=str(number))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(10):
            page = served.page(limits={"limit": 200, "order": "pid:asc"}).json()
            assert len(page) == 150
            assert all(doc["datasetName"] == doc["description"] for doc in page if "description" in doc)
    finally:
        stop.set()
        writer.join()
