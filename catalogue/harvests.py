"""This file is the ledger of harvests: runs, their pages, bookmarks and rejects, and the truth they are committed to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, delete, exists, func, insert, select, update

from catalogue import arrears, rejects
from catalogue.assembly import digest
from catalogue.database import Database
from catalogue.inserts import insert_once
from catalogue.intake import Intake, Rules, unseen
from catalogue.leases import Leases, check
from catalogue.names import Names, Naming
from catalogue.ports import Harvest, Lease, Page, SourceState, Unseen
from catalogue.runs import GOOD, as_harvest, read_harvest, source_states
from catalogue.tables import harvests, leases, records, requests, sources
from schema.activities import Bookmark, Figures, HarvestMode, HarvestState
from schema.records import Kind, Reject

_GOES_ON = (HarvestState.RUNNING.value, HarvestState.FAILED.value)


class Harvests(Leases):
    """The HarvestLedger in SQL. `rules` come from the federation file."""

    def __init__(self, database: Database, rules: Rules) -> None:
        super().__init__(database)
        self._rules = rules
        self._names = Names()

    def begin(self, lease: Lease, source: str, mode: HarvestMode) -> Harvest:
        """The source's interrupted (or failed) harvest of that mode if its last one is such, else a new one. What was asked for is
        begun with that (a full harvest answers both kinds of asking). An incremental one that a later harvest has left behind is not
        gone on with: it would begin from an older place. A full one is: nobody else has asked for all. Raises LeaseLost."""
        now = self._database.clock()
        with self._database.write("begin") as connection:
            check(connection, lease)
            _know(connection, source)
            asked = delete(requests).where(requests.c.source == source)
            connection.execute(asked if mode is HarvestMode.FULL else asked.where(requests.c.mode == mode.value))
            same = (harvests.c.source == source, harvests.c.mode == mode.value)
            last = connection.execute(select(harvests).where(*same).order_by(harvests.c.id.desc()).limit(1)).first()
            if last is not None and last.state in _GOES_ON and not _left_behind(connection, last):
                values = {"state": HarvestState.RUNNING.value, "lease": lease.name, "ended": None, "message": ""}
                connection.execute(update(harvests).where(harvests.c.id == last.id).values(values))
                return read_harvest(connection, last.id)
            if mode is HarvestMode.FULL:
                _owe_nothing(connection, source)
            return read_harvest(connection, _new(connection, lease, source, mode, now))

    def bookmark(self, source: str) -> Bookmark:
        """The bookmark that the last finished harvest of the source left for incremental ones (empty if none)."""
        with self._database.read() as connection:
            row = connection.execute(select(sources.c.bookmark).where(sources.c.source == source)).first()
        return Bookmark() if row is None else row.bookmark

    def commit(self, lease: Lease, harvest: Harvest, page: Page) -> Harvest:
        """One transaction: records, their change numbers, rejects, removals, what is owed, bookmark, figures. The same page sent once
        more does nothing. Raises LeaseLost; ValueError for a record that names another source."""
        if any(record.source != harvest.source for record in page.records):
            raise ValueError(f"a page of {harvest.source} brings records of another source")
        now = self._database.clock()
        page = msgspec.structs.replace(page, rejects=tuple(rejects.readable(reject) for reject in page.rejects))
        mark = digest(msgspec.json.encode(page))
        with self._database.write("page") as connection:
            check(connection, lease)
            row = _running(connection, harvest)
            if row.page == mark and row.pages == harvest.figures.pages + 1:
                return as_harvest(row)
            figures = self._take(connection, harvest, page, now)
            bookmark = row.bookmark if page.bookmark is None else page.bookmark
            _advance(connection, row, figures, page=mark, bookmark=bookmark)
            return read_harvest(connection, harvest.id)

    def _take(self, connection: Connection, harvest: Harvest, page: Page, now: datetime) -> Figures:
        """Bring a page into the truth; what it adds to the figures."""
        self._database.at("page: begun")
        source = harvest.source
        intake = Intake(connection, self._rules, now, source, harvest.id)
        naming = Naming(connection, self._names)
        taken = intake.upsert(naming.fitted(page.records, now))
        names = [(kind, id) for kind, id, _ in page.seen]
        arrears.owe(connection, source, arrears.stale(connection, source, page.seen))
        arrears.settle(connection, source, page.settled)
        intake.seen(names)
        removed = intake.remove(page.gone)
        refused = (*page.rejects, *(rejects.readable(reject) for reject in taken.rejects))
        bad = {(reject.kind, reject.id) for reject in refused}
        good = {(record.kind.value, record.id) for record in page.records} | {
            (kind.value, id) for kind, id in page.gone
        }
        rejects.clear(connection, source, sorted(good - bad))
        rejects.seen(connection, source, harvest.id, [(kind.value, id) for kind, id in names])
        rejects.keep(connection, source, harvest.id, refused, now)
        naming.keep()
        self._database.at("page: records written")
        intake.finish()
        return Figures(
            pages=1,
            seen=len(page.records) + len(page.seen) + len(page.rejects),
            added=taken.added,
            changed=taken.changed,
            unchanged=taken.unchanged,
            removed=removed,
            rejected=len(refused),
            left_out=naming.left_out,
        )

    def unseen(self, harvest: Harvest, kinds: Sequence[Kind]) -> Unseen:
        """What this (full) harvest has not seen among the source's records of those kinds."""
        with self._database.read() as connection:
            there = (
                records.c.source == harvest.source,
                records.c.kind.in_([kind.value for kind in kinds]),
                records.c.deleted.is_(False),
            )
            present = connection.execute(select(func.count()).where(*there)).scalar_one()
            gone = connection.execute(select(func.count()).where(*there, records.c.harvest < harvest.id)).scalar_one()
            by = select(sources.c.released_by).where(sources.c.source == harvest.source)
            released = connection.execute(by).scalar_one_or_none() is not None
        return Unseen(gone, present, released)

    def owing(self, source: str, limit: int) -> list[tuple[Kind, str]]:
        """Up to `limit` names that id sweeps of the source told of and that have not been fetched since, in order."""
        with self._database.read() as connection:
            return arrears.first(connection, source, limit)

    def sweep(self, lease: Lease, harvest: Harvest, kinds: Sequence[Kind], limit: int = 500) -> int:
        """Remove up to `limit` of the unseen; how many were removed. 0: none are left; then rejects not met again are forgotten too,
        and what a person released is used up."""
        now = self._database.clock()
        with self._database.write("sweep") as connection:
            check(connection, lease)
            row = _running(connection, harvest)
            intake = Intake(connection, self._rules, now, harvest.source, harvest.id)
            removed = intake.remove(unseen(connection, harvest.source, harvest.id, kinds, limit))
            intake.finish()
            if removed:
                _advance(connection, row, Figures(removed=removed))
            else:
                settled = {"held": None, "released_by": None, "released_at": None}
                connection.execute(update(sources).where(sources.c.source == harvest.source).values(settled))
                rejects.clear_unseen(connection, harvest.source, harvest.id, [kind.value for kind in kinds])
        return removed

    def close(
        self, lease: Lease, harvest: Harvest, state: HarvestState, message: str, next_bookmark: Bookmark | None
    ) -> Harvest:
        """End the harvest. `next_bookmark` becomes the source's, unless a later harvest has left one (None: it stays as it was); an
        interrupted incremental harvest from before is over then. Raises LeaseLost."""
        now = self._database.clock()
        with self._database.write("close") as connection:
            check(connection, lease)
            row = _running(connection, harvest)
            values = {"state": state.value, "ended": now, "message": message}
            connection.execute(update(harvests).where(harvests.c.id == harvest.id).values(values))
            own = sources.c.source == harvest.source
            before = connection.execute(select(sources).where(own)).one()
            after = _standing(before, row, state, now)
            if next_bookmark is not None and (before.bookmark_by or 0) < row.id:
                after |= {"bookmark": next_bookmark, "bookmark_by": row.id}
                _leave_behind(connection, row, now)
            connection.execute(update(sources).where(own).values(after))
            return read_harvest(connection, harvest.id)

    def release_sweep(self, source: str, by: str) -> bool:
        """A person allows the held sweep of the source; whether one was held. A full harvest is asked for at once: it looks
        again before it sweeps."""
        now = self._database.clock()
        with self._database.write("release sweep") as connection:
            held = (sources.c.source == source, sources.c.held.is_not(None))
            done = connection.execute(update(sources).where(*held).values(released_by=by, released_at=now))
            if done.rowcount:
                _ask(connection, source, HarvestMode.FULL, by, now)
            return bool(done.rowcount)

    def request(self, source: str, mode: HarvestMode, by: str) -> None:
        """Somebody wants this source harvested now; the sweeper finds it in the table. Twice is once."""
        now = self._database.clock()
        with self._database.write("request harvest") as connection:
            _know(connection, source)
            _ask(connection, source, mode, by, now)

    def owed(self, now: datetime) -> list[tuple[str, HarvestMode]]:
        """Requested harvests not begun yet, in the order of asking, and interrupted ones whose lease has expired."""
        held = exists().where(and_(leases.c.name == harvests.c.lease, leases.c.owner != "", leases.c.expires > now))
        running = harvests.c.state == HarvestState.RUNNING.value
        with self._database.read() as connection:
            asked = connection.execute(select(requests.c.source, requests.c.mode).order_by(requests.c.id)).all()
            cut = connection.execute(
                select(harvests.c.source, harvests.c.mode).where(running, ~held).order_by(harvests.c.id)
            ).all()
        return list(dict.fromkeys((row.source, HarvestMode(row.mode)) for row in (*asked, *cut)))

    def states(self) -> list[SourceState]:
        """How every source stands that was ever harvested or asked for, by name."""
        with self._database.read() as connection:
            return source_states(connection)

    def harvests(self, source: str | None, first: int, before: int | None) -> list[Harvest]:
        """Past and present harvests, newest first, with ids below `before`."""
        query = select(harvests).order_by(harvests.c.id.desc()).limit(first)
        if source is not None:
            query = query.where(harvests.c.source == source)
        if before is not None:
            query = query.where(harvests.c.id < before)
        with self._database.read() as connection:
            return [as_harvest(row) for row in connection.execute(query)]

    def refuse(self, reject: Reject) -> None:
        """Keep a record that was harvested, but that the index cannot take; until a full harvest brings it no more or otherwise."""
        now = self._database.clock()
        with self._database.write("refuse") as connection:
            newest = select(func.max(harvests.c.id)).where(harvests.c.source == reject.source)
            harvest = (
                connection.execute(newest).scalar_one() or 0
            )  # the record counts as seen by that one, so no sweep removes it
            rejects.keep(connection, reject.source, harvest, (rejects.readable(reject),), now)

    def rejects(
        self, source: str | None, first: int, after: int | None
    ) -> list[tuple[int, Reject, datetime, datetime, int]]:
        """Kept rejects with id, first seen, last seen, count; by id, above `after`."""
        with self._database.read() as connection:
            return rejects.page(connection, source, first, after)


def _know(connection: Connection, source: str) -> None:
    """Have a row for the source."""
    if connection.execute(select(sources.c.source).where(sources.c.source == source)).first() is None:
        insert_once(connection, sources, {"source": source, "bookmark": Bookmark()})


def _ask(connection: Connection, source: str, mode: HarvestMode, by: str, now: datetime) -> None:
    asked = (requests.c.source == source, requests.c.mode == mode.value)
    if connection.execute(select(requests.c.id).where(*asked)).first() is None:
        insert_once(connection, requests, {"source": source, "mode": mode.value, "by": by, "at": now})


def _new(connection: Connection, lease: Lease, source: str, mode: HarvestMode, now: datetime) -> int:
    values = {
        "source": source,
        "mode": mode.value,
        "state": HarvestState.RUNNING.value,
        "lease": lease.name,
        "bookmark": Bookmark(),
        "started": now,
        "message": "",
        **msgspec.structs.asdict(Figures()),
    }
    key = connection.execute(insert(harvests).values(values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def _left_behind(connection: Connection, interrupted: Any) -> bool:
    """Whether a later harvest has left a bookmark, from which an incremental one is better begun."""
    by = select(sources.c.bookmark_by).where(sources.c.source == interrupted.source)
    left = connection.execute(by).scalar_one_or_none()
    return interrupted.mode == HarvestMode.INCREMENTAL.value and left is not None and left > interrupted.id


def _owe_nothing(connection: Connection, source: str) -> None:
    """Forget what is owed, since everything is to be asked for. The interrupted increment whose sweep named it sets out anew: it would
    go on beyond those names, should the full harvest not come to its end."""
    if not arrears.forget(connection, source):
        return
    last = select(func.max(harvests.c.id)).where(
        harvests.c.source == source, harvests.c.mode == HarvestMode.INCREMENTAL.value
    )
    cut = (harvests.c.id == last.scalar_subquery(), harvests.c.state.in_(_GOES_ON))
    connection.execute(update(harvests).where(*cut).values(bookmark=Bookmark()))


def _leave_behind(connection: Connection, row: Any, now: datetime) -> None:
    """End the earlier incremental harvests of the source that nobody works on any more (we hold its lease)."""
    cut = (
        harvests.c.source == row.source,
        harvests.c.mode == HarvestMode.INCREMENTAL.value,
        harvests.c.state == HarvestState.RUNNING.value,
        harvests.c.id < row.id,
    )
    message = f"It was interrupted, and harvest {row.id} has brought since what it was after."
    values = {"state": HarvestState.FAILED.value, "ended": now, "message": message}
    connection.execute(update(harvests).where(*cut).values(values))


def _running(connection: Connection, harvest: Harvest) -> Any:
    """The row of a harvest that is being worked on. Raises ValueError when it has ended."""
    row = connection.execute(select(harvests).where(harvests.c.id == harvest.id).with_for_update()).one()
    if row.state != HarvestState.RUNNING.value:
        raise ValueError(f"harvest {harvest.id} has ended already ({row.state})")
    return row


def _advance(connection: Connection, row: Any, more: Figures, **values: object) -> None:
    figures = {name: getattr(row, name) + number for name, number in msgspec.structs.asdict(more).items()}
    connection.execute(update(harvests).where(harvests.c.id == row.id).values({**figures, **values}))


def _standing(source: Any, harvest: Any, state: HarvestState, now: datetime) -> dict[str, Any]:
    """How a source stands after a harvest."""
    if state in GOOD:
        full = {"last_full": now} if harvest.mode == HarvestMode.FULL.value else {}
        return {"last_done": now, "failing_since": None, **full}
    if state is HarvestState.HELD:
        return {"held": harvest.id, "failing_since": None}
    return {"failing_since": source.failing_since or harvest.started}
