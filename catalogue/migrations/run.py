"""This file is how a database is brought to this program's tables: Alembic's scripts, run inside one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from schema.errors import Misconfigured

_LOCK = 7_264_283  # any number of our own: two processes that open one PostgreSQL at once migrate one after the other


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory(str(Path(__file__).parent))


def migrate(connection: Connection) -> None:
    """Bring the database of an open writing transaction to the newest revision.

    Raises Misconfigured when its revision is unknown here: a newer pangate has been at it.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    scripts = _scripts()
    known = {script.revision for script in scripts.walk_revisions()}
    present = MigrationContext.configure(connection).get_current_heads()
    if not set(present) <= known:
        raise Misconfigured(
            f"This database was migrated by a newer pangate (revision {', '.join(present)}). Start that version, or restore a backup."
        )
    if set(present) != set(scripts.get_heads()):
        _upgrade(connection, scripts)


def _upgrade(connection: Connection, scripts: ScriptDirectory) -> None:
    def steps(revision: Any, _: MigrationContext) -> Sequence[Any]:
        return scripts._upgrade_revs("head", revision)  # what Alembic's own upgrade command calls

    with EnvironmentContext(Config(), scripts, fn=steps) as environment:
        environment.configure(connection=connection, transactional_ddl=True)
        environment.run_migrations()
