"""This file measures a harvest against what bounds it: a bare walk of the source, and our own pipeline; and an incremental one
against a full one."""

from __future__ import annotations

import http.client
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson

from benchmarks import records
from benchmarks.house import settings
from benchmarks.measure import Result, spread, started, timed
from benchmarks.source import Shelf
from catalogue.ports import Page
from harvesters.converted import converted
from harvesters.scicat import PAGE
from pangate.house import House, open_house
from pangate.work import Work
from schema.activities import Bookmark, HarvestMode, HarvestState
from schema.crosswalks import scicat
from schema.crosswalks.place import Place
from schema.techniques import default

CHANGED = 10


def measure(count: int, patterns: int, times: int) -> list[Result]:
    """Wall time over the longer of its bounds; the pipeline's rate; incremental over full."""
    walks: list[float] = []
    fulls: list[float] = []
    updates: list[float] = []
    sweeps: list[float] = []
    pipelines: list[Mapping[str, float]] = []
    with started("benchmarks.source", count, patterns) as port:
        for _ in range(times):
            pipelines.append(_pipeline(count, patterns))
            walks.append(timed(lambda: _walk(port, count)))
            with (
                tempfile.TemporaryDirectory() as folder,
                open_house(settings(Path(folder), port), write_index=True) as house,
            ):
                fulls.append(_harvested(house, count))
                _touch(port)
                took, names = _incremental(house)
                updates.append(took)
                sweeps.append(names)
    return _results(count, pipelines, walks, fulls, updates, sweeps)


def _results(
    count: int,
    pipelines: list[Mapping[str, float]],
    walks: list[float],
    fulls: list[float],
    updates: list[float],
    sweeps: list[float],
) -> list[Result]:
    own = [each["convert"] + each["commit"] for each in pipelines]
    ratio = min(fulls) / max(min(walks), min(own))  # the best of the repeats: what others did meanwhile only adds
    busy = [each["convert_cpu"] + each["commit_cpu"] for each in pipelines]
    rate = count / statistics.median(busy)
    share = min(updates) / min(fulls)
    told = {
        "records": count,
        "repeats": len(fulls),
        "harvest_s": min(fulls),
        "walk_s": min(walks),
        "walk_records_per_s": count / min(walks),
        "pipeline_s": min(own),
    }
    parts = {f"{name}_per_s": count / min(each[name] for each in pipelines) for name in pipelines[0]}
    later = {"repeats": len(updates), "incremental_s": min(updates), "id_sweep_s": min(sweeps)}
    return [
        Result(
            "SciCat harvest, wall time over the longer of bare walk and own pipeline",
            "≤ 1.15", ratio, "times", ratio <= 1.15, spread(fulls), spread(walks), told,
        ),
        Result(
            "pipeline alone (convert, compare, commit), records a second of one core",
            "≥ 2000", rate, "records/s", rate >= 2_000, spread(busy), None, parts,
        ),
        Result(
            f"incremental harvest with {CHANGED} changes among {count:,} over a full one, id sweep apart",
            "< 3 %", share * 100, "%", share < 0.03, spread(updates), None, later,
        ),
    ]  # fmt: skip


def _pipeline(count: int, patterns: int) -> Mapping[str, float]:
    """Seconds of converting, committing and projecting what was parsed already, one after the other."""
    shelf = Shelf(count, patterns)
    place = Place(records.FACILITY, records.SOURCE, default(), authenticated=False)
    spent: defaultdict[str, float] = defaultdict(float)
    with tempfile.TemporaryDirectory() as folder, open_house(settings(Path(folder)), write_index=True) as house:
        ledger = house.harvests
        lease = ledger.acquire(f"source:{records.SOURCE}", "bench", 3_600)
        assert lease is not None
        run = ledger.begin(lease, records.SOURCE, HarvestMode.FULL)
        for raws in _pages(shelf):
            with _counted(spent, "convert"):
                good, bad = converted(scicat.dataset(place, raw) for raw in raws)
            with _counted(spent, "commit"):
                run = ledger.commit(lease, run, Page(good, bad))
        assert run.figures.added == count, run.figures
        ledger.close(lease, run, HarvestState.DONE, "", Bookmark())
        with _counted(spent, "project"):
            house.projector.project()
    return spent


@contextmanager
def _counted(spent: defaultdict[str, float], name: str) -> Iterator[None]:
    """Add the seconds on the wall, and those of the processor as `name`_cpu."""
    began, begun = time.perf_counter(), time.process_time()
    yield
    spent[name] += time.perf_counter() - began
    spent[f"{name}_cpu"] += time.process_time() - begun


def _pages(shelf: Shelf) -> Iterator[list[Any]]:
    after = ""
    while raws := orjson.loads(shelf.page(_asked(after))):
        yield raws
        after = raws[-1]["pid"]


def _asked(after: str) -> dict[str, Any]:
    where = {"pid": {"$gt": after}} if after else {}
    return {"where": where, "limits": {"limit": PAGE, "skip": 0, "order": "pid:asc"}}


def _walk(port: int, count: int) -> None:
    """The source fetched and parsed, and nothing else done."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    after, seen = "", 0
    while True:
        connection.request("GET", f"/api/v3/datasets?filter={quote(orjson.dumps(_asked(after)))}")
        raws = orjson.loads(connection.getresponse().read())
        if not raws:
            break
        after, seen = raws[-1]["pid"], seen + len(raws)
    connection.close()
    assert seen == count


def _harvested(house: House, count: int) -> float:
    began = time.perf_counter()
    done = Work(house).harvest(records.SOURCE, "full", slice_s=None)
    assert done is not None
    assert done.state is HarvestState.DONE, done
    assert done.figures.added == count, done.figures
    return time.perf_counter() - began


def _incremental(house: House) -> tuple[float, float]:
    """Seconds up to the names that the id sweep reads, and of those."""
    began = time.perf_counter()
    marks: list[float] = []

    def progress(_run: Any, message: str, _total: int | None) -> None:
        if message.startswith("names") and not marks:
            marks.append(time.perf_counter())

    done = Work(house).harvest(records.SOURCE, "incremental", progress, slice_s=None)
    ended = time.perf_counter()
    assert done is not None
    assert done.figures.changed == CHANGED, done.figures
    middle = marks[0] if marks else ended
    return middle - began, ended - middle


def _touch(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", f"/touch/{CHANGED}", b"")
    connection.getresponse().read()
    connection.close()
