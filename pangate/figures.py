"""This file is the figures of the whole, read from the tables and the broker by the one process that sweeps. Labels are bounded: sources
of the federation file, states, queues."""

from __future__ import annotations

from celery import Celery
from prometheus_client import Gauge

from catalogue.standing import launches_by_state
from pangate.house import House
from pangate.sweeper import owed_harvests, owed_launches
from pangate.tasks import depths
from schema.errors import Unavailable

RECORDS = Gauge("pangate_records", "Live canonical records in the truth.")
SOURCE_RECORDS = Gauge("pangate_source_records", "Live records of a source.", ["source"])
SOURCE_REJECTS = Gauge("pangate_source_rejects", "Kept rejects of a source.", ["source"])
SOURCE_LAG = Gauge("pangate_source_lag_seconds", "Time since a source's last good harvest ended.", ["source"])
SOURCE_FAILING = Gauge(
    "pangate_source_failing_seconds", "Time since a source's harvests began to fail; 0: they do not.", ["source"]
)
OWED = Gauge("pangate_owed", "Work that is owed now, by kind.", ["kind"])
QUEUED = Gauge("pangate_queued", "Wake-ups that wait in a queue of the broker.", ["queue"])
BROKER_UP = Gauge("pangate_broker_up", "Whether the broker answers.")
LAUNCHES = Gauge("pangate_launches", "Launches by state.", ["state"])
DISTANCE = Gauge("pangate_projector_distance", "Changes of the truth that the index does not have yet.")


class Figures:
    """The figures of one house; with an app, those of its broker too."""

    def __init__(self, house: House, app: Celery | None) -> None:
        self._house, self._app = house, app

    def take(self) -> None:
        """Read them all anew."""
        house = self._house
        RECORDS.set(house.truth.count())
        self._sources()
        OWED.labels("harvest").set(len(owed_harvests(house)))
        OWED.labels("launch").set(len(owed_launches(house)))
        for state, count in launches_by_state(house.database).items():
            LAUNCHES.labels(state.value).set(count)
        self._broker()

    def _sources(self) -> None:
        now, there = self._house.clock(), self._house.federation.sources()
        for state in self._house.harvests.states():
            if state.source not in there:
                continue
            SOURCE_RECORDS.labels(state.source).set(state.records)
            SOURCE_REJECTS.labels(state.source).set(state.rejects)
            if state.last_done is not None:
                SOURCE_LAG.labels(state.source).set((now - state.last_done).total_seconds())
            failing = 0.0 if state.failing_since is None else (now - state.failing_since).total_seconds()
            SOURCE_FAILING.labels(state.source).set(failing)

    def _broker(self) -> None:
        if self._app is None:
            return
        try:
            for queue, count in depths(self._app).items():
                QUEUED.labels(queue).set(count)
            BROKER_UP.set(1)
        except Unavailable:
            BROKER_UP.set(0)


def distance(house: House) -> None:
    """How far the index is behind the truth."""
    DISTANCE.set(max(0, house.truth.head() - house.index.mark()))
