"""Alembic's entry: run the steps on the connection that the engine hands over, inside its transaction."""

from __future__ import annotations

from alembic import context

from pipeline.ledger.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
