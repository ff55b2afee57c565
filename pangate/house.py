"""This file is the house opened: every room of one process, wired once, for the server, a worker and the command alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from catalogue.assembly import Order
from catalogue.database import At, Database, nothing, open_database
from catalogue.harvests import Harvests
from catalogue.intake import Rules
from catalogue.launches import Launches
from catalogue.ports import Index
from catalogue.project import Projector
from catalogue.rebuilds import Rebuilds
from catalogue.records import Records
from catalogue.sessions import Sessions
from pangate.engines import Wish, open_index
from pangate.owner import is_gone, own_name
from pangate.settings import Environment, Settings, gateway_secret, naming_key, read_file, truth_url
from pangate.vocabulary import vocabulary_of
from schema.federation import Federation
from schema.techniques import Vocabulary
from triggers.desk import Desk
from triggers.launch import Line
from triggers.registry import Platform, close_platforms, open_platforms

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class House:
    """All rooms. `projecting` tells whether this process may write to the index (a shared one: under the projector's lease)."""

    settings: Settings
    environment: Environment
    federation: Federation
    vocabulary: Vocabulary
    clock: Clock
    owner: str
    database: Database
    truth: Records
    harvests: Harvests
    launches: Launches
    sessions: Sessions
    rebuilds: Rebuilds
    index: Index
    projecting: bool
    platforms: dict[str, Platform]

    @cached_property
    def projector(self) -> Projector:
        """The projector of this process: one, since projecting and rebuilding take turns on it."""
        return Projector(self.truth, self.index, self.database.at)

    @property
    def line(self) -> Line:
        """What a step of a launch needs."""
        return Line(self.launches, self.platforms, self.clock, self.owner)

    @property
    def desk(self) -> Desk:
        """What a request for a launch needs."""
        return Desk(self.federation, self.launches, self.platforms, self.clock)

    @property
    def secret(self) -> bytes:
        """The gateway's own secret."""
        return gateway_secret(self.settings, self.environment)


@contextmanager
def open_house(
    settings: Settings, *, write_index: bool, repair: bool = False, clock: Clock = utc_now, at: At = nothing
) -> Iterator[House]:
    """The house, closed at the end. With `write_index` this process projects if no other does already; with `repair` an index of
    another mapping is let in, to be built anew. `at` is called with the name of each point at which a crash must do no harm. Raises
    Misconfigured."""
    federation, environment = read_file(settings), Environment()
    order = Order(
        {home.id: [f"{home.id}/{source.id}" for source in home.sources] for home in federation.facilities},
        {f"{home.id}/{source.id}": source.kind for home in federation.facilities for source in home.sources},
    )
    prefixes = {facility.id: facility.prefixes for facility in federation.facilities}
    vocabulary = vocabulary_of(settings.vocabulary, settings.data)
    with ExitStack() as opened:
        database = open_database(truth_url(settings, environment), clock=clock, at=at)
        opened.callback(database.close)
        at("start: records open")
        platforms = open_platforms(federation, environment, clock)
        opened.callback(close_platforms, platforms)
        harvests = Harvests(database, Rules(order, prefixes))
        harvests.forget(is_gone)
        wish = Wish(write_index, repair, harvests.refuse, at)
        index, projecting = open_index(settings, environment, vocabulary, wish)
        opened.callback(index.close)
        at("start: index open")
        yield House(
            settings=settings,
            environment=environment,
            federation=federation,
            vocabulary=vocabulary,
            clock=clock,
            owner=own_name(),
            database=database,
            truth=Records(database, order),
            harvests=harvests,
            launches=Launches(database, naming_key(gateway_secret(settings, environment))),
            sessions=Sessions(database),
            rebuilds=Rebuilds(database),
            index=index,
            projecting=projecting,
            platforms=platforms,
        )
