"""This file is what datasets and samples owe to their investigation: who sees them, people, keywords, instruments, release.

A bounded number is kept at hand, the last ones asked for: datasets come by id, and so mostly by investigation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from harvesters.icat_assembly import Entity
from schema.crosswalks import icat
from schema.crosswalks.place import Place
from schema.records import Reject

KEPT = 20_000
_OWED = ("id", "releaseDate", "investigationUsers", "investigationGroups", "keywords", "investigationInstruments")


class Owner(msgspec.Struct, frozen=True):
    """As much of an investigation as its datasets need: the nested entity, and what a change of it would show in them."""

    entity: Entity
    mark: object


class Investigations:
    """The investigations at hand. `read` fetches those of some ids, nested."""

    def __init__(self, place: Place, read: Callable[[list[int]], Iterable[Entity]]) -> None:
        self._place = place
        self._read = read
        self._kept: dict[int, Owner] = {}

    def keep(self, nested: Iterable[Entity]) -> None:
        """Have these at hand as they are now."""
        for row in nested:
            id = int(row["id"])
            self._kept.pop(id, None)
            self._kept[id] = self._owner(row)

    def of(self, ids: Iterable[int]) -> Mapping[int, Owner]:
        """The owners of those ids, as far as they may be read."""
        wanted = dict.fromkeys(ids)
        missing = sorted(wanted.keys() - self._kept.keys())
        if missing:
            self.keep(self._read(missing))
        found = {id: self._kept[id] for id in wanted if id in self._kept}
        for id in found:
            self._kept[id] = self._kept.pop(id)
        for id in list(self._kept)[: max(0, len(self._kept) - KEPT)]:
            del self._kept[id]
        return found

    def forget(self) -> None:
        """Have nothing at hand, so that all is read anew."""
        self._kept.clear()

    def _owner(self, row: Entity) -> Owner:
        entity = {name: row[name] for name in _OWED if name in row}
        found = icat.investigation(self._place, entity)
        if isinstance(found, Reject):
            return Owner(entity, None)
        people = [[person.name, person.orcid, person.role, person.affiliation] for person in found.people]
        seen = [found.visibility.groups, row.get("releaseDate")]
        return Owner(entity, [seen, people, found.keywords, [[each.id, each.name] for each in found.instruments]])
