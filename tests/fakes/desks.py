"""A desk, a line and a ledger (the real one, in a file of the test's own) around a platform in memory, with a clock that tests move."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fakes.north import facility, hub_trigger
from fakes.platform import FakePlatform

from catalogue.database import open_database
from catalogue.launches import Launches
from schema.access import Access, Viewer
from schema.activities import Launch
from schema.federation import Federation
from schema.records import Dataset, Document
from triggers.desk import Desk, Order, analyse
from triggers.launch import Line, advance
from triggers.registry import Platform

MIA = Viewer(issuer="https://id", subject="1", name="Mia", claims={"preferred_username": "mia"})
BEN = Viewer(issuer="https://id", subject="2", name="Ben", claims={"preferred_username": "ben"})


def document(**changed: object) -> Document:
    """A dataset as it is stored."""
    said = {
        "source": "north/cat", "id": "1", "pid": "10.5555/abc", "facility": "north", "title": "Films",
        "location": "/nfs/abc", "access": "OPEN",
    }  # fmt: skip
    asked = {**said, **changed}
    return Document(Dataset(**{**asked, "access": Access(asked["access"])}), (), 1)


@dataclass
class Time:
    """A clock that stands still until it is moved."""

    at: datetime = datetime(2026, 11, 22, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.at

    def on(self, **by: float) -> None:
        self.at += timedelta(**by)


@dataclass
class Office:
    """Everything around one platform."""

    folder: Path
    platform: FakePlatform = field(default_factory=FakePlatform)
    changed: dict[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.time = Time()
        trigger = hub_trigger("https://hub.north.example", **self.changed)
        home = facility(trigger)
        self.federation = Federation(facilities=(home,))
        self.database = open_database(f"sqlite:///{self.folder / 'launches.db'}", clock=self.time)
        self.ledger = Launches(self.database)
        self.platforms = {"north/hub": Platform("north/hub", home, trigger, self.platform)}
        self.line = Line(self.ledger, self.platforms, self.time, "worker", lambda: 0.0)
        self.desk = Desk(self.federation, self.ledger, self.platforms, self.time)

    def ask(self, viewer: Viewer = MIA, **order: object) -> Launch:
        """A launch."""
        return analyse(self.desk, document(), viewer, Order(**order))[0]

    def go(self, launch: Launch, **by: float) -> Launch:
        """Move the clock, and the launch by what is owed; how it stands."""
        self.time.on(**by)
        advance(launch.id, self.line)
        found = self.ledger.launch(launch.id)
        assert found is not None
        return found

    def story(self, launch: Launch) -> list[str]:
        """The states it went through, each once in a row."""
        states = [event.state.value for event in self.ledger.events(launch.id)]
        return [state for i, state in enumerate(states) if i == 0 or state != states[i - 1]]
