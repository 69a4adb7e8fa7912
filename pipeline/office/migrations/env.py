"""Alembic's entry point: runs the steps on the engine's connection, inside its transaction."""

from __future__ import annotations

from alembic import context

connection = context.config.attributes["connection"]
space = "anular_office" if connection.dialect.name == "postgresql" else None
context.configure(connection=connection, version_table_schema=space)
with context.begin_transaction():
    context.run_migrations()
