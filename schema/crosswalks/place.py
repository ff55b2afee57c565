"""This file is what a crosswalk must know of where a record comes from, beside the record itself."""

from __future__ import annotations

import msgspec

from schema.federation import RecordRule
from schema.techniques import Vocabulary


class Place(msgspec.Struct, frozen=True):
    """A source as its crosswalk sees it.

    `authenticated`: whether the record was read with a login (without one, only what everybody may see is ever sent).
    `parameters`: the facility's parameter names (folded) to standard names. `page`: the address of a record's page at
    the facility with `{id}` in it, if there is one.
    """

    facility: str
    source: str
    vocabulary: Vocabulary
    authenticated: bool = False
    rule: RecordRule = RecordRule.SOURCE
    parameters: dict[str, str] = {}
    page: str | None = None
