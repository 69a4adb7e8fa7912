"""What else a move changed, in its event: every printed column follows from the chain (eyes.md 4)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add ``event.more``; what was there before has none, and is hashed without it."""
    op.add_column("event", sa.Column("more", sa.Text(), nullable=True))
