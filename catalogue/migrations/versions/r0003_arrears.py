"""This file is the third migration: names owed by id sweeps, revisions of refused records, and whose bookmark a source has."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Build the table and add the columns."""
    op.create_table(
        "arrears",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("source", "kind", "id"),
    )
    op.add_column("rejects", sa.Column("revision", sa.String(), nullable=True))
    op.add_column("sources", sa.Column("bookmark_by", sa.BigInteger(), nullable=True))
