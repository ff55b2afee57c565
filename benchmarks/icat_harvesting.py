"""This file measures a harvest from ICAT against what bounds it: a bare walk over the same answers, and our own pipeline."""

from __future__ import annotations

import http.client
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from benchmarks.icat_source import LOGIN, SECRET
from benchmarks.measure import Result, spread, started, timed
from catalogue.ports import Harvest, Page
from harvesters.http import PoliteSession, Reply
from harvesters.icat import Icat
from harvesters.ports import Order, Step
from pangate.house import House, open_house
from pangate.settings import Environment, Settings
from pangate.work import Work
from schema.activities import Bookmark, HarvestMode, HarvestState

_NAME = "skadi/icat"
_LEAST = 8_000  # entity rows a second that the source must give, as the goal is stated
_FEDERATION = """facilities:
  - id: skadi
    name: Skadi Neutron Source
    shortName: Skadi
    sources:
      - id: icat
        kind: icat
        url: "http://127.0.0.1:{port}/icat"
        login: {{ plugin: {plugin}, username: {username}, password: {password} }}
        rate: null
        allowPrivateAddress: true
        interval: 365 d
"""


def measure(datasets: int, times: int) -> list[Result]:
    """Wall time over the longer of its bounds."""
    os.environ[LOGIN["password"]] = SECRET
    walks: list[float] = []
    fulls: list[float] = []
    pipelines: list[Mapping[str, float]] = []
    with started("benchmarks.icat_source", datasets) as port:
        _, records = _harvested(port)  # from now on the source knows every answer
        asked = _asked(port)
        answers = _Kept(port)
        _pipeline(port, answers)
        for _ in range(times):
            pipelines.append(_pipeline(port, answers))
            walks.append(timed(lambda: _walk(port, asked)))
            took, seen = _harvested(port)
            assert seen == records
            fulls.append(took)
        rows = _walk(port, asked)
        answers.close()
    own = [each["convert"] + each["commit"] for each in pipelines]
    assert {each["records"] for each in pipelines} == {records}
    ratio, speed = min(fulls) / max(min(walks), min(own)), rows / min(walks)
    told = {
        "records": records,
        "repeats": len(fulls),
        "entity_rows": rows,
        "questions": len(asked),
        "source_rows_per_s": speed,
        "harvest_s": min(fulls),
        "harvest_rows_per_s": rows / min(fulls),
        "walk_s": min(walks),
        "pipeline_s": min(own),
        "pipeline_records_per_s": records / min(own),
        "convert_s": min(each["convert"] for each in pipelines),
    }
    return [
        Result(
            "ICAT harvest, wall time over the longer of bare walk and own pipeline",
            "≤ 1.15", ratio, "times", ratio <= 1.15 and speed >= _LEAST, spread(fulls), spread(walks), told,
        )
    ]  # fmt: skip


@contextmanager
def _house(port: int) -> Iterator[House]:
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "federation.yaml"
        file.write_text(_FEDERATION.format(port=port, **LOGIN), encoding="utf-8")
        with open_house(Settings(federation=file, data=Path(name), rate_limit=False), write_index=True) as house:
            yield house


def _harvested(port: int) -> tuple[float, int]:
    """Seconds of a full harvest in a house of its own, and its records."""
    with _house(port) as house:
        began = time.perf_counter()
        done = Work(house).harvest(_NAME, "full", slice_s=None)
        took = time.perf_counter() - began
    assert done is not None
    assert done.state is HarvestState.DONE, done
    return took, done.figures.added


def _asked(port: int) -> list[str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/asked")
    found = orjson.loads(connection.getresponse().read())
    connection.close()
    assert isinstance(found, list)
    return found


def _walk(port: int, asked: list[str]) -> int:
    """The same answers fetched and parsed, and nothing else done; how many rows they held."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    rows = 0
    for each in asked:
        connection.request("GET", each)
        found = orjson.loads(connection.getresponse().read())
        rows += len(found) if isinstance(found, list) else 0
    connection.close()
    return rows


class _Kept(PoliteSession):
    """Answers parsed before: what is asked again costs neither network nor parsing."""

    def __init__(self, port: int) -> None:
        super().__init__(f"http://127.0.0.1:{port}/icat", private=True, rate=None)
        self._known: dict[tuple[str, str], tuple[Reply, Any]] = {}

    def ask(self, path: str, params: Mapping[str, str] | None = None, *rest: Any, **named: Any) -> tuple[Reply, Any]:
        """As harvesters.http.PoliteSession."""
        key = (path, (params or {}).get("query", ""))
        if path.startswith("/session"):
            return super().ask(path, params, *rest, **named)
        if key not in self._known:
            self._known[key] = super().ask(path, params, *rest, **named)
        return self._known[key]


class _Told(Icat):
    """The harvester over answers that were parsed before."""

    def __init__(self, house: House, answers: _Kept) -> None:
        facility, source = house.federation.sources()[_NAME]
        super().__init__(facility, source, Environment(), lambda: datetime.now(UTC))
        self._session.http = answers


def _pipeline(port: int, answers: _Kept) -> Mapping[str, float]:
    """Seconds of assembling and converting what was parsed already, and of committing it, one after the other."""
    spent = {"convert": 0.0, "commit": 0.0, "records": 0.0}
    with _house(port) as house:
        ledger = house.harvests
        lease = ledger.acquire(f"source:{_NAME}", "bench", 3_600)
        assert lease is not None
        run: Harvest = ledger.begin(lease, _NAME, HarvestMode.FULL)
        steps = _Told(house, answers).walk(Order(HarvestMode.FULL))
        while True:
            began = time.perf_counter()
            step = next(steps)
            spent["convert"] += time.perf_counter() - began
            if not isinstance(step, Step):
                break
            for start in range(0, max(1, len(step.records)), 500):
                began = time.perf_counter()
                run = ledger.commit(
                    lease, run, Page(step.records[start : start + 500], step.rejects if not start else ())
                )
                spent["commit"] += time.perf_counter() - began
        spent["records"] = float(run.figures.added)
        ledger.close(lease, run, HarvestState.DONE, "", Bookmark())
    return spent
