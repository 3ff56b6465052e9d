"""Encrypted columns, emptied events, and keys that hold an address only as a digest."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from worker.ledger.personal import bounded

revision = "0004"
down_revision = "0003"

#: Rows that are looked at in one go.
PAGE = 1000


def upgrade() -> None:
    """Make the table and the column, and digest the keys that were stored with an address in them."""
    op.create_table(
        "sealing_keys",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.add_column("events", sa.Column("purged_at", sa.DateTime(timezone=True), nullable=True))
    _digest("events", "dedup_key")
    _digest("deliveries", "entity")


def _digest(table: str, column: str) -> None:
    rows = sa.table(table, sa.column("id"), sa.column(column))
    key = rows.c[column]
    connection, after = op.get_bind(), ""
    while True:
        page = sa.select(rows.c.id, key).where(
            rows.c.id > after, sa.or_(key.contains("@"), key.contains("+"))
        )
        found = connection.execute(page.order_by(rows.c.id).limit(PAGE)).all()
        if not found:
            return
        for row in found:
            if bounded(row[1]) != row[1]:
                change = sa.update(rows).where(rows.c.id == row.id).values({column: bounded(row[1])})
                connection.execute(change)
        after = found[-1].id
