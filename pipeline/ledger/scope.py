"""Scope: the rows that a run may touch: those of its credential, never another company's (eyes.md 2).

A file has one run at a time; on PostgreSQL several run in parallel (reliability.md D8).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from sqlalchemy import ColumnElement, FromClause, or_, true


def credential_mark(env: str, user: str) -> str:
    """The mark of (environment, user) in the ledger. It names the lock and does not reveal the user."""
    return hashlib.sha256(f"{env}\n{user}".encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Scope:
    """The rows of one run."""

    #: mark of its credential, which its rows carry. None: every row, for read-only use; on a server none
    credential: str | None = None
    #: whether no other process can write this ledger meanwhile
    alone: bool = True
    #: also rows from before schema 0006, which have no mark
    orphans: bool = True
    #: not a run, but a process that hands batches in, in parallel with the run of this credential
    desk: bool = False

    @property
    def everything(self) -> bool:
        """Whether every row of the ledger is in scope."""
        return self.alone and self.credential is None

    def rows(self, attempt: FromClause) -> ColumnElement[bool]:
        """The condition that ``attempt`` (the table or an alias) is in scope."""
        if self.everything:
            return true()
        mine = attempt.c.credential == self.credential if self.credential is not None else None
        none = attempt.c.credential.is_(None) if self.orphans else None
        told = [one for one in (mine, none) if one is not None]
        return or_(*told) if told else ~true()
