"""What ``anular find`` looks up: rows by the document number in their code, and the events of one row's attempts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_OF_AN_ATTEMPT = sa.text("attempt IS NOT NULL")


def upgrade() -> None:
    """Add ``ix_row_number`` and ``ix_event_attempt``: some seconds and 2 % of the file for a million rows."""
    op.create_index("ix_row_number", "row", [sa.text("substr(cufe, 41, 10)")])
    op.create_index(
        "ix_event_attempt", "event", ["attempt"], sqlite_where=_OF_AN_ATTEMPT, postgresql_where=_OF_AN_ATTEMPT
    )
