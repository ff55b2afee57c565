"""This file is how invented records enter a store: by names, once each, without what the store's version does not know."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from demo.icat.errors import Refusal
from demo.icat.store import Store
from demo.world import World


class Writing:
    """A store under filling: ids by entity and a name of ours."""

    def __init__(self, store: Store, world: World) -> None:
        self.store = store
        self.world = world
        self.ids: dict[tuple[str, Hashable], int] = {}

    def load(self, entity: str, key: Hashable, **values: Any) -> int:
        """A new object, remembered under `key` (None: not); 0 where this version has no such entity.

        `born` becomes createTime and modTime, as in an import long after the fact.
        """
        known = self.store.schema.get(entity)
        if known is None:
            return 0
        born = values.get("born")
        kept = {name: value for name, value in values.items() if name in known.attributes or name in known.to_one}
        if born is not None:
            kept.update(createTime=born, modTime=born)
        row_id = self.store.load(entity, **kept)
        if key is not None:
            self.ids[entity, key] = row_id
        return row_id

    def once(self, entity: str, **values: Any) -> None:
        """A new object, unless there is one with the same unique key."""
        try:
            self.load(entity, None, **values)
        except Refusal as refusal:
            if refusal.code != "OBJECT_ALREADY_EXISTS":
                raise

    def shared(self, entity: str, **values: Any) -> int:
        """The object that has the same unique key, made when it is first needed; 0 where there is no such entity."""
        known = self.store.schema.get(entity)
        key = tuple(values.get(name) for name in known.unique) if known else ()
        if known and (entity, key) not in self.ids:
            self.load(entity, key, **values)
        return self.ids.get((entity, key), 0)
