"""Runs the migrations on the connection that worker.ledger.migrate hands in."""

from __future__ import annotations

from alembic import context

from worker.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True
)
context.run_migrations()
