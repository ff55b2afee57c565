"""Foreign text as RDF terms: what comes out can be written in every syntax, and is what came in or nothing."""

from datetime import UTC, date, datetime, timedelta, timezone
from urllib.parse import unquote

import pytest
from hostile import LINKS, TEXTS
from hypothesis import given
from hypothesis import strategies as st
from pyoxigraph import Literal, NamedNode, RdfFormat, serialize
from pyoxigraph import parse as read
from rdflib import Graph

from schema.rdf.formats import HEAD, triples
from schema.rdf.terms import flat, iri, moment, named, number, own, say, whole, words

SYNTAXES = (RdfFormat.TURTLE, RdfFormat.N_TRIPLES, RdfFormat.RDF_XML, RdfFormat.STREAMING_JSON_LD)
NODE, SAYS = "<http://ex.org/s>", "schema:name"


def object_of(term: str) -> NamedNode | Literal:
    """What a term is to pyoxigraph: one statement's object."""
    (only,) = triples(say(NODE, [(SAYS, term)]))
    assert isinstance(only.object, NamedNode | Literal)
    return only.object


@given(LINKS)
def test_an_iri_that_is_given_is_the_text_itself_and_leads_to_http(text: str) -> None:
    node = iri(text)
    assert node is None or (object_of(node) == NamedNode(text) and text.startswith(("http://", "https://")))


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
    told = say(NODE, [(SAYS, term) for term in terms])
    meant = set(triples(told))
    assert len(meant) == len(set(terms))
    for syntax in SYNTAXES:
        assert {quad.triple for quad in read(serialize(meant, format=syntax), syntax)} == meant
    graph = Graph().parse(data=serialize(meant, format=RdfFormat.RDF_XML), format="xml")
    assert len(graph) == len(meant)
    assert set(Graph().parse(data=HEAD + told, format="turtle")) == set(
        Graph().parse(data=serialize(meant, format=RdfFormat.N_TRIPLES), format="nt")
    )


def _allowed(sign: str) -> bool:
    """XML 1.0, 2.2 (Char), without what stands for nothing: noncharacters, and two signs of private use that pyoxigraph refuses."""
    if sign in "\t\n" or " " <= sign <= "\ud7ff" or "\ue002" <= sign <= "\ufdcf" or "\ufdf0" <= sign <= "\ufffd":
        return True
    plane, place = divmod(ord(sign), 0x10000)
    return place <= 0xFFFD and (plane == 1 or plane >= 2)


@given(st.one_of(TEXTS, st.text(), st.text(st.sampled_from("\"\\\n\r\t \u00a0\u2028\ud800\ufffe\U0001f600abc'<>@^"))))
def test_words_are_the_text_without_what_xml_cannot_hold_and_the_blanks_around(text: str) -> None:
    plain = "".join(sign for sign in text.replace("\r\n", "\n").replace("\r", "\n") if _allowed(sign)).strip()
    found = words(text)
    assert (None if found is None else object_of(found)) == (Literal(plain) if plain else None)
    assert object_of(words(text, "en") or '"?"@en') == Literal(plain or "?", language="en")
    assert object_of(named(text, None)) == Literal(plain or "?")


@given(st.text())
def test_a_flat_key_is_an_iri_s_path_that_tells_texts_apart(text: str) -> None:
    assert object_of(own("http://ex.org", "x", text)).value == f"http://ex.org/x/{flat(text)}"
    clean = text.encode("utf-8", "replace").decode()
    assert unquote(flat(text)) == clean


def test_what_says_nothing_is_no_statement() -> None:
    assert say(NODE, [(SAYS, None)]) == say(NODE, []) == ""


def test_an_instant_is_written_in_utc() -> None:
    at = datetime(2024, 6, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert str(object_of(moment(at))) == '"2024-06-01T10:00:00Z"^^<http://www.w3.org/2001/XMLSchema#dateTime>'
    assert object_of(moment(datetime(1, 1, 1, tzinfo=UTC))).value == "0001-01-01T00:00:00Z"
    assert str(object_of(moment(date(2024, 6, 1)))) == '"2024-06-01"^^<http://www.w3.org/2001/XMLSchema#date>'


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 2**80))
def test_a_number_is_written_so_that_it_is_read_back(value: float, count: int) -> None:
    found = object_of(number(value))
    assert (float(found.value), found.datatype.value) == (value, "http://www.w3.org/2001/XMLSchema#double")
    assert str(object_of(whole(count))) == f'"{count}"^^<http://www.w3.org/2001/XMLSchema#nonNegativeInteger>'


def test_numbers_that_are_none_are_left_out() -> None:
    assert number(float("nan")) is number(float("inf")) is number(None) is whole(-1) is whole(None) is None
