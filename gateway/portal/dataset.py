"""This file is a dataset's page: a page for people, RDF for machines, links for both; and what can be done with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.dcat import place, refused
from gateway.graphql.negotiation import chosen
from gateway.portal.render import Portal, Seat
from gateway.portal.results import analysable
from gateway.ports import Option
from schema import pids
from schema.activities import FINAL, Launch
from schema.errors import NotFound
from schema.exports.citation import citation
from schema.exports.schema_org import schema_org
from schema.exports.signposting import links
from schema.rdf.catalogue import concepts
from schema.rdf.dataset import dataset as told
from schema.rdf.formats import BY_MEDIA, BY_WORD, FORMATS, Format, triples, written
from schema.rdf.place import agent
from schema.records import Dataset, Document, Kind, decode_document

_MEDIA = ("text/html", *(each.media for each in FORMATS))
_UNKNOWN = "There is no dataset of that name here, or it is not open to you."
_OWN = 50


async def page(portal: Portal, request: Request) -> Response:
    """/dataset/<pid>. Raises NotFound for the unknown and the invisible alike."""
    asked = request.path_params["pid"]
    format = BY_WORD.get(request.query_params.get("format", ""))
    media = format.media if format else chosen(request.headers.get("accept"), _MEDIA)
    if media is None:
        return refused(_MEDIA)
    seat = await portal.seat(request)
    raw, document = await found(seat, asked)
    if document.record.pid != asked:
        return RedirectResponse(_address(seat, document.record.pid), 301, {"Vary": "Accept"})
    if media != "text/html":
        return _graph(portal, seat, document, BY_MEDIA[media])
    return await shown(portal, seat, raw, document)


async def found(seat: Seat, pid: str) -> tuple[bytes, Document]:
    """The dataset of a pid in any spelling, as this visitor may see it. Raises NotFound."""
    raw = await seat.context.reader.get(Kind.DATASET, pids.normal(pid), seat.context.viewer)
    if raw is None:
        raise NotFound(_UNKNOWN)
    return raw, decode_document(raw)


async def shown(
    portal: Portal, seat: Seat, raw: bytes, document: Document, status: int = 200, refusal: str | None = None
) -> Response:
    """The page for people. `refusal` is what the analyse desk just said."""
    record = document.record
    assert isinstance(record, Dataset)
    known = place(seat.context.federation, seat.context.vocabulary, portal.rooms.url)
    facility = known.name(record.facility)
    options: list[Option] = await seat.context.launches.options(raw, seat.context.viewer)
    response = portal.page(
        seat,
        "dataset.html",
        status,
        dataset=record,
        document=document,
        facility=facility,
        home=seat.context.federation.facility(record.facility),
        options=options,
        running=await _running(seat, record.pid),
        analysable=analysable(record, seat.context),
        refusal=refusal,
        cite=citation(record, facility, known.page(record.pid)),
        formats=FORMATS,
        json_ld=_embedded(schema_org(record, known.page(record.pid), facility, portal.rooms.url)),
        broader=_broader(seat, record),
    )
    if status == 200:
        for each in links(record, known.page(record.pid), [(one.media, one.word) for one in FORMATS]):
            response.headers.append("Link", each)
    return response


def _graph(portal: Portal, seat: Seat, document: Document, format: Format) -> Response:
    known = place(seat.context.federation, seat.context.vocabulary, portal.rooms.url)
    text = told(document, known).text + agent(known, document.record.facility) + concepts()
    public = document.record.visibility.public
    address = known.page(document.record.pid)
    headers = {
        "Vary": "Accept" if public else "Accept, Cookie",
        "Cache-Control": "public, no-cache" if public else "private, no-store",
        "Link": f'<{address}>; rel="describes"; type="text/html"',
    }
    return Response(written(triples(text), format), headers=headers, media_type=format.media)


def _address(seat: Seat, pid: str) -> str:
    query = seat.request.url.query
    address = place(seat.context.federation, seat.context.vocabulary, "").page(pid)
    return f"{address}?{query}" if query else address


async def _running(seat: Seat, pid: str) -> list[Launch]:
    """The visitor's own sessions on this dataset that are still alive."""
    if not seat.visit.viewer.signed_in:
        return []
    own, _ = await seat.context.launches.launches(seat.context.viewer, _OWN, None)
    return [each for each in own if each.request.dataset == pid and each.state not in FINAL]


def _embedded(data: Mapping[str, Any]) -> Markup:
    """JSON that may stand in a script element: no character in it can end the element (HTML standard, 4.12.1.3)."""
    text = json.dumps(data, ensure_ascii=False, indent=1)
    safe = text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return Markup(safe.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))  # noqa: S704 - nothing in it is markup


def _broader(seat: Seat, record: Dataset) -> dict[str, str]:
    """What each technique is a kind of, in words."""
    vocabulary = seat.context.vocabulary
    return {
        each.pid: ", ".join(term.label for term in vocabulary.broader(each.pid) if term.label)
        for each in record.techniques
        if each.pid
    }
