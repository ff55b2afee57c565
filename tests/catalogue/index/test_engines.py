"""Both engines give the same answers: sets, counts, facets, suggestions, and on freshly built indexes scores and order."""

import pytest
from contracts.engines import Alike

pytestmark = [pytest.mark.elasticsearch, pytest.mark.timeout(3_600)]


class TestAlike(Alike):
    """Elasticsearch against the embedded index."""
