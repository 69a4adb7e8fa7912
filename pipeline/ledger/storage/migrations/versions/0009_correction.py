"""What a resend sends instead of the texts of its row, after the document was given back (reliability.md R12)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add ``attempt.reason`` and ``attempt.email``; every attempt until now sent the texts of its row."""
    op.add_column("attempt", sa.Column("reason", sa.Text(), nullable=True))
    op.add_column("attempt", sa.Column("email", sa.Text(), nullable=True))
