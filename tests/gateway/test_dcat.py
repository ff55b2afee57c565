"""The catalogue for machines: valid, the same in every format, whole in pages and streams, public only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from demo_records import demo_documents
from graphql_world import ALICE, FEDERATION
from hostile import hostile_datasets
from hypothesis import given, settings
from portal_world import World
from pyoxigraph import Triple, parse
from pyshacl import validate
from rdflib import Graph
from statements import federated

from schema.rdf.formats import BY_WORD, FORMATS, written
from schema.rdf.place import Place
from schema.records import Document
from schema.techniques import default

TURTLE = {"accept": "text/turtle"}
_DATED = (
    "dct:issued",
    "dct:modified",
    "dct:available",
    "dcat:startDate",
    "dcat:endDate",
    "prov:startedAtTime",
    "prov:endedAtTime",
)
DATES = f"""
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix prov: <http://www.w3.org/ns/prov#> .
<urn:dates> a sh:NodeShape ; sh:targetSubjectsOf {", ".join(_DATED)} ;
  sh:property {", ".join(f"[ sh:path {each} ; sh:datatype xsd:dateTime ; sh:maxCount 1 ]" for each in _DATED)} .
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("index"))
    yield made
    made.index.close()


@pytest.fixture(scope="module")
def shapes(shared: Path) -> Graph:
    """The official base shapes and our own on dates (which the official ones pass over)."""
    return Graph().parse(shared / "standards" / "dcat-ap-3.0.1" / "shapes.ttl").parse(data=DATES, format="turtle")


def violations(data: bytes, rules: Graph) -> str:
    """What pySHACL says against a Turtle document; "" when it conforms."""
    conforms, _, text = validate(Graph().parse(data=data, format="turtle"), shacl_graph=rules)
    return "" if conforms else str(text)


def whole(documents: list[Document]) -> bytes:
    """A catalogue of these records as Turtle."""
    place = Place("https://pan.example.org", FEDERATION, default().label)
    return written(federated(documents, place, None), BY_WORD["ttl"])


def graph(data: bytes, word: str) -> set[Triple]:
    return {quad.triple for quad in parse(data, BY_WORD[word].written)}


async def test_the_page_that_is_served_conforms(world: World, shapes: Graph) -> None:
    answer = await world.get("/dcat", **TURTLE)
    assert violations(answer.content, shapes) == ""


def test_every_record_of_the_demo_conforms(shapes: Graph) -> None:
    assert violations(whole(list(demo_documents(40))), shapes) == ""


@settings(max_examples=8)
@given(hostile_datasets())
def test_hostile_records_conform_too(shapes: Graph, found: Document) -> None:
    assert violations(whole([found]), shapes) == ""


def test_the_date_shape_sees_a_date_that_is_none() -> None:
    bad = b'@prefix dct: <http://purl.org/dc/terms/> . <http://a/b> dct:issued "soon" .'
    assert "Datatype" in violations(bad, Graph().parse(data=DATES, format="turtle"))


async def test_the_four_streams_are_one_graph_and_pages_together_hold_every_dataset_once(world: World) -> None:
    streams = {each.word: graph((await world.get(f"/dcat.{each.word}")).content, each.word) for each in FORMATS}
    assert len({frozenset(each) for each in streams.values()}) == 1
    listed = [each.object.value for each in streams["ttl"] if each.predicate.value.endswith("dcat#dataset")]
    paged: list[str] = []
    address: str | None = "/dcat?first=7"
    while address is not None:
        answer = await world.get(address, **TURTLE)
        found = graph(answer.content, "ttl")
        paged += [each.object.value for each in found if each.predicate.value.endswith("dcat#dataset")]
        assert any(
            each.predicate.value.endswith("hydra/core#totalItems") and each.object.value == "30" for each in found
        )
        following = answer.links.get("next")
        address = following["url"].removeprefix(world.url) if following else None
    assert sorted(paged) == sorted(listed)
    assert len(listed) == 30


async def test_what_is_hidden_never_comes_even_for_whom_it_is_open_to(world: World) -> None:
    for path in ("/dcat?first=500", "/dcat.nt"):
        assert "nd000090" not in (await world.get(path, ALICE, **TURTLE)).text
    assert all(search.scope == "PUBLIC" for search in world.reader.searches)


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("text/turtle", "text/turtle"),
        ("application/ld+json", "application/ld+json"),
        ("application/rdf+xml;q=0.9, text/turtle;q=0.1", "application/rdf+xml"),
        ("application/n-triples", "application/n-triples"),
        ("*/*", "text/turtle"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/turtle"),
    ],
)
async def test_the_format_is_the_one_asked_for(world: World, accept: str, media: str) -> None:
    answer = await world.get("/dcat?first=1", accept=accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith(media)
    assert "Accept" in answer.headers["vary"]


async def test_a_format_we_have_not_is_406_with_the_list(world: World) -> None:
    answer = await world.get("/dcat", accept="image/png")
    assert answer.status_code == 406
    assert answer.json()["offered"] == [each.media for each in FORMATS]


async def test_an_unchanged_catalogue_is_304(world: World) -> None:
    tag = (await world.get("/dcat", **TURTLE)).headers["etag"]
    again = await world.get("/dcat", **TURTLE, **{"if-none-match": tag})
    assert (again.status_code, again.content) == (304, b"")
    other = await world.get("/dcat", accept="application/n-triples", **{"if-none-match": tag})
    assert other.status_code == 200


@pytest.mark.parametrize("query", ["after=x", "after=%C3%A9", "after=WyJ4Il0", "first=0", "first=501", "first=x"])
async def test_a_place_or_size_we_did_not_give_is_refused(world: World, query: str) -> None:
    answer = await world.get(f"/dcat?{query}", accept="text/turtle")
    assert answer.status_code == 400
    assert answer.json()["code"] in ("CURSOR_INVALID", "BAD_INPUT")


async def test_an_unknown_ending_is_refused_with_the_list(world: World) -> None:
    assert (await world.get("/dcat.docx")).status_code == 406


def test_the_official_shapes_see_what_is_broken(shared: Path, shapes: Graph) -> None:
    broken = (shared / "standards" / "examples" / "dcat-ap-broken.ttl").read_bytes()
    assert "Results (" in violations(broken, shapes)
