"""This file is who took part, each once: a source tells the owner and the principal investigator in two places, and often it is one."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from schema.records import Person
from schema.text import fold


def once(people: Iterable[Person]) -> list[Person]:
    """The people in order, those of one name joined with all their roles, unless their ORCIDs differ."""
    found: list[Person] = []
    for person in people:
        place = next((at for at, known in enumerate(found) if _same(known, person)), None)
        if place is None:
            found.append(person)
        else:
            found[place] = _joined(found[place], person)
    return found


def _same(one: Person, other: Person) -> bool:
    differ = one.orcid and other.orcid and one.orcid != other.orcid
    return not differ and fold(one.name) == fold(other.name)


def _joined(one: Person, other: Person) -> Person:
    roles = dict.fromkeys(role for person in (one, other) for role in (person.role or "").split(", ") if role)
    return replace(
        one,
        orcid=one.orcid or other.orcid,
        role=", ".join(roles) or None,
        affiliation=one.affiliation or other.affiliation,
    )
