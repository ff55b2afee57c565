"""What two houses must have in common to be the same: this file writes all they keep in one form, without run ids, times of harvest
and scores."""

from __future__ import annotations

import asyncio
import hashlib
import re
import sqlite3
from pathlib import Path
from typing import Any

import httpx
import msgspec
from starlette.applications import Starlette

from catalogue.query import FacetWish, Field, Scope, Search, Sort
from gateway import dcat
from pangate.house import House
from pangate.readers import IndexReader
from schema.records import Kind

_TIMES = re.compile(r'"harvested":"[^"]*",?|"version":\d+,?|"public_time":"[^"]*",?|"public_number":\d+,?')
_FACETS = (Field.FACILITY, Field.INSTRUMENT, Field.TECHNIQUE, Field.KEYWORD, Field.ACCESS)


def canonical(house: House) -> dict[str, Any]:
    """Truth, changes, rejects, index and DCAT of a house; fails when it contradicts itself."""
    found = _truth(Path(house.settings.database_url.removeprefix("sqlite:///")))
    found["index"] = index_of(house, found["documents"])
    found["dcat"] = sorted(_dcat(house).splitlines())
    live = [row[:2] for row in found["documents"] if row[3]]
    assert house.index.mark() == house.truth.head(), "the index has not everything"
    assert len(found["index"]["documents"]) == len(live), "the index holds what the truth holds"
    assert found["owed"] == 0, "no touch is owed"
    return found


def difference(one: dict[str, Any], other: dict[str, Any]) -> str:
    """In a few lines, where two dumps differ; empty when they are the same."""
    told = []
    for part, mine in one.items():
        if mine != other[part]:
            told.append(f"{part}: {_differing(mine, other[part])}")
    return "\n".join(told)


def _differing(mine: Any, yours: Any) -> str:
    if isinstance(mine, dict):
        keys = [key for key in {**mine, **yours} if mine.get(key) != yours.get(key)][:3]
        return "; ".join(f"{key}: {_differing(mine.get(key), yours.get(key))}" for key in keys)
    if isinstance(mine, list) and isinstance(yours, list):
        only, missing = ([each for each in a if each not in b][:3] for a, b in ((mine, yours), (yours, mine)))
        return f"only here {only}, missing {missing}, {len(mine)} and {len(yours)}"[:1500]
    return f"{mine!r:.300} and {yours!r:.300}"


def _truth(path: Path) -> dict[str, Any]:
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        rows = lambda query: [list(row) for row in connection.execute(query)]  # noqa: E731
        documents = rows("SELECT kind, pid, facility, live, public FROM documents ORDER BY kind, pid")
        changes = rows("SELECT kind, pid FROM documents ORDER BY change")
        numbers = [row[0] for row in rows("SELECT change FROM documents ORDER BY change")]
        head = dict(connection.execute("SELECT name, value FROM sequences"))
        assert not numbers or numbers[-1] == head["changes"], "the newest change is the counter's"
        return {
            "records": rows(
                "SELECT source, kind, id, pid, facility, deleted, CASE WHEN deleted THEN NULL ELSE public END, "
                "CASE WHEN deleted THEN NULL ELSE due END, data FROM records ORDER BY source, kind, id"
            ),
            "documents": documents,
            "changes": changes,
            "public": rows("SELECT kind, pid FROM documents WHERE public_number IS NOT NULL ORDER BY public_number"),
            "links": rows("SELECT * FROM links ORDER BY source, kind, id, to_kind, to_id"),
            "owed": connection.execute("SELECT count(*) FROM owed_touches").fetchone()[0],
            "rejects": rows(
                "SELECT source, kind, record, reason, message, raw FROM rejects ORDER BY source, kind, key"
            ),
            "harvests": rows(
                "SELECT source, mode, state, added, changed, removed, message FROM harvests ORDER BY source, id"
            ),
        }
    finally:
        connection.close()


def index_of(house: House, documents: list[list[Any]]) -> dict[str, Any]:
    groups = frozenset(_groups(house))
    held: dict[str, str] = {}
    for kind in Kind:
        pids = [row[1] for row in documents if row[0] == kind.value]
        for pid, raw in house.index.get_many(kind, pids, groups).items():
            held[f"{kind.value} {pid}"] = _TIMES.sub("", raw.decode())
    told: dict[str, Any] = {"documents": held}
    for scope in Scope:
        for kind in Kind:
            wishes = tuple(FacetWish(field) for field in _FACETS) if kind is Kind.DATASET else ()
            search = Search(kind=kind, scope=scope, groups=groups, facets=wishes, first=500, sort=Sort.TITLE)
            found = house.index.search(search)
            order = [hashlib.sha256(_TIMES.sub("", hit.raw.decode()).encode()).hexdigest() for hit in found.hits]
            told[f"{scope} {kind}"] = [found.total, order, repr(found.facets), sorted(found.sources.items())]
    told["suggest"] = [repr(each) for word in ("ne", "x", "pow", "te") for each in house.index.suggest(word, 10)]
    told["counts"] = house.index.counts()
    return told


def _groups(house: House) -> set[str]:
    """Every group that any record names."""
    with house.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT data FROM records WHERE data IS NOT NULL").all()
    return {group for (raw,) in rows for group in msgspec.json.decode(raw).get("visibility", {}).get("groups", [])}


def _dcat(house: House) -> str:
    app = Starlette(
        routes=dcat.routes(IndexReader(house), house.federation, house.vocabulary, house.settings.public_url)
    )

    async def whole() -> str:
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            answer = await client.get("/dcat.nt")
            assert answer.status_code == 200, answer.text
            return answer.text

    return asyncio.run(whole())
