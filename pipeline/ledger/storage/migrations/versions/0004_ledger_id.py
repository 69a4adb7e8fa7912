"""Which ledger this is, and every adoption as an event in the chain (reliability.md 2.4, P15)."""

from __future__ import annotations

import hashlib
import json
import uuid
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create ``ledger`` with its one line; record earlier adoptions, which stood in ``owner`` alone, in the chain."""
    ledger = op.create_table("ledger", sa.Column("id", sa.String(32), primary_key=True))
    op.bulk_insert(ledger, [{"id": uuid.uuid4().hex}])
    connection = op.get_bind()
    for owner in connection.execute(sa.text("SELECT * FROM owner WHERE who <> '' ORDER BY id")).all():
        _tell(connection, owner)


def _tell(connection: Any, owner: Any) -> None:
    """The event of an adoption, hashed as the program did when this step was written."""
    last = connection.execute(sa.text("SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1")).first()
    seq, prev = (last.seq + 1, last.hash) if last else (1, b"\0" * 32)
    run = connection.execute(sa.text("SELECT max(id) FROM run")).scalar() or 0
    chained = [
        *(seq, "", 0, None, "LEDGER", "LEDGER", "adopted", owner.since_utc, run, owner.who),
        *(None, None, None, owner.name, owner.why),
    ]
    body = owner.host.encode("ascii")
    text = json.dumps(chained, ensure_ascii=True, separators=(",", ":")).encode("ascii")
    content = hashlib.sha256(text + hashlib.sha256(body).digest()).digest()
    connection.execute(
        sa.text(
            "INSERT INTO event (seq, batch, pos, from_, to_, event, utc, run, who, message, note, body, prev, hash) "
            "VALUES (:seq, '', 0, 'LEDGER', 'LEDGER', 'adopted', :utc, :run, :who, :name, :why, :body, :prev, :hash)"
        ),
        {
            "seq": seq,
            "utc": owner.since_utc,
            "run": run,
            "who": owner.who,
            "name": owner.name,
            "why": owner.why,
            "body": body,
            "prev": prev,
            "hash": hashlib.sha256(prev + content).digest(),
        },
    )
