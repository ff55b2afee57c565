"""This file is the four serialisations we offer, and statements written in one of them, whole or as they come.

Statements are made in Turtle. What is streamed as Turtle leaves as it was made; all else is read and written again by pyoxigraph, which
would refuse what is not well-formed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO

from pyoxigraph import RdfFormat, Triple, parse, serialize

from schema.rdf.names import PREFIXES


@dataclass(frozen=True)
class Format:
    """A serialisation: its media type, the word that names it in addresses, and pyoxigraph's name."""

    media: str
    word: str
    written: RdfFormat


TURTLE = Format("text/turtle", "ttl", RdfFormat.TURTLE)
FORMATS = (
    TURTLE,
    Format("application/ld+json", "jsonld", RdfFormat.STREAMING_JSON_LD),
    Format("application/rdf+xml", "rdf", RdfFormat.RDF_XML),
    Format("application/n-triples", "nt", RdfFormat.N_TRIPLES),
)
BY_MEDIA = {each.media: each for each in FORMATS}
BY_WORD = {each.word: each for each in FORMATS}
HEAD = "".join(f"@prefix {prefix}: <{full}> .\n" for prefix, full in PREFIXES.items())
"""What a document in Turtle begins with."""


def triples(text: str) -> Iterator[Triple]:
    """The statements of a text without head; as often as it says them. Raises SyntaxError when it is no Turtle."""
    return (quad.triple for quad in parse(HEAD + text, RdfFormat.TURTLE))


def written(statements: Iterable[Triple], format: Format) -> bytes:
    """The statements as one document; said once each."""
    return serialize(dict.fromkeys(statements), format=format.written, prefixes=_prefixes(format)) or b""


def stream(statements: Iterable[Triple], output: IO[bytes], format: Format) -> None:
    """The same, written while the statements come; repeats are the caller's affair."""
    serialize(iter(statements), output, format.written, prefixes=_prefixes(format))


def _prefixes(format: Format) -> dict[str, str] | None:
    return None if format.word == "jsonld" else PREFIXES
