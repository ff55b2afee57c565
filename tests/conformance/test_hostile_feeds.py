"""This file is hostile records in the feed: 500 of them, in every syntax, beside a good one that must not suffer.

PANGATE_HOSTILE: how many (500; with PANGATE_SOAK 5,000); the slower laws get their share.
"""

import asyncio

import httpx
import pytest
from demo_records import demo_documents
from hostile import LINKS, TEXTS, hostile_datasets
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import NamedNode, RdfFormat, parse, serialize
from rdflib import Graph
from shapes import PLACE
from soak import how_many
from starlette.applications import Starlette
from statements import federated, name, statements

from catalogue.query import Found, Hit, Position, Search
from gateway import dcat
from schema.federation import Facility, Federation
from schema.rdf.dataset import dataset
from schema.rdf.formats import FORMATS, HEAD, triples, written
from schema.rdf.names import PREFIXES
from schema.rdf.place import Place, agent
from schema.records import Document, decode_document, encode_document
from schema.techniques import default

HOSTILE = how_many("PANGATE_HOSTILE", 500, 5_000)
pytestmark = pytest.mark.timeout(7_000 if HOSTILE > 500 else 600)
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


class Shelf:
    """A reader (see gateway.ports) of these records and of nothing else."""

    def __init__(self, documents: list[Document]) -> None:
        self.raws = [encode_document(each) for each in documents]

    async def public_head(self) -> int:
        return 1

    async def search(self, search: Search) -> Found:
        hits = [Hit(raw, None, Position("g", search.sort, "", f"p{at}", at)) for at, raw in enumerate(self.raws)]
        return Found(len(hits), tuple(hits), False, (), {})


async def _got(app: Starlette, path: str, accept: str) -> bytes:
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=PLACE.url) as client:
        return (await client.get(path, headers={"accept": accept})).content


def _stored(document: Document) -> Document | None:
    """As the index gives it back; None of what it never holds (half a character is taken out by every crosswalk)."""
    try:
        return decode_document(encode_document(document))
    except UnicodeEncodeError:
        return None


@settings(max_examples=HOSTILE * 8 // 100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(hostile_datasets(), max_size=3))
def test_the_bytes_that_leave_the_gateway_are_the_same_graph_to_both_readers(found: list[Document]) -> None:
    """Streamed whole and as a page, in every format, as a client gets them."""
    stored = [kept for each in (*found, GOOD) if (kept := _stored(each)) is not None]
    routes = dcat.routes(Shelf(stored), PLACE.federation, default(), PLACE.url)  # type: ignore[arg-type]
    app = Starlette(routes=routes)
    meant = set(federated(stored, PLACE, default()))
    counts = []
    for format in FORMATS:
        stream, page = (
            asyncio.run(_got(app, f"/dcat.{format.word}", "*/*")),
            asyncio.run(_got(app, "/dcat", format.media)),
        )
        assert {quad.triple for quad in parse(stream, format.written)} == meant
        assert {quad.triple for quad in parse(page, format.written)} > meant, "a page says beside that it is one"
        counts.append(len(Graph().parse(data=stream, format=READERS[format.word])))
    assert set(counts) == {len(meant)}


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
