"""This file is the written result of a run: what was aimed at, what was measured, on what."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

_HEAD = """# Measurements

Written by `python -m benchmarks --keep` (`make bench` measures and only tells; `--quick` proves that everything runs). Every figure is a
ratio within one run, or a figure of one process; none is a test. *Spread* is the distance of the quartiles of the repeats over their
median; *noise* the same of the reference alone, so a difference smaller than either says nothing, and above 50 % the figure is
unproved, as it is when it was run but once on a busy machine. The load is that of the machine when the run began: above the number of
cores, others were at work and seconds are too long, while ratios taken in turns still hold roughly.

A harvest and a feed are told by the best of their repeats (what others did meanwhile only adds; *spread* is that of all), searches in
pairs (the engine alone, the whole, the engine alone again, for one word: the ratio is the median of whole over first, the noise that of
the engine over itself), and the two executors and the pipeline by seconds of the processor, which others at work disturb least.
A harvest of fewer than 100,000 records says little about the share of an incremental one: what it costs to start a process weighs.

What is measured: records of the demo's invented synchrotron through the real crosswalk, varied to the number wanted (`records.py`);
a search with a text, two filters, three facets and twenty hits with thirty fields (`question.py`); `pangate serve` as a process of its
own, the rate limit off, over the embedded stores if nothing else is said.

A harvest is that of `pangate harvest`: a child that fetches and converts, its parent that commits. It is held against the longer of two
things done alone: a *bare walk* (the same pages fetched and parsed, nothing else) and *our own pipeline* (what was parsed converted and
committed, in one process). Below one, the two processes helped each other. SciCat's pages are rendered beforehand (`source.py`; a record is
a dataset); ICAT's are the answers of the demo's icat.server, kept when they were first asked for (`icat_source.py`; a row is a row of an
answer, of which a record takes about twenty, so that the goal is counted in rows for the source and in records for us).

Searching reads the index alone, so the catalogues of 100,000 and of a million records stand in an index that was filled through the Index
port, and the truth beside them is empty (`kept.py`); every 1,600 records have their own investigations and samples. These indexes are kept
in the folder that `PANGATE_BENCH_CACHE` names and used again until the rows of documents change (the million takes a quarter of an hour to
build, or half of one in Elasticsearch). Elasticsearch is a real node of one shard, started here with 2 GiB of heap, or the one at
`PANGATE_BENCH_ELASTICSEARCH`. What has no goal is told for [sizing](../docs/operations/scale.md).

"""


def merged(file: Path, results: Sequence[dict[str, Any]], machine: dict[str, Any]) -> dict[str, Any]:
    """Earlier results with these in their places, each with the machine it was measured on. What was measured with another Python stays
    beside it: no figure hides one that is less good."""
    known = orjson.loads(file.read_bytes()) if file.exists() else {"results": []}
    fresh = {_place(each): each for each in ({**result, "machine": machine} for result in results)}
    old = [fresh.pop(_place(each), each) for each in known["results"]]
    return {"results": [*old, *fresh.values()]}


def _place(result: dict[str, Any]) -> tuple[str, str]:
    return result["name"], result["machine"]["python"]


_TOO_NOISY = 0.5
"""Noise of the reference above which a ratio says nothing, whichever way it fell."""


def page(kept: dict[str, Any]) -> str:
    """The results as a table."""
    rows = [
        "| what | goal | measured | | spread | noise | load | Python |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    rows += [_row(each) for each in kept["results"]]
    details = [f"- {each['name']}: {_told(each['details'])}" for each in kept["results"] if each["details"]]
    system = kept["results"][0]["machine"] if kept["results"] else {}
    about = f"{system.get('cores')} cores, {system.get('system')}."
    return _HEAD + "\n".join([about, "", *rows, "", *details]) + "\n"


def _row(each: dict[str, Any]) -> str:
    once = each["details"].get("repeats") == 1
    noise = "" if each["noise"] is None or once else f"{each['noise']:.0%}"
    spread = "one run" if once else f"{each['spread']:.0%}"
    mark = _mark(each, once=once)
    measured = f"{each['measured']:.4g} {each['unit']}"
    load, python = each["machine"]["load"], each["machine"]["python"]
    return f"| {each['name']} | {each['goal']} | {measured} | {mark} | {spread} | {noise} | {load} | {python} |"


def _mark(each: dict[str, Any], *, once: bool) -> str:
    """What came of a goal. What was run but once while others were at work proves nothing, unless it is seconds of the processor."""
    if each["goal"] == "told":
        return ""
    alone = each["machine"]["load"] <= each["machine"]["cores"]
    if (each["noise"] or 0) > _TOO_NOISY or (once and not alone and "of one core" not in each["name"]):
        return "unproved"
    return "met" if each["met"] else "**missed**"


def _told(details: dict[str, Any]) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in details.items()
    )
