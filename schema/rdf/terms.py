"""This file is RDF terms made of foreign text, as Turtle writes them (RDF 1.1 Turtle, 6.5): whatever comes in, what goes out can be
written in every syntax and read back.

A term is a text: `<iri>`, `"literal"` with its datatype or language, or a prefixed name of `schema.rdf.names`. An IRI that is none is
left out (None), never repaired into another one; literals lose only what XML 1.0 cannot hold (2.2, Char).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import lru_cache
from math import isfinite
from urllib.parse import quote, urlsplit

from pyoxigraph import NamedNode

Term = str
Pair = tuple[str, Term | None]

_NO_XML = re.compile("[^\t\n\u0020-\ud7ff\ue002-\ufdcf\ufdf0-\ufffd\U00010000-\U0001fffd\U00020000-\U0010fffd]")
_NO_IRI = re.compile(
    r"[\x00-\x20\x7f-\xa0<>\"{}|\\^`\ue000-\uf8ff\ufdd0-\ufdef\ufff0-\uffff\ud800-\udfff\U000e0000-\U0010ffff]"
)
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})
_LONGEST = 2_048
_PATH_SAFE = "/:@!$*+,;=~"
_REMEMBERED = 4_096  # IRIs that records repeat: techniques, licences, home pages


def iri(text: str | None) -> Term | None:
    """The IRI a foreign text is: http or https with a host, RFC 3987 characters only; else None."""
    return f"<{text}>" if text is not None and len(text) <= _LONGEST and _leads(text) else None


@lru_cache(_REMEMBERED)
def _leads(text: str) -> bool:
    """Whether a text is an IRI that leads somewhere."""
    if _NO_IRI.search(text):
        return False
    try:
        parts = urlsplit(text)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            return False
        return "[" not in text and "]" not in text and NamedNode(text).value == text
    except ValueError:  # what pyoxigraph or urllib cannot read as one
        return False


def words(text: str | None, language: str | None = None) -> Term | None:
    """A foreign text as a literal; None when nothing of it is left. The language is ours, never the text's."""
    if text is None:
        return None
    if text.isprintable():  # then it holds nothing that XML cannot, and no blank but U+0020
        shown = text.strip(" ")
        if '"' in shown or "\\" in shown:
            shown = shown.translate(_ESCAPES)
    else:
        shown = _NO_XML.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip().translate(_ESCAPES)
    if not shown:
        return None
    return f'"{shown}"@{language}' if language else f'"{shown}"'


def named(*texts: str | None) -> Term:
    """The first text that leaves a literal; a question mark when none does."""
    return next((found for each in texts if (found := words(each)) is not None), '"?"')


def moment(at: datetime | date | None) -> Term | None:
    """An instant as xsd:dateTime in UTC."""
    if at is None:
        return None
    if isinstance(at, datetime):
        return f'"{at.astimezone(UTC).replace(tzinfo=None).isoformat()}Z"^^xsd:dateTime'
    return f'"{at.isoformat()}"^^xsd:date'


def whole(number: int | None) -> Term | None:
    """A count, as xsd:nonNegativeInteger."""
    return None if number is None or number < 0 else f'"{number}"^^xsd:nonNegativeInteger'


def number(value: float | None) -> Term | None:
    """A finite number as xsd:double."""
    return None if value is None or not isfinite(value) else f'"{float(value)!r}"^^xsd:double'


def flat(key: str) -> str:
    """A key as the path of an IRI of ours, without query, whatever it holds."""
    return quote(key.encode("utf-8", "replace"), safe=_PATH_SAFE)


def own(url: str, kind: str, key: str) -> Term:
    """An IRI of ours: `<url>/<kind>/<key>`, the key flat."""
    return f"<{url}/{kind}/{flat(key)}>"


def digest(*parts: str) -> str:
    """A short, stable key of texts that have no id."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:20]


def say(subject: Term, pairs: Iterable[Pair]) -> str:
    """The statements about a subject, in Turtle; those without an object are left out, and without any there is nothing."""
    told = " ;\n\t".join([f"{predicate} {term}" for predicate, term in pairs if term is not None])
    return f"{subject} {told} .\n" if told else ""
