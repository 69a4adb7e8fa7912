"""Whose rows a run may touch: those of its credential, and no other company's, in a file as on a server (eyes.md 2).

A file has one run at a time; on PostgreSQL others work beside it (reliability.md D8)."""

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

    ``credential`` is the mark of its credential; what it takes in bears it, and only such rows are its own. None: every
    row, for those who only look, or on a server none. ``alone``: nobody else can write this ledger meanwhile.
    ``orphans``: besides its own, those of before schema 0006, which bear no mark. ``desk``: no run at all, but somebody
    who hands batches in for one, beside whoever sends under this credential.
    """

    credential: str | None = None
    alone: bool = True
    orphans: bool = True
    desk: bool = False

    @property
    def everything(self) -> bool:
        """Whether every row of the ledger is one of these."""
        return self.alone and self.credential is None

    def rows(self, attempt: FromClause) -> ColumnElement[bool]:
        """The condition on ``attempt`` (the table or an alias) that it is one of these."""
        if self.everything:
            return true()
        mine = attempt.c.credential == self.credential if self.credential is not None else None
        none = attempt.c.credential.is_(None) if self.orphans else None
        told = [one for one in (mine, none) if one is not None]
        return or_(*told) if told else ~true()
