"""This file is hostile records in the feed: 500 of them, in every syntax, beside a good one that must not suffer.

PANGATE_HOSTILE: how many (500; with PANGATE_SOAK 5,000); the slower laws get their share.
"""

import pytest
from demo_records import demo_documents
from hostile import LINKS, TEXTS, hostile_datasets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import NamedNode, RdfFormat, parse, serialize
from rdflib import Graph
from shapes import PLACE
from soak import how_many
from statements import name, statements

from schema.federation import Facility, Federation
from schema.rdf.dataset import dataset
from schema.rdf.formats import FORMATS, HEAD, triples, written
from schema.rdf.names import PREFIXES
from schema.rdf.place import Place, agent
from schema.records import Document

HOSTILE = how_many("PANGATE_HOSTILE", 500, 5_000)
pytestmark = pytest.mark.timeout(7_000 if HOSTILE > 500 else 120)
READERS = {"ttl": "turtle", "nt": "nt", "rdf": "xml", "jsonld": "json-ld"}


GOOD = demo_documents(40)[-1]
NEIGHBOUR = set(statements(GOOD, PLACE))
SAID_OF_A_FACILITY = set(map(name, ("rdf:type", "foaf:name", "skos:altLabel", "foaf:homepage", "dct:identifier")))


@settings(max_examples=HOSTILE, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(hostile_datasets(), st.integers(0, 15))
def test_hostile_records_never_break_a_feed_nor_hide_their_neighbours(found: Document, turn: int) -> None:
    meant = NEIGHBOUR | set(statements(found, PLACE))
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


@settings(max_examples=HOSTILE * 12 // 100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(hostile_datasets())
def test_the_turtle_that_is_streamed_as_it_was_made_is_the_same_graph_to_both_readers(found: Document) -> None:
    told = HEAD + dataset(found, PLACE).text
    ours = serialize(set(statements(found, PLACE)), format=RdfFormat.N_TRIPLES)
    assert set(Graph().parse(data=told, format="turtle")) == set(Graph().parse(data=ours, format="nt"))


@settings(max_examples=HOSTILE // 5, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(hostile_datasets())
def test_no_text_of_a_record_becomes_a_statement(found: Document) -> None:
    """What is said is of our vocabularies, about nodes of ours or of known authorities, and as much as the record has parts."""
    record = found.record
    said = statements(found, PLACE)
    assert all(each.predicate.value.startswith(tuple(PREFIXES.values())) for each in said)
    assert sum(each.predicate == name("rdf:type") and each.object == name("dcat:Dataset") for each in said) == 1
    values = [each for each in said if each.predicate == name("schema:variableMeasured")]
    assert len(values) == len(set(values)) == len(record.parameters)
    about = (PLACE.url, "https://orcid.org/", "http://publications.europa.eu/", "https://www.nexusformat.org/")
    given = {each.pid for each in record.techniques} | {record.license} | {"https://creativecommons.org/"}
    for each in said:
        subject = each.subject.value
        assert subject.startswith(about) or any(link and subject.startswith(link) for link in given)


@settings(max_examples=HOSTILE // 5)
@given(TEXTS, st.none() | TEXTS, st.none() | LINKS, st.none() | TEXTS)
def test_nothing_in_the_federation_file_becomes_a_statement(
    known_as: str, short: str | None, url: str | None, ror: str | None
) -> None:
    facility = Facility.model_construct(id="home", name=known_as, shortName=short, url=url, ror=ror)
    place = Place(PLACE.url, Federation.model_construct(facilities=(facility,)), PLACE.label)
    told = agent(place, "home")
    said = list(triples(told))
    assert {f"<{each.subject.value}>" for each in said} <= {place.agent("home"), f"<{url}>"}
    assert sum(each.predicate == name("foaf:name") for each in said) == 1
    assert {each.predicate for each in said} <= SAID_OF_A_FACILITY
    assert len(Graph().parse(data=HEAD + told, format="turtle")) == len(set(said))
