"""This file is what the command prints: the same values as a table for people or as JSON for machines."""

from __future__ import annotations

import json as json_text
import sys
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from catalogue.ports import Harvest
from catalogue.query import Found
from pangate.house import House
from schema.activities import Launch
from schema.errors import NotFound
from schema.records import Dataset

Shown = Table | str


def emit(value: Any, json: bool, form: Callable[[Any], Shown]) -> None:
    """Print a value."""
    if json:
        json_text.dump(value, sys.stdout, ensure_ascii=False, indent=2)
        sys.stdout.write("\n")
    else:
        Console(highlight=False).print(form(value))


def known(names: Sequence[str], house: House) -> None:
    """Raises NotFound for a source that the federation file does not have (or has switched off)."""
    there = house.federation.sources()
    for name in names:
        if name not in there:
            which = (
                f"There are: {', '.join(there)}"
                if there
                else "None is; see that PANGATE_FEDERATION names the right file"
            )
            raise NotFound(f"There is no source {name} that is switched on. {which}.")


def harvest(run: Harvest) -> dict[str, Any]:
    """A harvest's figures."""
    figures = run.figures
    return {
        "source": run.source,
        "mode": run.mode.value,
        "state": run.state.value,
        "seen": figures.seen,
        "added": figures.added,
        "changed": figures.changed,
        "unchanged": figures.unchanged,
        "removed": figures.removed,
        "rejected": figures.rejected,
        "message": run.message,
    }


def harvests(rows: list[dict[str, Any]]) -> Shown:
    """Harvests as a table."""
    return _table(rows, ("source", "mode", "state", "seen", "added", "changed", "removed", "rejected", "message"))


def source_rows(house: House) -> list[dict[str, Any]]:
    """Every source of the federation and how it stands."""
    states = {state.source: state for state in house.harvests.states()}
    rows = []
    for name, (_, source) in house.federation.sources().items():
        state = states.get(name)
        rows.append(
            {
                "source": name,
                "kind": source.kind,
                "records": state.records if state else 0,
                "rejects": state.rejects if state else 0,
                "lastDone": _time(state.last_done) if state else None,
                "state": state.last.state.value if state and state.last else "never",
                "message": state.message if state else "",
            }
        )
    return rows


def sources(rows: list[dict[str, Any]]) -> Shown:
    """Sources as a table."""
    return _table(rows, ("source", "kind", "records", "rejects", "lastDone", "state", "message"))


def found(answer: Found) -> dict[str, Any]:
    """A page of hits."""
    hits = []
    for hit in answer.hits:
        record = hit.document().record
        assert isinstance(record, Dataset)
        hits.append(
            {
                "pid": record.pid,
                "title": record.title,
                "facility": record.facility,
                "start": _time(record.start),
                "techniques": [technique.name for technique in record.techniques],
                "score": hit.score,
            }
        )
    return {"total": answer.total, "hits": hits}


def hits(value: dict[str, Any]) -> Shown:
    """Hits as a table."""
    table = _table(value["hits"], ("pid", "title", "facility", "start"))
    table.caption = f"{value['total']:,} found"
    return table


def launch(each: Launch) -> dict[str, Any]:
    """A launch in a row."""
    return {
        "id": each.id,
        "state": each.state.value,
        "trigger": each.request.trigger,
        "dataset": each.request.dataset,
        "user": each.request.user,
        "created": _time(each.created),
        "expires": _time(each.expires),
        "message": each.message,
    }


def launches(rows: list[dict[str, Any]]) -> Shown:
    """Launches as a table."""
    return _table(rows, ("id", "state", "trigger", "dataset", "user", "created", "expires"))


def probes(rows: list[dict[str, Any]]) -> Shown:
    """Mapping reports as a table, without their samples and fields."""
    names = (
        "source",
        "ok",
        "version",
        "identity",
        "counts",
        "rejects",
        "unknown_units",
        "unresolved_techniques",
        "message",
    )
    return _table(rows, names)


def findings(rows: list[dict[str, Any]]) -> Shown:
    """Findings as a table, faults first."""
    order = {"fault": 0, "warning": 1, "good": 2}
    return _table(sorted(rows, key=lambda row: order[row["grade"]]), ("grade", "what", "message"))


def _table(rows: list[dict[str, Any]], names: Sequence[str]) -> Table:
    table = Table(box=None, header_style="dim")
    for name in names:
        table.add_column(name, overflow="fold")  # what is an identifier can be copied whole
    for row in rows:
        table.add_row(*("" if row.get(name) is None else str(row[name]) for name in names))
    return table


def _time(value: datetime | None) -> str | None:
    return value.isoformat(timespec="seconds").replace("+00:00", "Z") if value else None
