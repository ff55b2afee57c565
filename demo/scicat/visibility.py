"""Who sees which documents, as filters that are and-ed to what was asked."""

from typing import Any

from demo.scicat.accounts import Caller
from demo.scicat.engine import Engine
from demo.scicat.values import Doc


def of_records(caller: Caller) -> Doc:
    """Datasets, blocks, attachments, proposals, samples: published, or of the caller's groups, or shared; admins all."""
    if caller.admin:
        return {}
    if caller.account is None:
        return {"isPublished": True}
    groups = list(caller.account.groups)
    mine: list[Doc] = [{"isPublished": True}, {"ownerGroup": {"$in": groups}}, {"accessGroups": {"$in": groups}}]
    return {"$or": [*mine, {"sharedWith": {"$in": [caller.account.email]}}]}


def of_published(caller: Caller) -> Doc:
    """Published data: the registered ones; with a login all (assumed: the real rule looks at who made them)."""
    return {} if caller.account else {"status": "registered"}


def both(asked: Doc, allowed: Doc) -> Doc:
    """The filter of those that were asked for and may be seen."""
    parts = [part for part in (asked, allowed) if part]
    return {"$and": parts} if len(parts) > 1 else (parts[0] if parts else {})


def may_see(engine: Engine, collection: str, key: Any, allowed: Doc) -> bool:
    """Whether the one document passes the filter."""
    return engine.count(collection, both({"_id": key}, allowed)) > 0
