"""This file is the columns of an embedded index, and a document's row in them.

Values that ranges or facets read are written in hexadecimal (it keeps the order of code points), so that the one thing that goes through
tantivy's parser is made of our own digits.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b

import tantivy

from catalogue.index.quantities import key, parameter_texts, quantities, slots
from catalogue.index.terms import FACETS, Terms
from catalogue.index.wording import WEIGHTS
from catalogue.query import Field

FORMAT = "1"  # raise it whenever rows change: an index of another format is rebuilt
NONE = -(2**62)  # in columns of whole numbers: the document has no such value
PART = "\x1f"
WORDS_PART = "\x1e"
VALUES = (*FACETS, Field.PID)
_COLUMNS = tuple((value, f"n_{value.value}", f"f_{value.value}") for value in VALUES)


def schema() -> tantivy.Schema:
    """The columns."""
    build = tantivy.SchemaBuilder()
    build.add_text_field("pid", stored=True, fast=True, tokenizer_name="raw", index_option="basic")
    build.add_bytes_field("raw", stored=True)
    build.add_bytes_field("words", stored=True)
    for name in ("key", "version", "number", "started", "released"):
        build.add_integer_field(name, indexed=True, fast=True)
    build.add_text_field("title_key", fast=True, tokenizer_name="raw", index_option="basic")
    for field in WEIGHTS:
        build.add_text_field(field, tokenizer_name="whitespace", index_option="position")
        build.add_integer_field(f"{field}_length", fast=True)
    for name in ("also", "label", "groups", "slots", "parameter_text", "completion"):
        build.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for value in VALUES:
        build.add_text_field(f"f_{value.value}", fast=True, tokenizer_name="raw", index_option="basic")
        build.add_integer_field(f"n_{value.value}", fast=True)
    build.add_json_field("p", fast=True, tokenizer_name="raw", index_option="basic")
    build.add_json_field("q", fast=True, tokenizer_name="raw", index_option="basic")
    return build.build()


def digits(value: str) -> str:
    """A text in hexadecimal, in the same order."""
    return value.encode("utf-8", "surrogatepass").hex()


@lru_cache(maxsize=65_536)
def _known_digits(value: str) -> str:
    return digits(value)


def undigits(value: str) -> str:
    """The text of `digits`."""
    return bytes.fromhex(value).decode("utf-8", "surrogatepass")


def title_digits(title: str) -> str:
    """What TITLE orders by; never empty."""
    return "t" + digits(title)


def identity(pid: str) -> int:
    """A number of 63 bits for a pid, to tell found rows apart without reading them."""
    return int.from_bytes(blake2b(pid.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big") >> 1


def row(terms: Terms, raw: bytes, *, public: bool) -> dict[str, object]:
    """A document's row. The words are stored beside it only where scores are reckoned by ourselves."""
    cells: dict[str, object] = {
        **_numbers(terms),
        "pid": digits(terms.pid),
        "raw": raw,
        "title_key": title_digits(terms.title),
        "also": [f"{field}{PART}{name}" for field, names in terms.also.items() for name in names],
        "label": [PART.join((field, digits(value), label)) for field, value, label in terms.labels],
        "groups": list(terms.groups),
        "parameter_text": list(parameter_texts(terms.parameters)),
        "completion": list(terms.completions),
        **_quantities(terms),
    }
    for field, text in terms.texts.items():
        cells[field] = text
        cells[f"{field}_length"] = text.count(" ") + 1
    if not public:
        cells["words"] = WORDS_PART.join(terms.texts[field] for field in WEIGHTS).encode("utf-8", "surrogatepass")
    values = terms.values
    for value, counted, listed in _COLUMNS:
        found = values.get(value, ())
        cells[counted] = len(found)
        if found:
            cells[listed] = list(map(_known_digits, found))
    return cells


def tombstone(pid: str, version: int) -> dict[str, object]:
    """What is left of a document that is gone: it stands in the restricted index, open to no group, so nothing ever finds it."""
    return {"pid": digits(pid), "key": identity(pid), "version": version}


def _numbers(terms: Terms) -> dict[str, object]:
    return {
        "key": identity(terms.pid),
        "version": terms.version,
        "number": NONE if terms.number is None else terms.number,
        "started": NONE if terms.started is None else terms.started,
        "released": NONE if terms.released is None else terms.released,
    }


def _quantities(terms: Terms) -> dict[str, object]:
    if not terms.parameters:
        return {}
    points: dict[str, list[float]] = {}
    keys: dict[str, list[int]] = {}
    used: list[str] = []
    for quantity in quantities(terms.parameters):
        if quantity.points:
            points[quantity.path] = list(quantity.points)
            keys[quantity.path] = [key(point) for point in quantity.points]
        for place, (low, high) in enumerate(slots(quantity)):
            slot = f"{quantity.path}x{place}"
            used.append(slot)
            keys[f"{slot}l"], keys[f"{slot}h"] = [key(low)], [key(high)]
    return {"p": points, "q": keys, "slots": used}
