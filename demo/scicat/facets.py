"""The search form of SciCat's own page: `fields` to a filter, and the counts beside it."""

from collections import Counter
from typing import Any

from demo.scicat.refusals import broken
from demo.scicat.values import Doc, as_date, encode_key, plain

_LISTS = ("type", "ownerGroup", "creationLocation", "keywords", "pid", "datasetName", "proposalId", "sampleId")
_RELATIONS = {
    "EQUAL_TO_NUMERIC": "$eq",
    "EQUAL_TO_STRING": "$eq",
    "EQUAL_TO": "$eq",
    "GREATER_THAN": "$gt",
    "LESS_THAN": "$lt",
    "GREATER_THAN_OR_EQUAL": "$gte",
    "LESS_THAN_OR_EQUAL": "$lte",
}


def where(fields: Any) -> Doc:
    """The filter of a fullquery. `text` is taken word by word in name, description and keywords (assumed: the real one
    asks a text index). Raises Refused when a creation time has one end only.
    """
    parts: list[Doc] = []
    for name, value in (fields if isinstance(fields, dict) else {}).items():
        if name in _LISTS:
            parts.append({name: {"$in": value if isinstance(value, list) else [value]}} if value else {})
        elif name == "isPublished":
            parts.append({name: value})
        elif name == "creationTime":
            parts.append({name: _between(value)})
        elif name == "text" and isinstance(value, str):
            parts.append(_words(value))
        elif name == "scientific":
            parts += [_scientific(condition) for condition in value]
        elif name == "mode" and isinstance(value, dict):
            parts.append(value)
    chosen = [part for part in parts if part]
    return {"$and": chosen} if chosen else {}


def counts(docs: list[Doc], names: list[str]) -> list[Doc]:
    """How often each value of the named fields occurs, lists taken apart, absence as null; and how many in all."""
    result: Doc = {}
    for name in names:
        tally: Counter[Any] = Counter()
        for doc in docs:
            value = doc.get(name)
            tally.update(
                value
                if isinstance(value, list)
                else [None]
                if value is None and name != "keywords"
                else [value]
                if value
                else []
            )
        result[name] = [{"_id": plain(value), "count": number} for value, number in tally.items()]
    result["all"] = [{"totalSets": len(docs)}] if docs else []
    return [result]


def _between(value: Any) -> Doc:
    if not isinstance(value, dict) or not value.get("begin") or not value.get("end"):
        raise broken()
    return {"$gte": as_date(value["begin"]), "$lte": as_date(value["end"])}


def _words(text: str) -> Doc:
    fields = ("datasetName", "description", "keywords", "pid")
    return (
        {"$or": [{field: {"$regex": word, "$options": "i"}} for word in text.split() for field in fields]}
        if text.split()
        else {}
    )


def _scientific(condition: Any) -> Doc:
    if not isinstance(condition, dict) or not isinstance(condition.get("lhs"), str):
        raise broken()
    path = f"scientificMetadata.{encode_key(condition['lhs'])}.value"
    relation, right = condition.get("relation"), condition.get("rhs")
    if relation == "CONTAINS_STRING":
        return {path: {"$regex": right, "$options": "i"}}
    return {path: {_RELATIONS.get(str(relation), "$eq"): right}}
