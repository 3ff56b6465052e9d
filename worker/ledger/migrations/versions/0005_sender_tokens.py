"""The tokens of senders whose tokens end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

_TIMES = ("ends_at", "renewed_at", "busy_until", "sent_at")
_TEXTS = ("access_token", "refresh_token", "refused")


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "sender_tokens",
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("seed", sa.String(length=64), nullable=False),
        sa.Column("planted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("refused_with", sa.String(length=64), nullable=True),
        *(sa.Column(name, sa.DateTime(timezone=True), nullable=True) for name in _TIMES),
        *(sa.Column(name, sa.Text(), nullable=True) for name in _TEXTS),
        sa.PrimaryKeyConstraint("source", "seed"),
    )
