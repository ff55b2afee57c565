"""What the tests of the demo share: a SciCat stand-in on each of its layers."""

from collections.abc import Iterator

import pytest
from servers.mongodb import LAYERS, layered

from demo.scicat.server import serve
from demo.scicat.visitor import Served


@pytest.fixture(params=LAYERS)
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    with layered(request) as store, serve(store) as url:
        yield Served(store, url)
