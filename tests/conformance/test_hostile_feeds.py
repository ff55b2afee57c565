"""This file is hostile records in the feed: 500 of them, in every syntax, beside a good one that must not suffer."""

from demo_records import demo_documents
from hostile import hostile_datasets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import NamedNode, parse
from rdflib import Graph
from shapes import PLACE

from schema.rdf.dataset import dataset
from schema.rdf.formats import FORMATS, written
from schema.records import Document

READERS = {"ttl": "turtle", "nt": "nt", "rdf": "xml", "jsonld": "json-ld"}


GOOD = demo_documents(40)[-1]
NEIGHBOUR = set(dataset(GOOD, PLACE))


@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(hostile_datasets(), st.integers(0, 15))
def test_hostile_records_never_break_a_feed_nor_hide_their_neighbours(found: Document, turn: int) -> None:
    meant = NEIGHBOUR | set(dataset(found, PLACE))
    for format in FORMATS:
        text = written(meant, format)
        assert {quad.triple for quad in parse(text, format.written)} == meant
    if turn < len(FORMATS):  # the other reader takes one of them in turn: it is slow
        format = FORMATS[turn]
        assert len(Graph().parse(data=written(meant, format), format=READERS[format.word])) == len(meant)
    for triple in meant:
        assert triple.subject.value.startswith(("http://", "https://"))
        if isinstance(triple.object, NamedNode):
            assert triple.object.value.startswith(("http://", "https://"))
