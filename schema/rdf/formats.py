"""This file is the four serialisations we offer, and statements written in one of them, whole or as they come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO

from pyoxigraph import RdfFormat, Triple, serialize

from schema.rdf.names import PREFIXES


@dataclass(frozen=True)
class Format:
    """A serialisation: its media type, the word that names it in addresses, and pyoxigraph's name."""

    media: str
    word: str
    written: RdfFormat


FORMATS = (
    Format("text/turtle", "ttl", RdfFormat.TURTLE),
    Format("application/ld+json", "jsonld", RdfFormat.STREAMING_JSON_LD),
    Format("application/rdf+xml", "rdf", RdfFormat.RDF_XML),
    Format("application/n-triples", "nt", RdfFormat.N_TRIPLES),
)
BY_MEDIA = {each.media: each for each in FORMATS}
BY_WORD = {each.word: each for each in FORMATS}


def written(triples: Iterable[Triple], format: Format) -> bytes:
    """The statements as one document; said once each."""
    return serialize(dict.fromkeys(triples), format=format.written, prefixes=_prefixes(format)) or b""


def stream(triples: Iterable[Triple], output: IO[bytes], format: Format) -> None:
    """The same, written while the statements come; repeats are the caller's affair."""
    serialize(iter(triples), output, format.written, prefixes=_prefixes(format))


def _prefixes(format: Format) -> dict[str, str] | None:
    return None if format.word == "jsonld" else PREFIXES
