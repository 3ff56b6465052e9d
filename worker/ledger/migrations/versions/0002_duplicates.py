"""Duplicates that say something else than the first event are events, linked to it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the link, and an index that holds duplicates only."""
    op.add_column("events", sa.Column("duplicate_of", sa.String(length=36), nullable=True))
    op.create_index(
        "ix_events_duplicate_of",
        "events",
        ["duplicate_of"],
        unique=False,
        sqlite_where=sa.text("duplicate_of IS NOT NULL"),
        postgresql_where=sa.text("duplicate_of IS NOT NULL"),
    )
