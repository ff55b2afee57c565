"""The v3 dataset routes."""

from typing import Any

import orjson

from demo.scicat import dress, facets, reading, visibility
from demo.scicat.asking import Asked, Reply, freshened, listed, picture, said
from demo.scicat.filters import Query, cast_by_schema, list_query, page, parse
from demo.scicat.refusals import refused
from demo.scicat.values import Doc


def many(asked: Asked) -> Reply:
    """GET /datasets."""
    query = list_query(asked.filter(), asked.store.release)
    docs = reading.found(asked, "Dataset", query.where, visibility.of_records(asked.caller), query.page)
    return listed(reading.rendered(asked, docs, query), asked.store)


def first(asked: Asked) -> Reply:
    """GET /datasets/findOne: the first of the list, or an empty object."""
    query = list_query(asked.filter(), asked.store.release)
    docs = reading.found(asked, "Dataset", query.where, visibility.of_records(asked.caller), query.page)[:1]
    parts = reading.rendered(asked, docs, query)
    return Reply(200, freshened(parts[0], asked.store)) if parts else said({})


def count(asked: Asked) -> Reply:
    """GET /datasets/count: counts through the object mapper, so dates are cast by the schema."""
    query = list_query(asked.filter(), asked.store.release)
    where = cast_by_schema(query.where)
    return said({"count": reading.counted(asked, "Dataset", where, visibility.of_records(asked.caller))})


def one(asked: Asked) -> Reply:
    """GET /datasets/{pid}."""
    query = list_query(asked.filter(), asked.store.release)
    doc = seen(asked)
    sent = dress.single(dress.dataset(doc, asked.store.release, asked.store.started))
    if query.fields:
        sent = dress.projected(sent, query.fields, asked.store.release)
    return Reply(200, freshened(orjson.dumps({**sent, **reading.included(asked, doc, query.include)}), asked.store))


def seen(asked: Asked) -> Doc:
    """The dataset of the path. Raises Refused: 404 when there is none, 403 when it is not the caller's."""
    pid, store = asked.path["pid"], asked.store
    with store.locked():
        doc = store.engine.get("Dataset", pid)
        if doc is None:
            raise refused(404, f"dataset: {pid} not found")
        if not visibility.may_see(store.engine, "Dataset", pid, visibility.of_records(asked.caller)):
            raise refused(403, "Unauthorized access")
    return doc


def origdatablocks(asked: Asked) -> Reply:
    """GET /datasets/{pid}/origdatablocks."""
    return _blocks(asked, "OrigDatablock")


def datablocks(asked: Asked) -> Reply:
    """GET /datasets/{pid}/datablocks."""
    return _blocks(asked, "Datablock")


def _blocks(asked: Asked, collection: str) -> Reply:
    found = reading.blocks(asked, collection, seen(asked)["_id"])
    return said([dress.block(doc, asked.store.new_id) for doc in found])


def attachments(asked: Asked) -> Reply:
    """GET /datasets/{pid}/attachments."""
    return said([dress.with_id(doc) for doc in reading.blocks(asked, "Attachment", seen(asked)["_id"])])


def thumbnail(asked: Asked) -> Reply:
    """GET /datasets/{pid}/thumbnail: an object with one data URL (empty without a picture: assumed)."""
    return said(picture(next(iter(reading.blocks(asked, "Attachment", seen(asked)["_id"])), None)))


def fullquery(asked: Asked) -> Reply:
    """GET /datasets/fullquery?fields&limits."""
    store = asked.store
    where = facets.where(parse(asked.query.get("fields"), store.release))
    wanted = page(parse(asked.query.get("limits"), store.release), store.release)
    docs = reading.found(asked, "Dataset", where, visibility.of_records(asked.caller), wanted)
    look = lambda doc: dress.fullquery(doc, store.started)  # noqa: E731 - one look, named for the line below
    return listed([reading.keep(store, "fullquery", doc, look) for doc in docs], store)


def fullfacet(asked: Asked) -> Reply:
    """GET /datasets/fullfacet?fields&facets."""
    release = asked.store.release
    where = facets.where(parse(asked.query.get("fields"), release))
    names: Any = parse(asked.query.get("facets"), release)
    docs = reading.found(
        asked, "Dataset", where, visibility.of_records(asked.caller), Query({}, page({"limit": 10**9}, release)).page
    )
    return said(facets.counts(docs, names if isinstance(names, list) else []))
