"""This file is `make bench`: everything measured in one run, told line by line, and kept as JSON and as a table."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import orjson
import structlog

from benchmarks import feed, harvesting, icat_harvesting, projecting, report, response, scaling
from benchmarks.house import filled
from benchmarks.measure import Result, machine
from benchmarks.question import WORDS
from benchmarks.scaling import Sizes
from benchmarks.searching import Wish

_HERE = Path(__file__).resolve().parent
_ALL = ("response", *sorted(scaling.NAMES), "feed", "projection", "harvest", "icat")


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    searched: int
    streamed: int
    harvested: int
    patterns: int
    words: int
    times: int
    searches: int
    repeats: int
    million: int
    load_s: float
    heap: str
    kept: bool
    icat: int


FULL = Size(100_000, 10_000, 100_000, 2_000, 8, 12, 1_000, 3, 1_000_000, 5.0, "2g", True, 8_000)
QUICK = Size(120, 60, 150, 60, 2, 2, 10, 1, 290, 0.1, "512m", False, 80)


def run(size: Size, only: set[str]) -> Iterator[Result]:
    """Every measurement, one after the other."""
    words = WORDS[: size.words]
    if "response" in only:
        with tempfile.TemporaryDirectory() as name, filled(Path(name), size.searched) as house:
            yield from response.measure(house, words, size.times)
    if only & scaling.NAMES:
        wish = Wish(words, size.times, size.searches)
        sizes = Sizes(size.searched, size.million, wish, size.load_s, size.heap, size.streamed)
        yield from scaling.run(sizes, only, scaling.default_cache() if size.kept else None)
    if "feed" in only:
        with tempfile.TemporaryDirectory() as name:
            with filled(Path(name), size.streamed):
                pass
            yield from feed.measure(Path(name), size.streamed, size.repeats)
    if "projection" in only:
        yield from projecting.measure(4 * size.streamed, 2 * size.repeats - 1)
    if "harvest" in only:
        yield from harvesting.measure(size.harvested, size.patterns, size.repeats)
    if "icat" in only:
        yield from icat_harvesting.measure(size.icat, size.repeats)


def main(arguments: list[str]) -> None:
    """Measure and tell; with --keep also write results.json and README.md."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure, as ratios within one run.")
    parser.add_argument("--quick", action="store_true", help="tiny sizes: that everything runs, not how fast")
    parser.add_argument("--only", nargs="+", choices=_ALL, help="some of them")
    parser.add_argument("--records", type=int, help="another number of records to search and to harvest than 100,000")
    parser.add_argument("--repeats", type=int, help="how often a feed and a harvest are repeated instead of 3 times")
    parser.add_argument("--keep", action="store_true", help="write benchmarks/results.json and benchmarks/README.md")
    asked = parser.parse_args(arguments)
    structlog.configure(processors=[_dropped])
    only = set(asked.only or _ALL)
    before = machine()
    print(" ".join(f"{name}={value}" for name, value in before.items()), flush=True)
    size = QUICK if asked.quick else FULL
    if asked.records:
        size = replace(size, searched=asked.records, harvested=asked.records)
    if asked.repeats:
        size = replace(size, repeats=asked.repeats)
    for result in run(size, only):
        print(result.line(), flush=True)
        if asked.keep:
            _keep(result, before)


def _keep(result: Result, before: dict[str, Any]) -> None:
    """At once: a run that is cut off has not measured in vain."""
    kept = report.merged(_HERE / "results.json", [result.plain()], before)
    (_HERE / "results.json").write_bytes(orjson.dumps(kept, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    (_HERE / "README.md").write_text(report.page(kept), encoding="utf-8")


def _dropped(_logger: object, _name: str, _event: object) -> str:
    raise structlog.DropEvent


if __name__ == "__main__":
    main(sys.argv[1:])
