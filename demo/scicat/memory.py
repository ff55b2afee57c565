"""The documents in memory, in the order they came and by `_id`, with MongoDB's disorder among equal sort keys."""

import bisect
from typing import Any
from zlib import crc32

from demo.scicat.engine import Page
from demo.scicat.matching import compile_filter, sort_key
from demo.scicat.values import Doc


class MemoryEngine:
    """The Engine of tests and of the demo. Not locked: the Store is."""

    def __init__(self) -> None:
        """Empty."""
        self._docs: dict[str, dict[str, Doc]] = {}
        self._sorted: dict[str, list[str]] = {}

    def put(self, collection: str, doc: Doc) -> None:
        """Insert or replace by `_id`."""
        docs = self._docs.setdefault(collection, {})
        if doc["_id"] not in docs:
            self._sorted.pop(collection, None)
        docs[doc["_id"]] = doc

    def delete(self, collection: str, key: str) -> bool:
        """Remove; says whether it was there."""
        self._sorted.pop(collection, None)
        return self._docs.get(collection, {}).pop(key, None) is not None

    def get(self, collection: str, key: str) -> Doc | None:
        """The document of that `_id`."""
        return self._docs.get(collection, {}).get(key)

    def find(self, collection: str, where: Doc, page: Page) -> list[Doc]:
        """The matching documents; raises BadQuery."""
        matches = compile_filter(where)
        docs = self._docs.get(collection, {})
        if page.order is None or page.order[0] in _keys(collection):
            last = None if page.limit is None else page.skip + page.limit
            found: list[Doc] = []
            for key in self._walk(collection, where, page.order):
                if last is not None and len(found) >= last:
                    break
                if matches(docs[key]):
                    found.append(docs[key])
            return found[page.skip :]
        return _sorted([doc for doc in docs.values() if matches(doc)], page, page.order)

    def count(self, collection: str, where: Doc) -> int:
        """How many match; raises BadQuery."""
        matches = compile_filter(where)
        return sum(map(matches, self._docs.get(collection, {}).values()))

    def _walk(self, collection: str, where: Doc, order: tuple[str, int] | None) -> list[str]:
        if order is None:
            return list(self._docs.get(collection, {}))
        keys = self._sorted.get(collection)
        if keys is None:
            keys = self._sorted[collection] = sorted(self._docs.get(collection, {}))
        after = _after(where, _keys(collection))
        first = 0 if after is None else bisect.bisect_right(keys, after)
        return keys[first:] if order[1] > 0 else keys[first:][::-1]


def _keys(collection: str) -> tuple[str, ...]:
    """Fields that are the `_id` itself."""
    return ("_id", "pid") if collection == "Dataset" else ("_id",)


def _after(where: Doc, fields: tuple[str, ...]) -> str | None:
    """The text that the filter certainly wants the key to be greater than."""
    bounds = [bound for field in fields if (bound := _bound(where.get(field))) is not None]
    parts: Any = where.get("$and", [])
    bounds += [bound for part in parts if (bound := _after(part, fields)) is not None]
    return max(bounds, default=None)


def _bound(value: Any) -> str | None:
    bound = value.get("$gt") if isinstance(value, dict) else None
    return bound if isinstance(bound, str) else None


def _sorted(found: list[Doc], page: Page, order: tuple[str, int]) -> list[Doc]:
    """Equal keys come in an order that changes with the place of the page, as MongoDB's top-k sort has it."""
    last = None if page.limit is None else page.skip + page.limit
    found.sort(key=lambda doc: crc32(f"{doc['_id']}/{last}".encode()))
    found.sort(key=lambda doc: sort_key(doc, *order), reverse=order[1] < 0)
    return found[page.skip : last]
