"""This file is how long work is shown on a terminal: a bar that moves, and nothing at all for machines."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from catalogue.ports import Harvest
from harvesters.probe import report
from harvesters.registry import KINDS
from pangate.house import House
from pangate.loops import Loops
from pangate.projection import Projection
from pangate.work import Work
from schema.activities import HarvestMode
from schema.errors import Misconfigured, Unavailable

_WAIT_S = 120.0
_REBUILD_S = 6 * 3600.0
_AGAIN_S = 5.0
"""How often it is tried whether the process that was asked for a rebuild has gone."""
Told = Callable[[int, int], None]


@contextmanager
def bar(title: str, *, quiet: bool) -> Iterator[Told]:
    """A bar from nothing to a total that may change."""
    if quiet:
        yield lambda _done, _total: None
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[reached]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as shown:
        task = shown.add_task(title, total=None, reached="")
        yield lambda done, total: shown.update(task, completed=done, total=total, reached=f"{done:,} of {total:,}")


def harvest(work: Work, source: str, mode: HarvestMode, *, quiet: bool) -> Harvest | None:
    """A harvest with its figures as they grow."""
    if quiet:
        return work.harvest(source, mode.value, slice_s=None)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as shown:
        task = shown.add_task(f"{source}: asking", total=None)

        def told(run: Harvest, message: str, _total: int | None) -> None:
            figures = run.figures
            text = f"{source}: {figures.seen:,} seen, {figures.added + figures.changed:,} new or changed, {figures.rejected:,} refused"
            shown.update(task, description=f"{text} ({message})" if message else text)

        return work.harvest(source, mode.value, told, slice_s=None)


def project(house: House, *, quiet: bool) -> None:
    """Bring the index to the records' head, or wait until the process that writes it has."""
    with bar("Indexing", quiet=quiet) as told:
        projection = Projection(house)
        if projection.take():
            try:
                house.projector.project()
            finally:
                projection.leave()
            return
        head, began = house.truth.head(), time.monotonic()
        while house.index.mark() < head and time.monotonic() - began < _WAIT_S:
            told(house.index.mark(), head)
            time.sleep(0.2)


def rebuild(house: House, *, quiet: bool) -> int:
    """Build the index anew, or have the process that writes it do so and wait, and should that one have gone, do it after all; how many
    documents it holds. Raises Unavailable when nobody does it in time, or it failed."""
    projection, began = Projection(house), time.monotonic()
    with bar("Rebuilding the index", quiet=quiet) as told:
        if projection.take():
            return _renewed(projection, told)
        id = house.rebuilds.request("command line")
        while time.monotonic() - began < _REBUILD_S:
            count = _answered(house, id, _AGAIN_S)
            if count is not None:
                return count
            if projection.take():
                return _renewed(projection, told)
    raise Unavailable(
        "The index was not rebuilt in time by the process that writes it (pangate serve, or a worker of the "
        "queue maintenance); it stays asked for."
    )


def _renewed(projection: Projection, told: Told) -> int:
    """The same by us, who have the duty and leave it then."""
    with Loops([loop for loop in projection.loops() if loop.name.startswith("post")]).running():
        try:
            return projection.renew(told)
        finally:
            projection.leave()


def _answered(house: House, id: int, seconds: float) -> int | None:
    """How many documents that rebuild has written, when it ends within that time."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        found = house.rebuilds.rebuild(id)
        if found is not None and found.ended is not None:
            return found.documents
        if found is not None and found.message:
            raise Unavailable(f"The process that writes the index could not rebuild it: {found.message}")
        time.sleep(0.5)
    return None


def probe(house: House, source: str) -> dict[str, Any]:
    """The mapping report of a source, from a look that keeps nothing."""
    facility, place = house.federation.sources()[source]
    if place.kind not in KINDS:
        raise Misconfigured(f"there is no harvester of the kind {place.kind}; there are: {', '.join(KINDS)}.")
    harvester = KINDS[place.kind](facility, place, house.environment, house.clock)
    try:
        found = harvester.probe()
    finally:
        harvester.close()
    return {"source": source, **msgspec.to_builtins(report(found))}
