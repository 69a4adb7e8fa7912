"""Office tables (decision 0109): proposals with their events and files, certificates with theirs, orders to
the sender with theirs, and messages to send.

Every instant is text as in the ledger (``ledger/codec.py``), every ``version`` the number that a compare-and-set needs.
The tables of events are append-only: the database refuses to change or remove a line.
"""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, MetaData, PrimaryKeyConstraint, String, Table, Text

metadata = MetaData()

# The identity of this database: one line, created with it. ``moved_to``: the place that took over from it.
office = Table(
    "office",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("made_at", String(32), nullable=False),
    Column("moved_to", Text),
)

# What one person prepared and another one may approve. It only points to its batch: the ledger is the truth.
proposal = Table(
    "proposal",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("version", Integer, nullable=False),
    Column("profile", Text, nullable=False),  # '' for the settings without one
    Column("env", String(16), nullable=False),
    Column("ledger", String(32), nullable=False),  # the ledger's id
    Column("state", String(24), nullable=False),
    Column("source", String(16), nullable=False),
    Column("file_name", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("sheet", Text, nullable=False),
    Column("options", Text, nullable=False),  # JSON
    Column("rows", Integer, nullable=False),
    Column("to_send", Integer, nullable=False),
    Column("digest", String(64)),
    Column("canonical", Text),  # the JSON that the digest is of
    Column("prepared_by", Text, nullable=False),
    Column("submitted_by", Text),
    Column("approved_by", Text),
    Column("approved_way", String(16), nullable=False, server_default="terminal"),  # where it was approved
    Column("batch", String(32)),
    Column("why", Text, nullable=False),  # the newest reason, in a person's or the program's words
    Column("created_at", String(32), nullable=False),
    Column("changed_at", String(32), nullable=False),
    Column("expires_at", String(32)),
    Index("ix_proposal_state", "state"),
    Index("ix_proposal_file", "env", "sha256"),
    Index("ix_proposal_batch", "batch"),
)

proposal_event = Table(
    "proposal_event",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("proposal", Integer, nullable=False),
    Column("version", Integer, nullable=False),  # of the proposal after it
    Column("at", String(32), nullable=False),
    Column("who", Text, nullable=False),
    Column("address", Text, nullable=False),  # where from: ``terminal``, or a page's client
    Column("event", String(24), nullable=False),
    Column("before", String(24), nullable=False),
    Column("after", String(24), nullable=False),
    Column("why", Text, nullable=False),
    Column("data", Text, nullable=False),  # JSON
    Index("one_event_per_version", "proposal", "version", unique=True),
)

# SHA-256 of each payload that was approved, 32 bytes each, in the file's order.
proposal_hashes = Table(
    "proposal_hashes",
    metadata,
    Column("proposal", Integer, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)

# A file as it was handed in, in pieces, so that several machines need no shared disk.
upload = Table(
    "upload",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("proposal", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Index("one_upload_per_proposal", "proposal", unique=True),
)

CHUNK = 1_000_000
"""Bytes of a piece, at most."""

upload_chunk = Table(
    "upload_chunk",
    metadata,
    Column("upload", Integer, nullable=False),
    Column("n", Integer, nullable=False),
    Column("data", LargeBinary, nullable=False),
    PrimaryKeyConstraint("upload", "n"),
)

# One record per request for a certificate . No key, no PIN and no file is ever kept.
certificate = Table(
    "certificate",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("version", Integer, nullable=False),
    Column("profile", Text, nullable=False),
    Column("env", String(16), nullable=False),
    Column("ruc", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Column("authority", Text, nullable=False),
    Column("request", Text, nullable=False),
    Column("requested_on", String(10)),  # ISO date
    Column("mail", Text, nullable=False),
    Column("state", String(24), nullable=False),
    Column("observations", Text, nullable=False),
    Column("valid_from", String(32)),
    Column("valid_until", String(32)),
    Column("serial", Text, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("source", String(16), nullable=False),
    Column("who", Text, nullable=False),
    Column("at", String(32), nullable=False),
    Index("ix_certificate_issuer", "profile", "env", "ruc"),
)

certificate_event = Table(
    "certificate_event",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("certificate", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", String(32), nullable=False),
    Column("who", Text, nullable=False),
    Column("event", String(24), nullable=False),
    Column("before", String(24), nullable=False),
    Column("after", String(24), nullable=False),
    Column("why", Text, nullable=False),
    Column("data", Text, nullable=False),  # JSON
    Index("one_certificate_event_per_version", "certificate", "version", unique=True),
)

# Messages that wait to be sent. ``key`` is told once, however many processes run.
outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String(200), nullable=False, unique=True),
    Column("at", String(32), nullable=False),
    Column("profile", Text, nullable=False),
    Column("notification", Text, nullable=False),  # JSON
    Column("sent_at", String(32)),
)

# What a person asked for on a page, which writes into no ledger: the sender carries it out.
decision_order = Table(
    "decision_order",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("version", Integer, nullable=False),
    Column("profile", Text, nullable=False),
    Column("env", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("proposal", Integer),  # of the proposal that it is about, or that it became
    Column("batch", String(32), nullable=False),
    Column("line", Integer),  # of the row in its file; none for an order about a proposal
    Column("who", Text, nullable=False),
    Column("way", String(16), nullable=False),  # where from: ``web``, ``terminal``
    Column("address", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("data", Text, nullable=False),  # JSON: what exactly, and what the person saw
    Column("answer", Text, nullable=False),  # the newest sentence about it
    Column("found", Text, nullable=False),  # JSON: what came of it
    Column("asked_at", String(32), nullable=False),
    Column("changed_at", String(32), nullable=False),
    Index("ix_order_state", "state"),
    Index("ix_order_row", "batch", "line"),
)

decision_order_event = Table(
    "decision_order_event",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("decision", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("at", String(32), nullable=False),
    Column("who", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("before", String(16), nullable=False),
    Column("after", String(16), nullable=False),
    Column("answer", Text, nullable=False),
    Column("data", Text, nullable=False),  # JSON
    Index("one_order_event_per_version", "decision", "version", unique=True),
)

# The newest sign of life of each sender, for who wonders whether one is running.
sender_sign = Table(
    "sender_sign",
    metadata,
    Column("name", String(100), primary_key=True),  # machine and process
    Column("at", String(32), nullable=False),
)

APPEND_ONLY = ("proposal_event", "certificate_event", "decision_order_event")
