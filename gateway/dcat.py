"""This file is the catalogue for machines: /dcat as DCAT-AP 3.0.1, page by page (Hydra and Link headers) or streamed whole.

Only the public index is read, as the anonymous viewer. Formats by Accept, or by the ending of the address (`/dcat.ttl`).
"""

from __future__ import annotations

import binascii
import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncGenerator, Iterable

import msgspec
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from catalogue.query import Position, Search, Sort
from gateway.feeds import FEEDS, flow
from gateway.graphql.negotiation import chosen
from gateway.ports import Reader
from schema.errors import BadInput, CursorInvalid
from schema.federation import Federation
from schema.rdf.catalogue import PageLinks, catalogue, member, view
from schema.rdf.dataset import dataset
from schema.rdf.formats import BY_MEDIA, BY_WORD, FORMATS, Format, triples, written
from schema.rdf.place import Place
from schema.records import Kind, decode_document
from schema.techniques import Vocabulary

PAGE = 100
_CHUNK = 500
_MEDIA = tuple(each.media for each in FORMATS)
_REMEMBERED = 50_000  # blocks a stream says once: people, instruments, samples, techniques; about 15 MB
_MAKERS = CapacityLimiter(FEEDS)


class _Mark(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended: the public number (as the index writes it) and the pid of its last dataset."""

    value: str
    pid: str


class Catalogue:
    """The feed over one reader."""

    def __init__(self, reader: Reader, place: Place, vocabulary: Vocabulary) -> None:
        self._reader = reader
        self._place = place
        self._vocabulary = vocabulary
        self._edition = _digest(self._head())

    async def answer(self, request: Request) -> Response:
        """A page, or with `?all` (or an ending) the whole."""
        word = request.path_params.get("ending")
        format = BY_WORD.get(word) if word else negotiated(request)
        if format is None:
            return refused()
        whole = word is not None or "all" in request.query_params
        tag = f'"{await self._reader.public_head()}-{self._edition}-{format.word}-{"all" if whole else "page"}"'
        headers = {
            "ETag": tag,
            "Vary": "Accept",
            "Cache-Control": "public, no-cache",
            "Access-Control-Allow-Origin": "*",
        }
        if tag in [each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")]:
            return Response(status_code=304, headers=headers)
        if whole:
            if request.method == "HEAD":
                return Response(headers=headers, media_type=format.media)
            return StreamingResponse(flow(self._whole, format), headers=headers, media_type=format.media)
        return await self._page(request, format, headers)

    async def _page(self, request: Request, format: Format, headers: dict[str, str]) -> Response:
        first = f"{self._place.url}/dcat"
        after, size = request.query_params.get("after"), _size(request.query_params.get("first"))
        sized = "" if size == PAGE else f"first={size}"
        place = None if after is None else _unmarked(after)
        found = await self._reader.search(_search(size, place))
        last = found.hits[-1].position if found.hits else None
        links = PageLinks(
            this=_address(first, sized, f"after={_marked(place)}" if place else ""),
            first=_address(first, sized),
            next=_address(first, sized, f"after={_marked(last)}") if found.more and last else None,
            total=found.total,
        )
        raws = [hit.raw for hit in found.hits]
        body = await to_thread.run_sync(self._written, links, raws, format, limiter=_MAKERS)
        return Response(body, headers={**headers, "Link": _link(links)}, media_type=format.media)

    def _written(self, links: PageLinks, raws: list[bytes], format: Format) -> bytes:
        """A page as bytes."""
        text = self._head() + view(self._place, links) + self._told(raws, {})
        return written(triples(text), format)

    def _head(self) -> str:
        return catalogue(self._place, self._vocabulary)

    def _told(self, raws: Iterable[bytes], said: dict[str, None]) -> str:
        """Datasets in Turtle; of what they share, only what was not said before."""
        told = []
        for raw in raws:
            document = decode_document(raw)
            each = dataset(document, self._place)
            told.append(member(self._place, document.record.pid))
            told.append(each.own)
            for block in each.shared:
                if block not in said:
                    said[block] = None
                    told.append(block)
        return "".join(told)

    async def _whole(self) -> AsyncGenerator[str]:
        """Everything, in the order of the public sequence, so that what changes meanwhile comes again and nothing is left out."""
        yield self._head()
        after: Position | None = None
        said: dict[str, None] = {}
        while True:
            found = await self._reader.search(_search(_CHUNK, after))
            raws = [hit.raw for hit in found.hits]
            yield await to_thread.run_sync(self._told, raws, said, limiter=_MAKERS)
            if not found.more or not found.hits:
                return
            after = found.hits[-1].position
            if len(said) > _REMEMBERED:
                said.clear()


def routes(reader: Reader, federation: Federation, vocabulary: Vocabulary, url: str) -> list[Route]:
    """/dcat, and /dcat.ttl, /dcat.jsonld, /dcat.rdf, /dcat.nt: the whole in one format."""
    feed = Catalogue(reader, place(federation, vocabulary, url), vocabulary)
    return [Route("/dcat", feed.answer), Route("/dcat.{ending:str}", feed.answer)]


def _digest(head: str) -> str:
    """What changes when the federation, the vocabulary or the address do, though no record did."""
    return hashlib.sha256(written(triples(head), BY_WORD["nt"])).hexdigest()[:12]


def place(federation: Federation, vocabulary: Vocabulary, url: str) -> Place:
    """What records stand in, for their RDF."""
    return Place(url, federation, vocabulary.label)


def negotiated(request: Request) -> Format | None:
    """The serialisation the client likes best, Turtle when it does not mind; None when it takes none of ours."""
    media = chosen(request.headers.get("accept"), _MEDIA)
    return None if media is None else BY_MEDIA[media]


def refused(offered: tuple[str, ...] = _MEDIA) -> Response:
    """406 with the list of what there is (RFC 9110, 15.5.7)."""
    problem = {
        "type": "about:blank",
        "status": 406,
        "title": "None of the media types asked for is on offer.",
        "offered": offered,
    }
    return JSONResponse(problem, 406, {"Vary": "Accept"}, media_type="application/problem+json")


def _search(size: int, after: Position | None) -> Search:
    return Search(kind=Kind.DATASET, sort=Sort.CHANGED, first=size, after=after)


def _size(text: str | None) -> int:
    if text is None:
        return PAGE
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:6]) <= 500):
        raise BadInput("`first` is a number from 1 to 500.", field="first")
    return int(text)


def _address(base: str, *query: str) -> str:
    asked = "&".join(each for each in query if each)
    return f"{base}?{asked}" if asked else base


def _link(links: PageLinks) -> str:
    shown = [f'<{links.first}>; rel="first"', *([f'<{links.next}>; rel="next"'] if links.next else [])]
    shown += [f'<{links.this}>; rel="alternate"; type="{each}"' for each in _MEDIA]
    return ", ".join(shown)


def _marked(position: Position) -> str:
    body = msgspec.json.encode(_Mark(position.value, position.pid))
    return urlsafe_b64encode(body).rstrip(b"=").decode("ascii")


def _unmarked(text: str) -> Position:
    """The place an `after` names. Raises CursorInvalid."""
    try:
        body = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        mark = msgspec.json.decode(body, type=_Mark)
    except (UnicodeEncodeError, binascii.Error, msgspec.DecodeError):
        raise CursorInvalid("This `after` was not given by us. Begin at the first page again.") from None
    return Position("", Sort.CHANGED, mark.value, mark.pid, 0)
