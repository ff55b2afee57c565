"""This file is RDF terms made of foreign text: whatever comes in, what goes out can be written in every syntax and read back.

An IRI that is none is left out (None), never repaired into another one; literals lose only what XML 1.0 cannot hold (2.2, Char).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from urllib.parse import quote, urlsplit

from pyoxigraph import Literal, NamedNode, Triple

from schema.rdf.names import name

Term = NamedNode | Literal

_NO_XML = re.compile("[^\t\n\u0020-\ud7ff\ue002-\ufdcf\ufdf0-\ufffd\U00010000-\U0001fffd\U00020000-\U0010fffd]")
_NO_IRI = re.compile(
    r"[\x00-\x20\x7f-\xa0<>\"{}|\\^`\ue000-\uf8ff\ufdd0-\ufdef\ufff0-\uffff\ud800-\udfff\U000e0000-\U0010ffff]"
)
_LONGEST = 2_048
_PATH_SAFE = "/:@!$*+,;=~"


def iri(text: str | None) -> NamedNode | None:
    """The IRI a foreign text is: http or https with a host, RFC 3987 characters only; else None."""
    if text is None or len(text) > _LONGEST or _NO_IRI.search(text):
        return None
    try:
        parts = urlsplit(text)
        if (
            parts.scheme not in ("http", "https")
            or not parts.hostname
            or "@" in parts.netloc
            or "[" in text
            or "]" in text
        ):
            return None
        return NamedNode(text)
    except ValueError:  # what pyoxigraph or urllib cannot read as one
        return None


def words(text: str | None, language: str | None = None) -> Literal | None:
    """A foreign text as a literal; None when nothing of it is left."""
    if text is None:
        return None
    shown = _NO_XML.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()
    return Literal(shown, language=language) if shown else None


def moment(at: datetime | date | None) -> Literal | None:
    """An instant as xsd:dateTime in UTC."""
    if at is None:
        return None
    if isinstance(at, datetime):
        text = at.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
        return Literal(text, datatype=name("xsd:dateTime"))
    return Literal(at.isoformat(), datatype=name("xsd:date"))


def whole(number: int | None) -> Literal | None:
    """A count, as xsd:nonNegativeInteger."""
    if number is None or number < 0:
        return None
    return Literal(str(number), datatype=name("xsd:nonNegativeInteger"))


def number(value: float | None) -> Literal | None:
    """A finite number as xsd:double."""
    if value is None or value != value or value in (float("inf"), float("-inf")):
        return None
    return Literal(repr(float(value)), datatype=name("xsd:double"))


def own(url: str, kind: str, key: str) -> NamedNode:
    """An IRI of ours: flat (`<url>/<kind>/<key>`), without query, whatever the key holds."""
    return NamedNode(f"{url}/{kind}/{quote(key.encode('utf-8', 'replace'), safe=_PATH_SAFE)}")


def digest(*parts: str) -> str:
    """A short, stable key of texts that have no id."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:20]


def say(subject: NamedNode, pairs: Iterable[tuple[str, Term | None]]) -> Iterator[Triple]:
    """The statements about a subject; those without an object are left out."""
    for predicate, term in pairs:
        if term is not None:
            yield Triple(subject, name(predicate), term)
