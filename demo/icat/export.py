"""This file is the export of icat.server (GET /icat/port): a text, one block an entity, relations as keys of their targets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any

import orjson

from demo.icat.answer import objects
from demo.icat.calls import Parameters, Reply
from demo.icat.entities import Entity, Schema
from demo.icat.errors import Refusal, bad
from demo.icat.objects import Tree
from demo.icat.rights import Rights
from demo.icat.rows import Row
from demo.icat.sessions import User

if TYPE_CHECKING:
    from demo.icat.store import Store

STAMPS = ("createId", "createTime", "modId", "modTime")
# The order of the blocks in a whole export, as far as it was recorded; the others follow.
FIRST = (
    "User",
    "Grouping",
    "UserGroup",
    "Rule",
    "PublicStep",
    "Facility",
    "DatafileFormat",
    "Application",
    "Instrument",
    "InvestigationType",
    "DatasetType",
    "ParameterType",
    "SampleType",
    "Investigation",
    "Sample",
    "Dataset",
    "Datafile",
    "FacilityCycle",
    "DataCollection",
    "DataCollectionDatafile",
    "DataCollectionDataset",
    "DataCollectionInvestigation",
    "DataCollectionParameter",
    "DatafileParameter",
)


def export(store: Store, parameters: Parameters) -> Reply:
    """The whole text; parameter json = {"sessionId", "query"?, "attributes": "ALL" or "USER"}. Raises Refusal."""
    try:
        asked = orjson.loads(parameters.get("json", ""))
    except orjson.JSONDecodeError:
        raise bad("json is not JSON") from None
    user = store.sessions.alive(str(asked.get("sessionId", ""))).user
    stamped = asked.get("attributes") == "ALL"
    blocks = _asked(store, user, asked["query"]) if "query" in asked else _everything(store, user)
    lines = [f"# ICAT Export file written by {user.name}", "1.0", ""]
    for name in sorted(blocks, key=_rank):
        lines += [*_block(store, store.schema[name], blocks[name], stamped), ""]
    disposition = (("Content-Disposition", 'attachment; filename="icat.export"'),)
    return Reply(200, "\n".join(lines).encode(), "text/plain", headers=disposition)


def _rank(name: str) -> tuple[int, str]:
    return (FIRST.index(name) if name in FIRST else len(FIRST), name)


def _everything(store: Store, user: User) -> dict[str, list[Row]]:
    rights = Rights(store, user)
    found: dict[str, list[Row]] = {}
    for name, table in store.tables.items():
        may = rights.reading(name)
        if may is not None:
            found[name] = [row for row in table.all() if may(row)]
    return found


def _asked(store: Store, user: User, text: str) -> dict[str, list[Row]]:
    rows, tree = objects(store, user, text)
    rights = Rights(store, user)
    found: dict[str, dict[int, Row]] = {}
    sent = 0
    for row in rows:
        for each in _reached(store, rights, row, tree):
            sent += 1
            if sent > store.max_entities:
                raise Refusal("VALIDATION", f"attempt to return more than {store.max_entities} entities")
            found.setdefault(each.entity.name, {})[each.id] = each
    return {name: list(block.values()) for name, block in found.items()}


def _reached(store: Store, rights: Rights, row: Row, node: Tree) -> Iterator[Row]:
    yield row
    for name, branch in node.branches.items():
        may = rights.reading(branch.entity.name)
        many = name in row.entity.to_many
        others: Iterable[Row | None] = store.children(row, name) if many else (getattr(row, name),)
        for other in others:
            if other is not None and may is not None and may(other):
                yield from _reached(store, rights, other, branch)


def _block(store: Store, entity: Entity, rows: list[Row], stamped: bool) -> Iterator[str]:
    names = [name for name in entity.order if name not in entity.to_many and name not in ("id", *STAMPS)]
    numbers = count()
    head = [] if entity.unique else [f"?:{next(numbers)}"]
    head += [f"{name}:{next(numbers)}" for name in STAMPS if stamped]
    shown = [*(STAMPS if stamped else ()), *names]
    for name in names:
        relation = entity.to_one.get(name)
        target = store.schema[relation.target] if relation else None
        head.append(f"{name}({_key(store.schema, target, numbers)})" if target else f"{name}:{next(numbers)}")
    yield f"{entity.name}({','.join(head)})"
    for row in rows:
        own = [] if entity.unique else [f'"{row.id}"']
        yield ",".join([*own, *(cell for name in shown for cell in _cells(store, row, name))])


def _key(schema: Schema, entity: Entity, numbers: count[int]) -> str:
    if not entity.unique:
        return f"?:{next(numbers)}"
    parts = []
    for name in sorted(entity.unique):
        relation = entity.to_one.get(name)
        inner = f"({_key(schema, schema[relation.target], numbers)})" if relation else f":{next(numbers)}"
        parts.append(f"{name}{inner}")
    return ",".join(parts)


def _cells(store: Store, row: Row, name: str) -> list[str]:
    relation = row.entity.to_one.get(name)
    if relation is None:
        return [_cell(store, row.entity.kind(name), getattr(row, name))]
    other = getattr(row, name)
    target = store.schema[relation.target]
    if other is None:
        return ["NULL", *["NA"] * (_width(store.schema, target) - 1)]
    if not target.unique:
        return [f'"{other.id}"']
    return [cell for part in sorted(target.unique) for cell in _cells(store, other, part)]


def _width(schema: Schema, entity: Entity) -> int:
    relations = (entity.to_one.get(name) for name in entity.unique)
    return sum(_width(schema, schema[r.target]) if r else 1 for r in relations) or 1


def _cell(store: Store, kind: str | None, value: Any) -> str:
    if value is None:
        return "NULL"
    if kind == "time":
        return store.rendered[value]
    if kind == "str":
        text = (
            str(value)
            .replace("\\", "\\\\")
            .replace('"', '\\"')
            .replace("\n", "\\n")
            .replace("\r", "\\r")
            .replace("\t", "\\t")
        )
        return f'"{text}"'
    if isinstance(value, float):
        return _double(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _double(value: float) -> str:
    """A number as Java writes it: 4.0E-7 below a thousandth and from ten million on."""
    if value == 0 or 1e-3 <= abs(value) < 1e7:
        return repr(value)
    digits, exponent = f"{Decimal(repr(value)).normalize():E}".split("E")
    return f"{digits if '.' in digits else digits + '.0'}E{int(exponent)}"
