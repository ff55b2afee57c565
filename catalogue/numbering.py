"""This file is how documents get their numbers: after records moved, what is shown of a pid is put together anew and compared."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from catalogue.assembly import Assembled, Key, Order, Written, assemble, by_kind, chunks
from catalogue.changes import CHANGES, PUBLIC, Numbers
from catalogue.tables import documents


def number(
    connection: Connection,
    numbers: Numbers,
    moved: Sequence[Key],
    touched: Sequence[Key],
    now: datetime,
    order: Order,
    written: Written | None = None,
) -> int:
    """Give the documents of moved records the next change numbers, those of touched ones only if they show something else now; and
    public numbers where the public document appears, changes or disappears. How many got a number."""
    forced = dict.fromkeys(moved)
    keys = list(dict.fromkeys((*moved, *touched)))
    rows = _rows(connection, keys)
    assembled = assemble(connection, keys, order, written or {})
    fresh: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for key in keys:
        row, document = rows.get(key), assembled.get(key)
        values = _values(row, document)
        if values is None or (key not in forced and row is not None and row.digest == values["digest"]):
            continue
        if values.pop("news"):
            values |= {"public_number": numbers.next(PUBLIC), "public_time": now}
        values["change"] = numbers.next(CHANGES)
        (changed if row is not None else fresh).append({"of": key[0].value, "named": key[1], **values})
    _write(connection, fresh, changed)
    return len(fresh) + len(changed)


def _values(row: Any, document: Assembled | None) -> dict[str, Any] | None:
    """The row of a document as it is now, without numbers; `news`: a public number is due. None: it never was and is not."""
    was_live = row is not None and row.live
    was_public = was_live and row.public
    values: dict[str, Any] = {
        "public_number": row.public_number if row is not None else None,
        "public_time": row.public_time if row is not None else None,
    }
    if document is None:
        if not was_live:
            return None
        return values | {
            "facility": row.facility,
            "live": False,
            "public": False,
            "digest": None,
            "news": was_public,
        }
    digest = document.digest()
    news = (document.public != was_public) or (document.public and row.digest != digest)
    return values | {
        "facility": document.record.facility,
        "live": True,
        "public": document.public,
        "digest": digest,
        "news": news,
    }


def _rows(connection: Connection, keys: Collection[Key]) -> dict[Key, Any]:
    return {
        (kind, row.pid): row
        for kind, pids in by_kind(keys).items()
        for chunk in chunks(pids)
        for row in connection.execute(
            select(documents).where(documents.c.kind == kind.value, documents.c.pid.in_(chunk))
        )
    }


def _write(connection: Connection, fresh: list[dict[str, Any]], changed: list[dict[str, Any]]) -> None:
    if fresh:
        rows = [
            {"kind": row["of"], "pid": row["named"], **{k: v for k, v in row.items() if k not in ("of", "named")}}
            for row in fresh
        ]
        connection.execute(insert(documents), rows)
    if changed:
        own = (documents.c.kind == bindparam("of"), documents.c.pid == bindparam("named"))
        connection.execute(update(documents).where(*own), changed)
