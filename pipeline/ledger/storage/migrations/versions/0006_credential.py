"""Under which credential a run sends and a row was taken in: on PostgreSQL several runs share a ledger, each with the
rows of its own credential (reliability.md D8)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add ``run.credential`` and ``attempt.credential``; what was there before has none."""
    op.add_column("run", sa.Column("credential", sa.String(32), nullable=True))
    op.create_index("ix_run_credential", "run", ["credential", "id"])
    op.add_column("attempt", sa.Column("credential", sa.String(32), nullable=True))
