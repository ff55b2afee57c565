"""The SciCat stand-in shows everybody what the real one would, and says as little about bad tokens."""

from datetime import timedelta

from demo.scicat.visitor import Served


def test_who_sees_what(served: Served) -> None:
    store = served.store
    public = store.put_dataset(pid="public", isPublished=True)
    store.put_dataset(pid="hidden", ownerGroup="p1")
    store.put_dataset(pid="owned", ownerGroup="readers")
    store.put_dataset(pid="granted", ownerGroup="p1", accessGroups=["readers"])
    store.put_dataset(pid="shared", ownerGroup="p1", sharedWith=["reader@example.org"])
    order = {"limits": {"order": "pid:asc"}}
    assert served.pids(**order) == [public]
    assert served.pids(store.token("reader"), **order) == ["granted", "owned", "public", "shared"]
    assert len(served.pids(store.token("ingestor"), **order)) == 5
    assert served.get("/api/v3/datasets/hidden").json() == {
        "message": "Unauthorized access",
        "error": "Forbidden",
        "statusCode": 403,
    }
    assert served.get("/api/v3/datasets/nope").json()["message"] == "dataset: nope not found"
    assert served.get("/api/v4/datasets").status_code == 403
    assert served.get("/api/v4/datasets/public/hidden").content == b""
    assert len(served.get("/api/v4/datasets/public").json()) == 1


def test_bad_tokens_become_nobody_without_a_word_and_expired_ones_by_release(served: Served) -> None:
    served.store.put_dataset(pid="hidden")
    good = served.store.token("ingestor")
    assert served.get("/api/v3/datasets/count", good).json() == {"count": 1}
    assert served.get("/api/v3/datasets/count", good + "x").json() == {"count": 0}
    assert served.get("/api/v3/datasets/count", headers={"authorization": good}).json() == {"count": 0}
    assert served.get("/api/v3/datasets/count", headers={"authorization": f"bearer {good}"}).json() == {"count": 1}
    assert served.get("/api/v3/datasets/count", access_token=f"Bearer {good}").json() == {"count": 1}
    assert served.get("/api/v3/datasets/count", access_token=good).json() == {"count": 0}
    served.store.expire_tokens()
    late = served.get("/api/v3/datasets/count", good)
    if served.modern:
        assert (late.status_code, late.json()["message"]) == (401, "SESSION_EXPIRED")
    else:
        assert (late.status_code, late.json()) == (200, {"count": 0})
    assert served.get("/api/v3/datasets/count", served.store.token("ingestor")).json() == {"count": 1}
    served.store.skew = timedelta(hours=2)
    assert served.get("/api/v3/auth/whoami", good).status_code == 401


def test_signing_in(served: Served) -> None:
    body = {"username": "ingestor", "password": "harvest-secret"}
    reply = served.http.post("/api/v3/auth/login", json=body)
    assert reply.status_code == 201
    assert (reply.json()["ttl"], reply.json()["access_token"]) == (3600, reply.json()["id"])
    who = served.get("/api/v3/auth/whoami", reply.json()["access_token"]).json()
    assert (who["username"], who["currentGroups"]) == ("ingestor", ["ingestor", "admin"])
    assert served.get("/api/v3/users/my/self", reply.json()["id"]).json()["username"] == "ingestor"
    wrong = served.http.post("/api/v3/auth/login", json={**body, "password": "guess"})
    assert (wrong.status_code, wrong.json()) == (401, {"message": "Unauthorized", "statusCode": 401})
    assert served.get("/api/v3/auth/whoami").status_code == 401
    assert served.http.post("/api/v3/users/login", json=body).content == b""
