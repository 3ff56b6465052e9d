"""The breaker and the budget of a connection, and the source of a delivery."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_WHOLE = ("failures", "openings", "width", "wins", "day_used")
_TIMES = (*("since", "until", "next_create_at", "next_lookup_at", "creates_waited_at", "lookups_waited_at"),)
_OPEN = "state IN ('pending', 'waiting', 'held', 'blocked', 'unknown')"


def upgrade() -> None:
    """Add them."""
    op.add_column("connections", sa.Column("phase", sa.String(length=16), nullable=True))
    op.add_column("connections", sa.Column("breaker_reason", sa.Text(), nullable=True))
    op.add_column("connections", sa.Column("probe", sa.String(length=36), nullable=True))
    op.add_column("connections", sa.Column("day", sa.String(length=10), nullable=True))
    for name in _TIMES:
        op.add_column("connections", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    for name in _WHOLE:
        op.add_column("connections", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    op.add_column("deliveries", sa.Column("source", sa.String(length=32), server_default="", nullable=False))
    op.execute(
        "UPDATE deliveries SET source = (SELECT source FROM events WHERE events.id = deliveries.event_id)"
    )
    op.create_index(
        "ix_deliveries_turn",
        "deliveries",
        ["connection", "source", "due_at", "id"],
        sqlite_where=sa.text(_OPEN),
        postgresql_where=sa.text(_OPEN),
    )
