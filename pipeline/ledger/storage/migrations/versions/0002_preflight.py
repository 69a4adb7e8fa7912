"""What a query said right before the sending: proof later that the document was there (reliability.md 2.3, 2.5)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add ``attempt.preflight``."""
    op.add_column("attempt", sa.Column("preflight", sa.Integer(), nullable=True))
