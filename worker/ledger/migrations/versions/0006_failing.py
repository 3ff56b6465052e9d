"""For how long a delivery has failed where others went through."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the column; what fails now begins with nothing."""
    op.add_column("deliveries", sa.Column("failed_seconds", sa.Integer(), nullable=False, server_default="0"))
