"""This file is how the launches stand as a whole: counts by state, for those who watch the operation."""

from __future__ import annotations

from sqlalchemy import func, select

from catalogue.database import Database
from catalogue.tables import launches
from schema.activities import LaunchState


def launches_by_state(database: Database) -> dict[LaunchState, int]:
    """How many launches are in each state (0 too)."""
    query = select(launches.c.state, func.count()).group_by(launches.c.state)
    with database.read() as connection:
        counted = {row[0]: int(row[1]) for row in connection.execute(query)}
    return {state: counted.get(state.value, 0) for state in LaunchState}
