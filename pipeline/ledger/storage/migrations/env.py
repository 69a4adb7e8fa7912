"""Alembic's entry point: runs the steps on the engine's connection, inside its transaction."""

from __future__ import annotations

from alembic import context

from pipeline.ledger.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
