"""The v3 routes beside datasets: instruments, proposals, samples, published data, blocks, history."""

from collections.abc import Callable

from demo.scicat import dress, reading, visibility
from demo.scicat.accounts import Caller
from demo.scicat.asking import Asked, Endpoint, Reply, nothing, said
from demo.scicat.engine import Page
from demo.scicat.filters import cast_by_schema, list_query, parse
from demo.scicat.refusals import broken, refused, unauthorized
from demo.scicat.releases import DATE_FIELDS
from demo.scicat.values import Doc

Look = Callable[[Doc], Doc]
Rule = Callable[[Caller], Doc]


def everything(_caller: Caller) -> Doc:
    """The rule of instruments: anybody sees all."""
    return {}


def many(collection: str, look: Look, rule: Rule) -> Endpoint:
    """The list of a collection."""

    def endpoint(asked: Asked) -> Reply:
        query = list_query(asked.filter(), asked.store.release, datasets=False)
        docs = reading.found(asked, collection, query.where, rule(asked.caller), query.page)
        sent = [look(doc) for doc in docs]
        return said([dress.projected(one, query.fields, asked.store.release) for one in sent] if query.fields else sent)

    return endpoint


def count(collection: str, rule: Rule) -> Endpoint:
    """The count of a collection."""

    def endpoint(asked: Asked) -> Reply:
        if collection == "Sample" and asked.caller.account is None:
            raise unauthorized()
        query = list_query(asked.filter(), asked.store.release, datasets=False)
        return said({"count": reading.counted(asked, collection, cast_by_schema(query.where), rule(asked.caller))})

    return endpoint


def one(collection: str, look: Look, rule: Rule, missing: str = "") -> Endpoint:
    """One document; `missing` is the message of the 404 with the id in place of {}, empty: 200 without a body."""

    def endpoint(asked: Asked) -> Reply:
        store, key = asked.store, asked.path["pid"]
        with store.locked():
            doc = store.engine.get(collection, key)
            if doc is None:
                if not missing:
                    return nothing()
                raise refused(404, missing.format(key))
            if not visibility.may_see(store.engine, collection, key, rule(asked.caller)):
                raise refused(403, "Unauthorized access")
        return said(look(doc))

    return endpoint


def blocks(collection: str) -> Endpoint:
    """GET /origdatablocks and /datablocks: 500 whenever a date is in `where`."""

    def endpoint(asked: Asked) -> Reply:
        query = list_query(asked.filter(), asked.store.release, datasets=False)
        if DATE_FIELDS & set(query.where):
            raise broken()
        docs = reading.found(asked, collection, query.where, visibility.of_records(asked.caller), query.page)
        return said([dress.block(doc, asked.store.new_id) for doc in docs])

    return endpoint


def history(asked: Asked) -> Reply:
    """GET /history: for administrators of 5.x, newest first."""
    if asked.caller.account is None:
        raise unauthorized()
    if not asked.caller.admin:
        raise refused(403, "Forbidden resource")
    where = parse(asked.filter(), asked.store.release)
    skip, limit = int(asked.query.get("skip", 0)), int(asked.query.get("limit", 100))
    docs = reading.found(asked, "History", cast_by_schema(where), {}, Page(("timestamp", -1), skip, limit))
    total = reading.counted(asked, "History", cast_by_schema(where), {})
    items = [dress.sample(doc) for doc in docs]
    return said({"items": items, "count": len(items), "totalCount": total, "skip": skip, "limit": limit})


def closed(asked: Asked) -> Reply:
    """Policies, jobs, logbooks: nothing for anybody here, and not even that without a login."""
    if asked.caller.account is None:
        raise unauthorized()
    return said([])
