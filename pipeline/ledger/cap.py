"""Cap on what may be sent under one name within a time, counted by the ledger itself (reliability.md P2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, func, select

from pipeline.domain.errors import StorageTrouble
from pipeline.domain.lifecycle import State
from pipeline.ledger import codec, tables
from pipeline.ledger.scope import Scope


@dataclass(frozen=True, slots=True)
class Cap:
    """At most ``most`` rows of batches approved by ``who`` (or by a name that begins so) since ``since``; ``besides``
    is a batch that does not count."""

    who: str
    since: datetime
    most: int = 0
    besides: str = ""

    def query(self, env: str, scope: Scope) -> Select[Any]:
        """How many were sent since, or are about to be. Batches of more than a week before are past every deadline."""
        attempt, batch = tables.attempt, tables.batch
        oldest = codec.to_text(self.since - timedelta(days=8))
        counted = (attempt.c.sent_utc >= codec.to_text(self.since)) | (attempt.c.state == State.READY.value)
        return (
            select(func.count())
            .select_from(attempt)
            .join(batch, batch.c.id == attempt.c.batch)
            .where(batch.c.env == env, batch.c.approved_by.startswith(self.who, autoescape=True), counted)
            .where(batch.c.created_utc >= oldest, batch.c.id != self.besides, scope.rows(attempt))
        )

    @staticmethod
    def filled() -> StorageTrouble:
        """Others took in rows meanwhile: whoever asked has to weigh the file again."""
        return StorageTrouble("Otra ejecución ocupó lo que quedaba del máximo de la noche.", code="ledger-taken")
