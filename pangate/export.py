"""This file is `pangate export`: the records as JSON lines, without what only we need to know."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from pangate.house import House
from schema.access import PUBLIC
from schema.records import Document, Kind, encode_document


def lines(house: House, kind: Kind, *, hidden: bool) -> Iterator[bytes]:
    """Every public record of a kind (with `hidden` every record), complete, by pid, one JSON object a line."""
    for document in house.truth.walk(kind):
        if hidden:
            yield encode_document(document) + b"\n"
        elif document.public_number is not None:
            yield encode_document(_outside(document)) + b"\n"


def array(objects: Iterator[bytes]) -> Iterator[bytes]:
    """The same objects as one JSON array, still one a line."""
    yield b"["
    for number, each in enumerate(objects):
        yield (b",\n" if number else b"\n") + each.rstrip(b"\n")
    yield b"\n]\n"


def _outside(document: Document) -> Document:
    """A public document without our own numbers, and without who could see it before everybody could."""
    return replace(document, version=0, record=replace(document.record, visibility=PUBLIC))
