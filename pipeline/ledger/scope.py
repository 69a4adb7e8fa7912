"""Whose rows a run may touch. On SQLite one run owns the file and every row in it; on PostgreSQL each run owns one
credential and its rows, and others work beside it (reliability.md D8)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause, or_, true


def credential_mark(env: str, user: str) -> str:
    """The mark of (environment, user) in the ledger: the lock is named by it, and the name itself is told to nobody."""
    return hashlib.sha256(f"{env}\n{user}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Scope:
    """The rows of one run.

    ``credential`` is the mark of its credential; what it takes in bears it. ``alone``: nobody else can write this
    ledger, so every row is its own. ``orphans``: besides its own, those of before schema 0006, which bear no mark.
    ``desk``: no run at all, but somebody who hands batches in for one, beside whoever sends under this credential.
    """

    credential: str | None = None
    alone: bool = True
    orphans: bool = True
    desk: bool = False

    def rows(self, attempt: FromClause) -> ColumnElement[bool]:
        """The condition on ``attempt`` (the table or an alias) that it is one of these."""
        if self.alone:
            return true()
        mine = attempt.c.credential == self.credential if self.credential is not None else None
        none = attempt.c.credential.is_(None) if self.orphans else None
        told = [one for one in (mine, none) if one is not None]
        return or_(*told) if told else ~true()
