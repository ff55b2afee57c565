"""What a caller's `filter` means to each release: JSON text to a query, or a refusal."""

import json
from dataclasses import dataclass
from typing import Any

from demo.scicat.engine import Page
from demo.scicat.refusals import Refused, broken, refused
from demo.scicat.releases import DATE_FIELDS, Release
from demo.scicat.values import Doc, as_date

_OLD_NAMES = {
    "proposalId": "proposalIds",
    "sampleId": "sampleIds",
    "instrumentId": "instrumentIds",
    "investigator": "principalInvestigators",
    "principalInvestigator": "principalInvestigators",
}
_PLAIN = {"gt": "$gt", "gte": "$gte", "lt": "$lt", "lte": "$lte"}
_REPLACED = (
    ('"inq":[', '"$in":['),
    ('"nin":[', '"$nin":['),
    ('"and":[', '"$and":['),
    ('"or":[', '"$or":['),
    ('{"like":', '{"$regex":'),
)
_PORTABLE = ("attachments", "origdatablocks", "datablocks")
_MODERN = (*_PORTABLE, "instruments", "proposals", "samples")


@dataclass(frozen=True, slots=True)
class Query:
    """A list request: MongoDB's filter, the page, the fields wanted (empty: all), the relations to include."""

    where: Doc
    page: Page
    fields: tuple[str, ...] = ()
    include: tuple[str, ...] = ()


def parse(text: str | None, release: Release) -> Any:
    """The JSON of a parameter; {} when it was not sent. Raises Refused."""
    if not text:
        return {}
    if not release.modern:
        for old, new in _REPLACED:
            text = text.replace(old, new)
    try:
        return json.loads(text)
    except ValueError as error:
        raise refused(400, "Invalid JSON in filter") if release.modern else broken() from error


def list_query(text: str | None, release: Release, datasets: bool = True) -> Query:
    """The query of a v3 list. Top-level limit, skip, order and offset are not looked at. Raises Refused.

    `datasets` is false for instruments, proposals, samples and published data, which both releases read through the
    object mapper: dates cast by the schema, plain operators refused.
    """
    asked = parse(text, release)
    if not isinstance(asked, dict):
        raise broken()
    where = _where(asked.get("where") or {}, release, datasets)
    return Query(
        where, page(asked.get("limits") or {}, release), _fields(asked.get("fields"), release), _include(asked, release)
    )


def cast_by_schema(where: Any, field: str = "") -> Any:
    """Dates below fields that the schema declares as dates."""
    if isinstance(where, dict):
        return {
            key: cast_by_schema(value, field if key.startswith("$") else key.rpartition(".")[2])
            for key, value in where.items()
        }
    if isinstance(where, list):
        return [cast_by_schema(value, field) for value in where]
    return as_date(where) if field in DATE_FIELDS else where


def page(limits: Any, release: Release) -> Page:
    """limits{limit, skip, order} of a v3 request. Raises Refused."""
    if not isinstance(limits, dict):
        raise broken()
    skip = limits.get("skip", 0)
    if not isinstance(skip, int) or isinstance(skip, bool) or skip < 0:
        raise (
            refused(400, "invalid argument to $skip stage: Expected a non-negative number")
            if release.modern
            else broken()
        )
    return Page(_order(limits.get("order")), skip, _limit(limits.get("limit"), release))


def _limit(limit: Any, release: Release) -> int | None:
    if limit is None:
        return 100
    if not isinstance(limit, int) or isinstance(limit, bool):
        raise refused(400, "invalid argument to $limit stage: Expected a number") if release.modern else broken()
    if release.modern:
        if limit < 0:
            raise refused(400, f"invalid argument to $limit stage: Expected a non-negative number in: $limit: {limit}")
        return limit or 10
    return None if limit == 0 else abs(limit)


def _order(order: Any) -> tuple[str, int] | None:
    if not order:
        return None
    if not isinstance(order, str):
        raise broken()
    field, _, direction = order.split(",")[0].partition(":")
    return field, -1 if direction.startswith("desc") else 1


def _fields(fields: Any, release: Release) -> tuple[str, ...]:
    if isinstance(fields, dict) and release.modern:
        return tuple(name for name, wanted in fields.items() if wanted)
    return tuple(str(name) for name in fields) if isinstance(fields, list) else ()


def _include(asked: Doc, release: Release) -> tuple[str, ...]:
    named = []
    for part in asked.get("include") or ():
        relation = part.get("relation") if isinstance(part, dict) else part if release.modern else None
        if relation is not None:
            named.append(str(relation))
    if not release.modern:
        return tuple(name for name in named if name in _PORTABLE)
    if "all" in named:
        return _MODERN
    if unknown := [name for name in named if name not in _MODERN]:
        raise refused(400, f"Provided include field(s) {', '.join(unknown)} are not valid")
    return tuple(named)


def _where(where: Any, release: Release, datasets: bool) -> Doc:
    if not isinstance(where, dict):
        raise broken()
    if datasets:
        where = {_OLD_NAMES.get(name, name): value for name, value in where.items()}
    if release.modern and datasets:
        modern: Doc = _modern(where)
        return modern
    _refuse_plain(where)
    cast: Doc = cast_by_schema(where)
    return cast


def _modern(value: Any) -> Any:
    """5.x: plain comparison operators become MongoDB's, every text that begins as a date becomes one."""
    if isinstance(value, dict):
        if isinstance(value.get("ilike"), str):
            return {"$regex": value["ilike"], "$options": "i"}
        return {_PLAIN.get(key, key): inner if key == "$regex" else _modern(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_modern(inner) for inner in value]
    return as_date(value)


def _refuse_plain(where: Doc) -> None:
    """The object mapper cannot cast {gte: …} to a date or a text: 500."""
    for key, value in where.items():
        if key in {"$and", "$or", "$nor"} and isinstance(value, list):
            for part in value:
                if isinstance(part, dict):
                    _refuse_plain(part)
        elif isinstance(value, dict) and value and "." not in key and not next(iter(value)).startswith("$"):
            raise broken()


def raise_bad_query(error: Exception, release: Release) -> Refused:
    """What the caller gets for a query that MongoDB refuses."""
    return refused(400, str(error)) if release.modern else broken()
