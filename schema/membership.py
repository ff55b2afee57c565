"""This file is how a token meets a record: claims to groups, as each facility's `groups` rules in the federation file say.

What is not mapped gives nothing (design section 3).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from schema.access import Viewer, group
from schema.federation import Federation, GroupRule

_MANY, _LONG = 1_000, 512
OPERATOR = "operator"


def viewer_of(claims: Mapping[str, Any], federation: Federation, operators: str | None) -> Viewer:
    """The viewer that verified claims describe. `operators` is the group (a value of the claim `groups`) whose members operate."""
    groups = frozenset(
        group(facility.id, name)
        for facility in federation.facilities
        if facility.enabled
        for rule in facility.groups
        for name in _mapped(rule, claims)
    )
    texts = {
        name: value for name, value in list(claims.items())[:100] if isinstance(value, str) and len(value) <= _LONG
    }
    name = texts.get("name") or texts.get("preferred_username") or texts.get("sub", "")
    operating = operators is not None and operators in _values(claims.get("groups"))
    return Viewer(
        issuer=texts.get("iss", ""),
        subject=texts.get("sub", ""),
        name=name,
        groups=groups,
        roles=frozenset({OPERATOR}) if operating else frozenset(),
        claims=texts,
    )


def _mapped(rule: GroupRule, claims: Mapping[str, Any]) -> Iterator[str]:
    pattern = re.compile(rule.pattern)
    for value in _values(claims.get(rule.claim)):
        found = pattern.fullmatch(value)
        if found is not None and (name := found.expand(rule.group)):
            yield name


def _values(claim: object) -> list[str]:
    """A claim's values as texts: one, or a list of them; anything else gives none."""
    listed = claim if isinstance(claim, list) else [claim]
    return [value for value in listed[:_MANY] if isinstance(value, str) and len(value) <= _LONG]
