"""Reading datasets for a caller: the filtered page, rendered once and kept while the document stays the same."""

from collections.abc import Callable
from weakref import WeakKeyDictionary

import orjson

from demo.scicat import dress, visibility
from demo.scicat.asking import Asked
from demo.scicat.engine import BadQuery, Page
from demo.scicat.filters import Query, raise_bad_query
from demo.scicat.store import Store
from demo.scicat.values import Doc

Rendered = dict[tuple[str, str], tuple[Doc, bytes]]
_kept: WeakKeyDictionary[Store, Rendered] = WeakKeyDictionary()


def found(asked: Asked, collection: str, where: Doc, allowed: Doc, page: Page) -> list[Doc]:
    """The documents of the page that the caller may see. Raises Refused."""
    store = asked.store
    try:
        with store.locked():
            return store.engine.find(collection, visibility.both(where, allowed), page)
    except BadQuery as error:
        raise raise_bad_query(error, store.release) from error


def counted(asked: Asked, collection: str, where: Doc, allowed: Doc) -> int:
    """How many the caller may see. Raises Refused."""
    store = asked.store
    try:
        with store.locked():
            return store.engine.count(collection, visibility.both(where, allowed))
    except BadQuery as error:
        raise raise_bad_query(error, store.release) from error


def rendered(asked: Asked, docs: list[Doc], query: Query) -> list[bytes]:
    """The datasets of a v3 list as JSON."""
    store = asked.store
    if not query.fields and not query.include:
        return [keep(store, "v3", doc, lambda doc: dress.dataset(doc, store.release, store.started)) for doc in docs]
    parts = []
    for doc in docs:
        sent = dress.dataset(doc, store.release, store.started)
        if query.fields:
            sent = dress.projected(sent, query.fields, store.release)
        parts.append(orjson.dumps({**sent, **included(asked, doc, query.include)}))
    return parts


def keep(store: Store, form: str, doc: Doc, look: Callable[[Doc], Doc]) -> bytes:
    """The document in this form as JSON, from the last time if it has not changed since."""
    kept = _kept.setdefault(store, {})
    key = (form, doc["_id"])
    known = kept.get(key)
    if known is None or known[0] is not doc:
        known = kept[key] = (doc, orjson.dumps(look(doc)))
    return known[1]


def included(asked: Asked, doc: Doc, names: tuple[str, ...]) -> Doc:
    """The relations of a dataset, under their names."""
    return {name: _RELATIONS[name](asked, doc) for name in names}


def blocks(asked: Asked, collection: str, pid: str) -> list[Doc]:
    """The blocks or attachments of a dataset."""
    return found(asked, collection, {"datasetId": pid}, {}, Page())


def _blocks(collection: str) -> Callable[[Asked, Doc], list[Doc]]:
    return lambda asked, doc: [dress.sample(block) for block in blocks(asked, collection, doc["_id"])]


def _named(collection: str, field: str) -> Callable[[Asked, Doc], list[Doc]]:
    def related(asked: Asked, doc: Doc) -> list[Doc]:
        names = doc.get(field)
        wanted = [name for name in names if name] if isinstance(names, list) else []
        return [dress.sample(one) for one in found(asked, collection, {"_id": {"$in": wanted}}, {}, Page())]

    return related


_RELATIONS: dict[str, Callable[[Asked, Doc], list[Doc]]] = {
    "attachments": _blocks("Attachment"),
    "origdatablocks": _blocks("OrigDatablock"),
    "datablocks": _blocks("Datablock"),
    "instruments": _named("Instrument", "instrumentIds"),
    "proposals": _named("Proposal", "proposalIds"),
    "samples": _named("Sample", "sampleIds"),
}
