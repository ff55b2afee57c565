"""This file is how far a generation has come: what was written is made seen, then counted into its mark, a document in it."""

from __future__ import annotations

from catalogue.index.elastic_client import Absent, Refused, Request, Steps
from catalogue.index.elastic_generations import Generation, write_alias

_MARK = "mark"


def refreshed(generation: Generation) -> Steps[None]:
    """Make acknowledged writes seen, in the public index first."""
    for index in (generation.public, generation.restricted):
        yield Request("POST", f"/{index}/_refresh", patient=True)


def refreshing(generation: Generation, interval: str) -> Steps[None]:
    """How often the engine makes writes seen by itself."""
    yield Request("PUT", f"/{generation.both}/_settings", {"index": {"refresh_interval": interval}}, patient=True)


def marked(generation: Generation) -> Steps[int]:
    """The mark of a generation; 0 when it has none."""
    try:
        found = yield Request("GET", f"/{generation.restricted}/_doc/{_MARK}")
    except Absent:
        return 0
    return int(found["_source"]["mark"])


def mark(generation: Generation, number: int) -> Steps[None]:
    """Write the mark, unless a higher one is there."""
    parameters = {"version": str(number), "version_type": "external_gte", "require_alias": "true"}
    try:
        yield Request(
            "PUT", f"/{write_alias(generation.restricted)}/_doc/{_MARK}", {"mark": number}, parameters, patient=True
        )
    except Refused as error:
        if error.status != 409:
            raise
