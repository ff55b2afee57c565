"""This file is the names of parameters that each facility has brought: so many are indexed, the rest is kept to be read.

Number: reliability reference, section 8 (distinct metadata keys per facility). A name that is in stays in, and one that found no room
never finds any: so the same record is always kept the same way. What everybody may see and what is hidden are counted apart, or a
hidden record would be noticed by what is missing in public ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection, func, insert, select

from catalogue.tables import parameter_names
from schema.records import AnyRecord, Dataset, Detail, Investigation, Parameter, Sample
from schema.text import fold

LIMIT = 5_000
_LENGTH = 256

Room = tuple[str, bool]
"""A facility, and whether what everybody may see is meant."""


class Names:
    """What was once read of the table, in memory. That only ever grows, so what is here is never wrong, and what is not is looked for:
    what others have brought in, and what our own transactions have since they were committed."""

    def __init__(self) -> None:
        self._known: dict[Room, set[str]] = {}

    def of(self, room: Room) -> set[str]:
        """The names known to be in a room."""
        return self._known.setdefault(room, set())


class Naming:
    """One transaction's names; what is new in it goes with it when it is undone. Begun when the sequences are locked (Intake), so that
    no two transactions fill the last place. `left_out` are the parameters that found no room."""

    def __init__(self, connection: Connection, names: Names) -> None:
        self._connection = connection
        self._names = names
        self._looked: set[Room] = set()
        self._fresh: dict[Room, set[str]] = {}
        self.left_out = 0

    def fitted(self, records: Iterable[AnyRecord], now: datetime) -> list[AnyRecord]:
        """The records, parameters without room among their details."""
        return [self._fitted(record, now) for record in records]

    def keep(self) -> None:
        """Write the new names."""
        rows = [
            {"facility": facility, "public": public, "name": name}
            for (facility, public), names in self._fresh.items()
            for name in sorted(names)
        ]
        if rows:
            self._connection.execute(insert(parameter_names), rows)

    def _fitted(self, record: AnyRecord, now: datetime) -> AnyRecord:
        if not isinstance(record, Dataset | Investigation | Sample) or not record.parameters:
            return record
        room = (record.facility, record.visibility.is_public(now))
        known = self._names.of(room)
        unknown = [each for each in record.parameters if _key(each.source_name) not in known]
        out = {id(each) for each in unknown if not self._enters(room, known, each)} if unknown else ()
        if not out:
            return record
        self.left_out += len(out)
        told = tuple(readable(each) for each in record.parameters if id(each) in out)
        stays = tuple(each for each in record.parameters if id(each) not in out)
        return replace(record, parameters=stays, details=(*record.details, *told))

    def _enters(self, room: Room, known: set[str], parameter: Parameter) -> bool:
        """Whether a parameter is indexed. What the federation file gives another name is: those are as many as are written there."""
        name, fresh = _key(parameter.source_name), self._fresh.setdefault(room, set())
        if parameter.name != parameter.source_name or name in fresh:
            return True
        self._look(room, known)
        if name in known:
            return True
        if len(known) + len(fresh) >= LIMIT:
            return False
        fresh.add(name)
        return True

    def _look(self, room: Room, known: set[str]) -> None:
        """Read what has been brought in, before we write anything, once a transaction and room; a full room does not change."""
        if room in self._looked or len(known) >= LIMIT:
            return
        self._looked.add(room)
        of = (parameter_names.c.facility == room[0], parameter_names.c.public.is_(room[1]))
        if self._connection.execute(select(func.count()).where(*of)).scalar_one() != len(known):
            known.update(self._connection.execute(select(parameter_names.c.name).where(*of)).scalars())


def readable(parameter: Parameter) -> Detail:
    """A parameter as a fact to be read: its value or range, its words, its unit, under the source's own name."""
    ends = [_number(end) for end in (parameter.min, parameter.max)]
    said = (
        "" if parameter.value is None else _number(parameter.value),
        "" if parameter.min is None and parameter.max is None else " … ".join(ends),
        parameter.text or "",
        parameter.unit or "",
    )
    return Detail(parameter.source_name, " ".join(each for each in said if each))


def _number(value: float | None) -> str:
    return "" if value is None else msgspec.json.encode(value).decode().removesuffix(".0")


@lru_cache(maxsize=16_384)
def _key(name: str) -> str:
    """A name as it is compared; what is too long for a key of the database by its digest."""
    folded = fold(name)
    return folded if len(folded) <= _LENGTH else blake2b(folded.encode(), digest_size=16).hexdigest()
