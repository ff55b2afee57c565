"""Foreign text as RDF terms: what comes out can be written in every syntax, and is what came in or nothing."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hostile import LINKS, TEXTS
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import NamedNode, RdfFormat, Triple, parse, serialize
from rdflib import Graph

from schema.rdf.terms import iri, moment, number, own, whole, words

SYNTAXES = (RdfFormat.TURTLE, RdfFormat.N_TRIPLES, RdfFormat.RDF_XML, RdfFormat.STREAMING_JSON_LD)
NODE = NamedNode("http://ex.org/s")
SAYS = NamedNode("http://ex.org/ns#says")


@given(LINKS)
def test_an_iri_that_is_given_is_the_text_itself_and_leads_to_http(text: str) -> None:
    node = iri(text)
    assert node is None or (node.value == text and text.startswith(("http://", "https://")))


@pytest.mark.parametrize(
    "text",
    [
        "javascript:alert(1)",
        "http://a b",
        "http://a/<b>",
        "http://a/\n",
        "http://a/{x}",
        "https://me@ex.org/",
        "http://",
        "",
        None,
        "http://ex.org/" + "a" * 3000,
    ],
)
def test_what_is_no_safe_iri_is_left_out(text: str | None) -> None:
    assert iri(text) is None


@given(LINKS, TEXTS)
def test_every_term_survives_every_syntax_and_both_parsers(link: str, text: str) -> None:
    terms = [term for term in (iri(link), words(text), own("http://ex.org", "dataset", text)) if term is not None]
    triples = {Triple(NODE, SAYS, term) for term in terms}
    for syntax in SYNTAXES:
        assert {quad.triple for quad in parse(serialize(triples, format=syntax), syntax)} == triples
    graph = Graph().parse(data=serialize(triples, format=RdfFormat.RDF_XML), format="xml")
    assert len(graph) == len(triples)


@given(st.text())
def test_words_lose_nothing_but_what_xml_cannot_hold_and_the_blanks_around(text: str) -> None:
    kept = "".join(sign for sign in text if sign in "\t\n\r" or (sign >= " " and not "\ud800" <= sign <= "\udfff"))
    literal = words(text)
    shown = "" if literal is None else literal.value
    lost = set(kept.replace("\r\n", "\n").replace("\r", "\n").strip()) - set(shown)
    assert all(ord(sign) >= 0xE000 or sign.isspace() for sign in lost)


def test_an_instant_is_written_in_utc() -> None:
    at = datetime(2024, 6, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert str(moment(at)) == '"2024-06-01T10:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime>'
    assert moment(datetime(1, 1, 1, tzinfo=UTC)).value == "0001-01-01T00:00:00Z"


def test_numbers_that_are_none_are_left_out() -> None:
    assert number(float("nan")) is number(float("inf")) is number(None) is whole(-1) is whole(None) is None
