"""What a page of rows with one outcome begins at: the position, at the end of the indexes of the counts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_COUNTED = ["batch", "state", "source", "estado", "note", "possible_duplicate", "pos"]
_SET_ASIDE = sa.text("state NOT IN ('READY', 'HELD')")


def upgrade() -> None:
    """Replace ``ix_attempt_counts`` and ``ix_row_set_aside``: six seconds and 0.2 % of the file for a million rows."""
    op.drop_index("ix_attempt_counts", "attempt")
    op.drop_index("ix_row_set_aside", "row")
    op.create_index("ix_attempt_counts", "attempt", _COUNTED)
    op.create_index(
        "ix_row_set_aside", "row", ["batch", "state", "pos"], sqlite_where=_SET_ASIDE, postgresql_where=_SET_ASIDE
    )
