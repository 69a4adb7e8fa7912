"""The first schema: run, batch, row, attempt, event; one live attempt per CUFE; events that cannot be changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_STATES = (
    "'RECEIVED', 'REJECTED_INPUT', 'DUPLICATE', 'CONFLICT', 'HELD', 'READY', 'WITHDRAWN', 'SENDING', 'NOT_SENT', "
    "'REFUSED_AUTH', 'UNKNOWN', 'PENDING', 'CANCELLED', 'ALREADY_CANCELLED', 'NEEDS_SUPPORT', 'NEEDS_CORRECTION', "
    "'RETURNED', 'NOT_FOUND', 'REVIEW', 'CLOSED_BY_PERSON', 'CLOSED_RESEND'"
)
_LIVE = sa.text("state NOT IN ('NOT_SENT', 'REFUSED_AUTH', 'WITHDRAWN', 'CLOSED_RESEND')")


def upgrade() -> None:
    """Create everything."""
    op.create_table(
        "run",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("started_utc", sa.String(32), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
    )
    op.create_table(
        "batch",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("env", sa.String(16), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("sheet", sa.Text(), nullable=False),
        sa.Column("file", sa.Text(), nullable=False),
        sa.Column("folder", sa.Text(), nullable=False),
        sa.Column("headings", sa.Text(), nullable=False),
        sa.Column("n_rows", sa.Integer(), nullable=False),
        sa.Column("issuers", sa.Text(), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("deadline_hours", sa.Integer(), nullable=False),
        sa.Column("created_utc", sa.String(32), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=False),
    )
    op.create_index("one_batch_per_file", "batch", ["env", "sha256", "sheet"], unique=True)
    op.create_table(
        "row",
        sa.Column("batch", sa.String(32), sa.ForeignKey("batch.id"), nullable=False),
        sa.Column("pos", sa.Integer(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("cells", sa.Text(), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("cufe", sa.String(66)),
        sa.Column("reason", sa.Text()),
        sa.Column("email", sa.Text()),
        sa.Column("payload_sha256", sa.String(64)),
        sa.Column("leader_batch", sa.String(32)),
        sa.Column("leader_pos", sa.Integer()),
        sa.Column("remarks", sa.Text(), nullable=False),
        sa.Column("deadline_window", sa.String(16)),
        sa.Column("hours_left", sa.Float()),
        sa.PrimaryKeyConstraint("batch", "pos"),
    )
    op.create_table(
        "attempt",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("env", sa.String(16), nullable=False),
        sa.Column("cufe", sa.String(66), nullable=False),
        sa.Column("batch", sa.String(32), nullable=False),
        sa.Column("pos", sa.Integer(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(24), nullable=False),
        sa.Column("v", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("sent_utc", sa.String(32)),
        sa.Column("queried_utc", sa.String(32)),
        sa.Column("queries", sa.Integer(), nullable=False),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("next_due", sa.String(32)),
        sa.Column("estado", sa.Integer()),
        sa.Column("source", sa.String(16)),
        sa.Column("dgi", sa.String(8)),
        sa.Column("message", sa.Text()),
        sa.Column("authorised_at", sa.Text()),
        sa.Column("http", sa.Integer()),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("possible_duplicate", sa.Integer(), nullable=False),
        sa.CheckConstraint(f"state IN ({_STATES})", name="ck_attempt_known_state"),
        sa.ForeignKeyConstraint(["batch", "pos"], ["row.batch", "row.pos"]),
    )
    op.create_index("ix_attempt_row", "attempt", ["batch", "pos"])
    op.create_index("ix_attempt_state", "attempt", ["state"])
    op.create_index("one_live", "attempt", ["env", "cufe"], unique=True, sqlite_where=_LIVE, postgresql_where=_LIVE)
    op.create_table(
        "event",
        sa.Column("seq", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("batch", sa.String(32), nullable=False),
        sa.Column("pos", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer()),
        sa.Column("from_", sa.String(24), nullable=False),
        sa.Column("to_", sa.String(24), nullable=False),
        sa.Column("event", sa.String(24), nullable=False),
        sa.Column("utc", sa.String(32), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("who", sa.Text()),
        sa.Column("http", sa.Integer()),
        sa.Column("estado", sa.Integer()),
        sa.Column("dgi", sa.String(8)),
        sa.Column("message", sa.Text()),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("prev", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_event_batch", "event", ["batch", "seq"])
    if op.get_bind().dialect.name == "postgresql":
        _append_only_on_postgresql()
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER event_no_{verb.lower()} BEFORE {verb} ON event "
            "BEGIN SELECT RAISE(ABORT, 'append-only'); END"
        )


def _append_only_on_postgresql() -> None:
    """The same two rules; TRUNCATE, which SQLite does not have, would empty the table past them."""
    op.execute(
        "CREATE FUNCTION event_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    for verb, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
        op.execute(
            f"CREATE TRIGGER event_no_{verb.lower()} BEFORE {verb} ON event "
            f"FOR EACH {each} EXECUTE FUNCTION event_append_only()"
        )
