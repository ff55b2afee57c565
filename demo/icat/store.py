"""This file is the database behind the stand-in: objects, who may read them, a clock, a zone, and what goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from demo.icat.entities import Entity, schema
from demo.icat.errors import Refusal, bad
from demo.icat.faults import Costs, Faults, Kind
from demo.icat.moments import Rendered, digits
from demo.icat.rows import Row, Table
from demo.icat.sessions import Sessions, User
from demo.icat.transactions import Transaction

OPERATOR = "simple/root"


def utc_now() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


class Store:
    """An ICAT database in memory. Every public method may be called from any thread.

    `now` must give moments with a zone. `zone` is the server's, `database_zone` the one CURRENT_TIMESTAMP is taken in.
    """

    def __init__(
        self,
        now: Callable[[], datetime] = utc_now,
        zone: str = "Europe/Berlin",
        version: str = "6.2.0",
        max_entities: int = 10_000,
        lifetime_minutes: int = 120,
        database_zone: str = "UTC",
    ) -> None:
        self.now = now
        self.version = version
        self.max_entities = max_entities
        self.database_zone = ZoneInfo(database_zone)
        self.rendered = Rendered(zone)
        self.lock = threading.RLock()
        self.schema = schema(version)
        self.tables = {name: Table(entity) for name, entity in self.schema.items()}
        self.sessions = Sessions(now, lifetime_minutes)
        self.faults = Faults()
        self.costs = Costs()
        self.tls_port: int | None = None  # where plain http is redirected to, if it is
        self.run = 1  # included lists come in another order in every run of the server

    # -- who may do what

    def add_user(self, name: str, password: str = "", reads: Iterable[str] = (), root: bool = False) -> User:
        """Add or replace an account ("db/reader", "anon/anon"); see sessions.User for `reads`."""
        with self.lock:
            user = User(name, password, tuple(reads), root)
            self.sessions.users[name] = user
            return user

    # -- reading

    def table(self, name: str) -> Table:
        """The table of an entity; 400 for one this version has not."""
        if name not in self.tables:
            raise bad(f"No information to determine type of {name} in the FROM clause")
        return self.tables[name]

    def get(self, entity: str, row_id: int) -> Row | None:
        """A visible object."""
        return self.table(entity).rows.get(row_id)

    def children(self, row: Row, relation: str) -> Iterable[Row]:
        """The members of a to-many relation, in no promised order."""
        link = row.entity.to_many[relation]
        return self.tables[link.target].children[link.mapped_by].of(row.id)

    def moment(self) -> datetime:
        """Now, as the digits a new row gets."""
        return digits(self.now(), self.rendered.zone)

    # -- writing

    def create(self, entity: str, user: str = OPERATOR, **attributes: Any) -> int:
        """A new object as REST makes it: every object it refers to gets a new modTime. Relations are given as ids."""
        with self.lock:
            row = self.build(entity, user, attributes)
            self.insert(row, user)
            return row.id

    def load(self, entity: str, **attributes: Any) -> int:
        """A new object as root imports it: nothing else moves; id, createTime and modTime may be given."""
        with self.lock:
            row = self.build(entity, OPERATOR, attributes)
            self._refuse_twin(row)
            self.tables[entity].show(row)
            return row.id

    def update(self, entity: str, row_id: int, user: str = OPERATOR, **attributes: Any) -> None:
        """Change an object by REST: its own modTime moves, nobody else's."""
        with self.lock:
            row = self._existing(entity, row_id)
            table, before = self.tables[entity], dict(row.__dict__)
            table.unlink(row)
            try:
                self._assign(row, attributes)
                self._complete(row)
                self._refuse_twin(row)
                self._stamp(row, user, self.moment())
            except Refusal:
                row.__dict__.update(before)
                raise
            finally:
                table.link(row)

    def soap_update(self, entity: str, row_id: int, user: str = OPERATOR, **attributes: Any) -> None:
        """Change an object by SOAP (python-icat): the same as by REST, parents do not move."""
        self.update(entity, row_id, user, **attributes)

    def soap_create(self, entity: str, user: str = OPERATOR, **attributes: Any) -> int:
        """A new object by SOAP: nothing else moves."""
        with self.lock:
            row = self.build(entity, user, attributes)
            self._refuse_twin(row)
            self.tables[entity].show(row)
            return row.id

    def delete(self, entity: str, row_id: int) -> None:
        """Remove an object and, with it, everything that cannot be without it; a Sample takes its Datasets along [run]."""
        with self.lock:
            self._remove(self._existing(entity, row_id))

    @contextmanager
    def begin_slow_transaction(self, user: str = OPERATOR) -> Iterator[Transaction]:
        """A long write: ids and times are given at once, the rows are seen when the block ends."""
        transaction = Transaction(self, user)
        try:
            yield transaction
        except BaseException:
            transaction.roll_back()
            raise
        transaction.commit()

    # -- what happens to servers

    def restart(self, zone: str | None = None, html_404s: int = 0) -> None:
        """Stop and start: sessions stay, lists change order; a new zone shifts every time; first replies may be HTML."""
        with self.lock:
            self.run += 1
            if zone is not None:
                self.rendered = Rendered(zone)
            for table in self.tables.values():
                for row in table.rows.values():
                    row.json = None
            self.faults.plan(html_404s, "html_404")

    def fail_next(self, count: int, kind: Kind) -> None:
        """Let the next requests fail; see faults.KINDS."""
        with self.lock:
            self.faults.plan(count, kind)

    # -- parts

    def build(self, entity: str, user: str, attributes: dict[str, Any], inside: Mapping[str, Row] | None = None) -> Row:
        """An object with id and times, not yet visible; `inside`: relations to rows that are not visible either."""
        table = self.table(entity)
        links = inside or {}
        given = {name: value for name, value in attributes.items() if name not in links}
        row = Row(table.entity, given.pop("id", None) or table.take_id())
        table.next_id = max(table.next_id, row.id + 1)
        now = self.moment()
        values = dict.fromkeys((*table.entity.attributes, *table.entity.to_one))
        values.update(id=row.id, createId=user, createTime=now, modId=user, modTime=now)
        row.__dict__.update(values)
        row.__dict__.update(links)
        self._assign(row, given)
        self._complete(row)
        return row

    def insert(self, row: Row, user: str) -> None:
        """Make a built object visible and move the modTime of what it refers to; Refusal if that is gone."""
        for name in row.entity.to_one:
            parent = getattr(row, name)
            if parent is not None and self.get(parent.entity.name, parent.id) is not parent:
                raise Refusal("NO_SUCH_OBJECT_FOUND", f"{parent.entity.name}[id:{parent.id}] not found.", 0)
        self._refuse_twin(row)
        self.tables[row.entity.name].show(row)
        for name in row.entity.to_one:
            parent = getattr(row, name)
            if parent is not None:
                self._stamp(parent, user, max(parent.modTime, row.modTime))

    def _stamp(self, row: Row, user: str, moment: datetime) -> None:
        row.__dict__.update(modId=user, modTime=moment, json=None)

    def _existing(self, entity: str, row_id: int) -> Row:
        row = self.get(entity, row_id)
        if row is None:
            raise Refusal("NO_SUCH_OBJECT_FOUND", f"{entity}[id:{row_id}] not found.", 0)
        return row

    def _assign(self, row: Row, attributes: dict[str, Any]) -> None:
        for name, value in attributes.items():
            row.__dict__[name] = self._value(row.entity, name, value)

    def _value(self, entity: Entity, name: str, value: Any) -> Any:
        relation = entity.to_one.get(name)
        if relation is not None:
            return None if value is None else self._existing(relation.target, value)
        kind = entity.kind(name)
        if kind is None:
            raise bad(f"{entity.name} has no field {name}")
        if kind == "time" and value is not None:
            return digits(value, self.rendered.zone)
        return float(value) if kind == "float" and value is not None else value

    def _complete(self, row: Row) -> None:
        entity = row.entity
        needed = [a.name for a in entity.attributes.values() if a.required]
        needed += [r.name for r in entity.to_one.values() if r.required]
        for name in needed:
            if getattr(row, name) is None:
                if entity.kind(name) != "bool":
                    raise Refusal("VALIDATION", f"{entity.name}: {name} cannot be null.", 0)
                row.__dict__[name] = False

    def _refuse_twin(self, row: Row) -> None:
        table = self.tables[row.entity.name]
        key = table.key(row)
        if key is None or key not in table.keys:
            return
        shown = ((name, getattr(row, name)) for name in row.entity.unique)
        parts = ", ".join(f"{n} = '{v.place if isinstance(v, Row) else v}'" for n, v in shown)
        raise Refusal("OBJECT_ALREADY_EXISTS", f"{row.entity.name} exists with {parts}", 0)

    def _remove(self, row: Row) -> None:
        if self.get(row.entity.name, row.id) is not row:
            return
        for relation in row.entity.to_many:
            for child in list(self.children(row, relation)):
                self._remove(child)
        self.tables[row.entity.name].hide(row)
