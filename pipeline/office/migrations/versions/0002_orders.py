"""Orders to the sender, with events that cannot be changed; where an approval was given; signs of life."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_EVENTS = "decision_order_event"


def upgrade() -> None:
    """Create the tables of orders; an approval of before was given at a terminal."""
    on_a_server = op.get_bind().dialect.name == "postgresql"
    # The engine names the schema of tables that are made, and not of one that is changed.
    way = sa.Column("approved_way", sa.String(16), nullable=False, server_default="terminal")
    op.add_column("proposal", way, schema="anular_office" if on_a_server else None)
    op.create_table(
        "decision_order",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("profile", sa.Text(), nullable=False),
        sa.Column("env", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("proposal", sa.Integer()),
        sa.Column("batch", sa.String(32), nullable=False),
        sa.Column("line", sa.Integer()),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("way", sa.String(16), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("found", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.String(32), nullable=False),
        sa.Column("changed_at", sa.String(32), nullable=False),
    )
    op.create_index("ix_order_state", "decision_order", ["state"])
    op.create_index("ix_order_row", "decision_order", ["batch", "line"])
    op.create_table(
        _EVENTS,
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("decision", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("before", sa.String(16), nullable=False),
        sa.Column("after", sa.String(16), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
    )
    op.create_index("one_order_event_per_version", _EVENTS, ["decision", "version"], unique=True)
    op.create_table(
        "sender_sign",
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("at", sa.String(32), nullable=False),
    )
    if on_a_server:
        for verb, each in (("UPDATE", "ROW"), ("DELETE", "ROW"), ("TRUNCATE", "STATEMENT")):
            op.execute(
                f"CREATE TRIGGER {_EVENTS}_no_{verb.lower()} BEFORE {verb} ON anular_office.{_EVENTS} "
                f"FOR EACH {each} EXECUTE FUNCTION anular_office.append_only()"
            )
        return
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {_EVENTS}_no_{verb.lower()} BEFORE {verb} ON {_EVENTS} "
            "BEGIN SELECT RAISE(ABORT, 'append-only'); END"
        )
