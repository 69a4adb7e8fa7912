"""Cap on the rows sent under one name within a time, counted by the ledger itself (reliability.md P2)."""

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
    """A cap on rows of batches approved by ``who``, or by a name that starts with it."""

    who: str
    #: start of the time
    since: datetime
    #: how many rows
    most: int = 0
    #: a batch that does not count
    besides: str = ""

    def query(self, env: str, scope: Scope) -> Select[Any]:
        """Counts rows sent since then, or about to be. Batches older than a week are past every deadline."""
        attempt, batch = tables.attempt, tables.batch
        oldest = codec.to_text(self.since - timedelta(days=8))
        counted = (attempt.c.sent_utc >= codec.to_text(self.since)) | (attempt.c.state == State.READY.value)
        return (
            select(func.count())
            .select_from(attempt)
            .join(batch, tables.OF_BATCH)
            .where(batch.c.env == env, batch.c.approved_by.startswith(self.who, autoescape=True), counted)
            .where(batch.c.created_utc >= oldest, batch.c.id != self.besides, scope.rows(attempt))
        )

    @staticmethod
    def filled() -> StorageTrouble:
        """The error when others took in rows meanwhile: the caller has to check the file again."""
        return StorageTrouble("Otra ejecución ocupó lo que quedaba del máximo de la noche.", code="ledger-taken")
