"""Which delivery sent a create whose outcome nobody knows; and an index of the events that were not routed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the column and the index; a doubt from before is looked up by what the present event says."""
    op.add_column("links", sa.Column("risked_by", sa.String(length=36), nullable=True))
    few = sa.text("verdict <> 'routed'")
    op.create_index("ix_events_verdict", "events", ["verdict", "id"], sqlite_where=few, postgresql_where=few)
