"""This file is /dcat as harvesters walk it: pages and the whole give one graph, Hydra and Link headers agree, 304 and 406 are told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest
from graphql_world import dataset, some_documents
from graphql_world import document as stored
from portal_world import World
from pyoxigraph import Triple, parse
from rdflib import Graph, Namespace, URIRef
from rdflib.compare import isomorphic

from gateway.dcat import Catalogue, place
from gateway.feeds import flow
from schema.rdf.formats import BY_MEDIA, BY_WORD, FORMATS, Format
from schema.techniques import default

HYDRA = Namespace("http://www.w3.org/ns/hydra/core#")
PAGED = str(HYDRA)
READERS = {"ttl": "turtle", "nt": "nt", "rdf": "xml", "jsonld": "json-ld"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    documents = some_documents()
    documents += [stored(dataset(at, description=None), at) for at in range(200, 240)]
    made = World(tmp_path_factory.mktemp("index"), documents)
    yield made
    made.index.close()


def statements(data: bytes, word: str) -> set[Triple]:
    return {quad.triple for quad in parse(data, BY_WORD[word].written)}


def plain(found: set[Triple]) -> set[Triple]:
    """Without what says that it is a page."""
    paging = {each for each in found if each.predicate.value.startswith(PAGED) or PAGED in str(each.object)}
    return found - paging


async def pages(world: World, media: str, first: int) -> list[tuple[str, bytes, dict[str, dict[str, str]]]]:
    """Address, body and links of every page, by following Link headers."""
    address: str | None = f"/dcat?first={first}"
    walked = []
    while address is not None:
        answer = await world.get(address, accept=media)
        assert answer.status_code == 200
        walked.append((world.url + address, answer.content, answer.links))
        following = answer.links.get("next")
        address = following["url"].removeprefix(world.url) if following else None
    return walked


WALKS = [(each, first) for each in FORMATS for first in (7, 69, 70, 500)] + [(BY_WORD["nt"], 1)]


@pytest.mark.parametrize(("format", "first"), WALKS, ids=[f"{each.word} {first}" for each, first in WALKS])
async def test_pages_together_are_the_whole(world: World, format: Format, first: int) -> None:
    whole = statements((await world.get(f"/dcat.{format.word}")).content, format.word)
    again = statements((await world.get("/dcat?all", accept=format.media)).content, format.word)
    joined: set[Triple] = set()
    for _, body, _ in await pages(world, format.media, first):
        joined |= plain(statements(body, format.word))
    assert joined == whole == again


async def test_hydra_and_link_headers_say_the_same(world: World) -> None:
    walked = await pages(world, "text/turtle", 9)
    assert len(walked) == 8
    for at, (address, body, links) in enumerate(walked):
        graph = Graph().parse(data=body, format="turtle")
        (view,) = graph.objects(URIRef(f"{world.url}/dcat"), HYDRA.view)
        assert str(view) == address
        assert str(graph.value(view, HYDRA.first)) == links["first"]["url"] == walked[0][0]
        following = graph.value(view, HYDRA.next)
        if at == len(walked) - 1:
            assert following is None
            assert "next" not in links
        else:
            assert str(following) == links["next"]["url"] == walked[at + 1][0]
        (total,) = graph.objects(URIRef(f"{world.url}/dcat"), HYDRA.totalItems)
        assert total.toPython() == 70


async def test_every_page_can_be_read_alone(world: World) -> None:
    """Catalogue, publisher and concepts are said on each (reference on standards, 1.6)."""
    heads = []
    for _, body, _ in await pages(world, "text/turtle", 30):
        graph = Graph().parse(data=body, format="turtle")
        about = (URIRef(f"{world.url}/dcat"), URIRef(f"{world.url}/about/publisher"))
        heads.append(
            {(s, p, o) for s, p, o in graph if s in about and not str(p).startswith(PAGED) and "dataset" not in p}
        )
    assert len(heads[0]) > 12
    assert all(len(head ^ heads[0]) <= 1 for head in heads)  # the page's own type is on each


async def test_the_served_pages_are_isomorphic_to_another_reader(world: World) -> None:
    graphs = [
        Graph().parse(data=(await world.get("/dcat?first=20", accept=each.media)).content, format=READERS[each.word])
        for each in FORMATS
    ]
    assert len(graphs[0]) > 300
    assert all(isomorphic(graphs[0], other) for other in graphs[1:])


async def test_what_is_linked_as_alternate_is_served(world: World) -> None:
    answer = await world.get("/dcat?first=2", accept="text/turtle")
    for media in BY_MEDIA:
        assert f'type="{media}"' in answer.headers["link"]
        assert (await world.get("/dcat?first=2", accept=media)).headers["content-type"].startswith(media)


@pytest.mark.parametrize("path", ["/dcat", "/dcat?all", "/dcat.nt", "/dcat?first=3"])
async def test_what_did_not_change_is_not_sent_again(world: World, path: str) -> None:
    accept = {"accept": "application/n-triples"}
    tag = (await world.get(path, **accept)).headers["etag"]
    for given in (tag, f"W/{tag}", f'"other", {tag}'):
        again = await world.get(path, **accept, **{"if-none-match": given})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert (await world.get(path, **accept, **{"if-none-match": '"other"'})).status_code == 200
    world.reader.head += 1
    try:
        assert (await world.get(path, **accept, **{"if-none-match": tag})).status_code == 200
    finally:
        world.reader.head -= 1


async def test_another_vocabulary_or_federation_is_another_edition(world: World) -> None:
    known = default()
    here = place(world.federation, known, world.url)
    renamed = world.federation.model_copy(
        update={"facilities": (world.federation.facilities[0].model_copy(update={"name": "New name"}),)}
    )
    editions = {
        Catalogue(world.reader, at, vocabulary)._edition
        for at, vocabulary in (
            (here, known),
            (here, replace(known, version="9.9.9")),
            (place(renamed, known, world.url), known),
            (place(world.federation, known, "https://other.example.org"), known),
        )
    }
    assert len(editions) == 4


@pytest.mark.parametrize("accept", ["image/png", "text/turtle;q=0", "application/json", "application/trig"])
async def test_what_is_not_on_offer_is_406_with_the_list(world: World, accept: str) -> None:
    for path in ("/dcat", "/dcat?all"):
        answer = await world.get(path, accept=accept)
        assert answer.status_code == 406
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert set(answer.json()["offered"]) == set(BY_MEDIA)
        assert answer.headers["vary"] == "Accept"


async def test_a_page_is_made_beside_the_event_loop(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Five hundred datasets take it some tenths of a second, in which others are answered."""
    made_by: list[int] = []
    told = Catalogue._told

    def noted(self: Catalogue, raws: Iterable[bytes], said: dict[str, None]) -> str:
        made_by.append(threading.get_ident())
        return told(self, raws, said)

    monkeypatch.setattr(Catalogue, "_told", noted)
    await world.get("/dcat?first=500", accept="application/rdf+xml")
    assert made_by
    assert threading.get_ident() not in made_by


async def test_a_reader_who_leaves_ends_the_stream(world: World) -> None:
    feed = Catalogue(world.reader, place(world.federation, default(), world.url), default())
    before = len(asyncio.all_tasks())
    stream = flow(feed._whole, BY_WORD["nt"])
    assert await anext(stream)
    await stream.aclose()
    assert len(asyncio.all_tasks()) == before
