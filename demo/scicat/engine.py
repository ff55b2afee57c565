"""The port behind which the documents lie: memory, or a real MongoDB."""

from dataclasses import dataclass
from typing import Protocol

from demo.scicat.values import Doc


class BadQuery(Exception):
    """The query cannot be run; the message is MongoDB's. Who asked must ask differently."""


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a result: (field, 1 or -1) or insertion order, how many to skip, how many to take (None: all)."""

    order: tuple[str, int] | None = None
    skip: int = 0
    limit: int | None = None


class Engine(Protocol):
    """Collections of documents with MongoDB's query semantics; every document has a text `_id`."""

    def put(self, collection: str, doc: Doc) -> None:
        """Insert or replace by `_id`."""

    def delete(self, collection: str, key: str) -> bool:
        """Remove; says whether it was there."""

    def get(self, collection: str, key: str) -> Doc | None:
        """The document of that `_id`."""

    def find(self, collection: str, where: Doc, page: Page) -> list[Doc]:
        """The matching documents; raises BadQuery. What is returned must not be changed."""

    def count(self, collection: str, where: Doc) -> int:
        """How many match; raises BadQuery."""
