"""Ledger tables (reliability.md 2.1) and their invariants: a file once, one live attempt per CUFE, append-only
events."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ColumnElement,
    Float,
    ForeignKeyConstraint,
    FromClause,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Select,
    String,
    Table,
    Text,
    case,
    func,
    literal_column,
    select,
    text,
)

from pipeline.domain.lifecycle import LIVE_NEVER, State

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

STATE_WORDS = ", ".join(f"'{state.value}'" for state in State)
SET_ASIDE = f"state NOT IN ('{State.READY.value}', '{State.HELD.value}')"
"""Rows that got no attempt when they were taken in: their own state is their last."""
NOT_LIVE = ", ".join(f"'{state.value}'" for state in LIVE_NEVER)

# The conditions of indexes are PostgreSQL's too, where the migrations give them: named here they would have SQLAlchemy
# load that dialect, a tenth of what a small command takes to start.

# One line per run of the program that may write. The newest id is the epoch: it fences every move (R8); on PostgreSQL
# the newest of the same credential, because others run in parallel (scope.py).
run = Table(
    "run",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("started_utc", String(32), nullable=False),
    Column("who", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("credential", String(32)),
    Index("ix_run_credential", "credential", "id"),
)

# The machines this ledger was used on, the newest last: on any other it is refused (ownership.py).
owner = Table(
    "owner",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("host", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("since_utc", String(32), nullable=False),
    Column("who", Text, nullable=False),
    Column("why", Text, nullable=False),
)

# The id of this ledger: one line, created with it. Another id in the same place is another ledger (watermark.py).
ledger = Table("ledger", metadata, Column("id", String(32), primary_key=True))

batch = Table(
    "batch",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("env", String(16), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("sheet", Text, nullable=False),  # '' for a CSV
    Column("file", Text, nullable=False),
    Column("folder", Text, nullable=False),  # where its results are written
    Column("headings", Text, nullable=False),  # JSON list
    Column("n_rows", Integer, nullable=False),
    Column("issuers", Text, nullable=False),  # JSON list
    Column("notes", Text, nullable=False),  # JSON list
    Column("deadline_hours", Integer, nullable=False),
    Column("created_utc", String(32), nullable=False),
    Column("approved_by", Text, nullable=False),
    Column("corrects", String(32)),  # the batch whose corrections workbook this was; may be of another ledger
    Column("credential", String(32)),  # mark of the credential under which it was taken in; None: before there was one
    Index("one_batch_per_file", "env", "sha256", "sheet", unique=True),
    Index("ix_batch_corrects", "corrects"),
)

row = Table(
    "row",
    metadata,
    Column("batch", String(32), nullable=False),
    Column("pos", Integer, nullable=False),
    Column("line", Integer, nullable=False),
    Column("cells", Text, nullable=False),  # JSON list, see codec.py: verbatim
    Column("state", String(24), nullable=False),  # the verdict of validation; the attempt holds later states
    Column("cufe", String(66)),
    Column("reason", Text),
    Column("email", Text),
    Column("payload_sha256", String(64)),
    Column("leader_batch", String(32)),
    Column("leader_pos", Integer),
    Column("remarks", Text, nullable=False),  # JSON: problems, repairs, warnings
    Column("deadline_window", String(16)),
    Column("hours_left", Float),
    PrimaryKeyConstraint("batch", "pos"),
    ForeignKeyConstraint(["batch"], ["batch.id"]),
    # The document number within the code: small, and enough to look up a code as well (search.py).
    Index("ix_row_number", text("substr(cufe, 41, 10)")),
    # The few rows that have no attempt, for the counts of a batch and for a page of those of one state (pages.py).
    Index("ix_row_set_aside", "batch", "state", "pos", sqlite_where=text(SET_ASIDE), postgresql_where=text(SET_ASIDE)),
)

attempt = Table(
    "attempt",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("env", String(16), nullable=False),
    Column("cufe", String(66), nullable=False),
    Column("batch", String(32), nullable=False),
    Column("pos", Integer, nullable=False),
    Column("n", Integer, nullable=False),
    Column("state", String(24), nullable=False),
    Column("v", Integer, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("sent_utc", String(32)),  # when the intent was recorded
    Column("queried_utc", String(32)),
    Column("queries", Integer, nullable=False),
    Column("misses", Integer, nullable=False),  # answers 18 since the intent
    Column("next_due", String(32)),
    Column("estado", Integer),
    Column("source", String(16)),  # service of the last understood answer
    Column("dgi", String(8)),
    Column("message", Text),
    Column("authorised_at", Text),
    Column("http", Integer),
    Column("note", Text, nullable=False),
    Column("possible_duplicate", Integer, nullable=False),  # 1: a person authorised it after an unclear outcome
    Column("preflight", Integer),  # the state that a query returned right before sending
    Column("credential", String(32)),  # mark of its credential; None: taken in before there was one
    Column("reason", Text),  # of a corrected resend: what it sends instead of the row's reason; None: the row's texts
    Column("email", Text),  # beside ``reason`` alone: what it sends instead of the row's address; None: no address
    CheckConstraint(f"state IN ({STATE_WORDS})", name="known_state"),
    ForeignKeyConstraint(["batch", "pos"], ["row.batch", "row.pos"]),
    Index("ix_attempt_row", "batch", "pos"),
    Index("ix_attempt_state", "state"),
    # All that the counts of a batch ask for: its rows are not read (counts.py). The position last, so that a page of
    # rows with the same outcome begins at any of them (pages.py).
    Index("ix_attempt_counts", "batch", "state", "source", "estado", "note", "possible_duplicate", "pos"),
    # A cancelled CUFE stays live for ever: it can never get a second attempt, not even from another file next year.
    Index(
        "one_live",
        "env",
        "cufe",
        unique=True,
        sqlite_where=text(f"state NOT IN ({NOT_LIVE})"),
    ),
)

event = Table(
    "event",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("batch", String(32), nullable=False),
    Column("pos", Integer, nullable=False),
    Column("attempt", Integer),
    Column("from_", String(24), nullable=False),
    Column("to_", String(24), nullable=False),
    Column("event", String(24), nullable=False),
    Column("utc", String(32), nullable=False),
    Column("run", Integer, nullable=False),
    Column("who", Text),
    Column("http", Integer),
    Column("estado", Integer),
    Column("dgi", String(8)),
    Column("message", Text),
    Column("note", Text, nullable=False),
    Column("body", LargeBinary),
    Column("more", Text),  # JSON, "" for nothing: what else the move changed (replay.py); None: schema 0006 or older
    Column("prev", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index("ix_event_batch", "batch", "seq"),
    # Of the events of one row: a batch has hundreds of thousands. Not by the row itself, which would be taken for other
    # queries that are better off with the index above.
    Index(
        "ix_event_attempt",
        "attempt",
        sqlite_where=text("attempt IS NOT NULL"),
    ),
)


def with_rows(*columns: Any) -> Select[Any]:
    """``columns`` of attempts, each joined with its input row."""
    return select(*columns).join_from(attempt, row, (row.c.batch == attempt.c.batch) & (row.c.pos == attempt.c.pos))


SENT_REASON = case((attempt.c.reason.is_not(None), attempt.c.reason), else_=row.c.reason).label("sent_reason")
SENT_EMAIL = case((attempt.c.reason.is_not(None), attempt.c.email), else_=row.c.email).label("sent_email")
"""What an attempt sends: its own texts when a person corrected them, else those of its row (reliability.md R12)."""


OF_BATCH = batch.c.id == attempt.c.batch
"""Joins an attempt with its batch."""


FIRST_EVENT = select(func.min(event.c.seq)).where(event.c.batch == batch.c.id).correlate(batch).scalar_subquery()
"""The number of a batch's first event."""


def newest_first() -> tuple[ColumnElement[Any], ...]:
    """The order of batches, the one taken in last first: by their first events, for a clock may be set back."""
    return FIRST_EVENT.desc(), batch.c.created_utc.desc()


def oldest_first() -> tuple[ColumnElement[Any], ...]:
    """The same the other way."""
    return FIRST_EVENT.asc(), batch.c.created_utc.asc()


def at_line(query: Select[Any], batch: str, line: int) -> Select[Any]:
    """``query`` for the row of a batch that stands in this line of its file. No index has the lines, but no row stands
    before its own number: who goes down from there is with it after as many rows as lines were passed over."""
    one = row.c
    return query.where(one.batch == batch, one.line == line, one.pos <= line).order_by(one.pos.desc()).limit(1)


def number(cufe: ColumnElement[Any]) -> ColumnElement[str]:
    """The document number of a code, exactly as in the index ``ix_row_number``: with bound values no index is used."""
    return func.substr(cufe, literal_column("41"), literal_column("10"), type_=String)


def live(attempt: FromClause) -> ColumnElement[bool]:
    """The condition of ``one_live`` on ``attempt`` (the table or an alias), exactly as in the index.

    SQLite uses a partial index only for a query with the same condition as the index, and does not know the value of a
    bound parameter: without this exact text every look-up of a code would scan the whole history.
    """
    return attempt.c.state.not_in([literal_column(f"'{state.value}'") for state in LIVE_NEVER])
