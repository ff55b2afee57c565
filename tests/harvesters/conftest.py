"""What the tests of the harvesters share: a SciCat source on each layer of the stand-in."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from harvesting import SciCatSite
from servers.mongodb import LAYERS, layered

from demo.scicat.server import serve


@pytest.fixture(params=LAYERS)
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SciCatSite]:
    """A SciCat source read with a login, pages of seven."""
    with layered(request) as store, serve(store) as url:
        yield SciCatSite(store, url, tmp_path)
