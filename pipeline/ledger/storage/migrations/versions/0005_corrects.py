"""Which batch a batch corrects: information for people, of no weight for what is sent (decision 0031)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add ``batch.corrects``."""
    op.add_column("batch", sa.Column("corrects", sa.String(32), nullable=True))
    op.create_index("ix_batch_corrects", "batch", ["corrects"])
