"""Sent memory: what this machine sent, in one small SQLite file in the user's state folder, for all its ledgers.

Two ledgers know nothing of each other, and a ledger restored from an older copy has forgotten what it sent. So each
claim, after its commit and before its request leaves, is inserted here under the hash of (environment, CUFE), and
**the insert is the check**: if another ledger has it, the request does not leave. The ledger remains the record that
counts; this is a second safety net. It survives a killed process but not a power cut, so it costs no commit. A file
that cannot be read is renamed and a new one started; one that cannot be written is not used. Neither ever stops a run.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy import select

from pipeline.ledger import tables
from pipeline.ledger.ledger_events import Word
from pipeline.ledger.storage.database import Database
from pipeline.ledger.storage.driver import sqlite3
from pipeline.ledger.storage.files import free_name
from pipeline.runtime.failpoints import crashpoint
from pipeline.runtime.patience import rename

T = TypeVar("T")
BUSY_S = 5.0
"""Seconds that an insert waits for another run of this machine."""
_PART = 500
# No synchronisation: the system has each commit on return, which is enough to survive a killed process.
_PRAGMAS = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=OFF", "PRAGMA trusted_schema=OFF")
_TABLES = (
    "CREATE TABLE IF NOT EXISTS sent (mark BLOB PRIMARY KEY, ledger TEXT NOT NULL, seq INTEGER NOT NULL, "
    "hash BLOB NOT NULL, batch TEXT NOT NULL, utc TEXT NOT NULL, lost INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS sent_ledger ON sent (ledger, lost, seq)",
    "CREATE TABLE IF NOT EXISTS word (ledger TEXT PRIMARY KEY, hash BLOB NOT NULL) WITHOUT ROWID",
)
_INSERT = (
    "INSERT INTO sent (mark, ledger, seq, hash, batch, utc, lost) VALUES (?, ?, ?, ?, ?, ?, 0) ON CONFLICT (mark) "
    "DO UPDATE SET ledger = excluded.ledger, seq = excluded.seq, hash = excluded.hash, batch = excluded.batch, "
    "utc = excluded.utc, lost = 0 WHERE ledger = excluded.ledger OR ?"
)


@dataclass(frozen=True, slots=True)
class Sending:
    """A claim that is in the ledger: its document, and the number, hash, batch and time of its event."""

    cufe: str
    seq: int
    hash: bytes
    batch: str
    utc: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """An earlier sending by another ledger of this machine."""

    #: its id
    ledger: str
    batch: str
    utc: str


class Sent:
    """The memory for one ledger in one environment. For one thread at a time; raises nothing.

    ``asked``: marks of documents that are queried at eDoc before they are sent: those that this ledger had sent before
    it was restored, and those that a person sends although another ledger did. ``warnings``: problems with the memory
    itself, for people.
    """

    def __init__(self, path: Path, env: str, ledger: str) -> None:
        self._path, self._env, self._ledger = path, env, ledger
        self._connection: sqlite3.Connection | None = None
        self._given_up = False
        self._allowed: set[bytes] = set()
        self.asked: set[bytes] = set()
        self.warnings: list[str] = []

    def mark(self, cufe: str) -> bytes:
        """Hash of a document: the file does not reveal the document."""
        return hashlib.sha256(f"{self._env}\n{cufe}".encode()).digest()

    def allow(self, cufes: Iterable[str]) -> None:
        """Records that a person knows that another ledger sent these; eDoc is queried first."""
        marks = {self.mark(cufe) for cufe in cufes}
        self._allowed |= marks
        self.asked |= marks

    def asks(self, cufe: str) -> bool:
        """Whether this document is queried at eDoc before it is sent."""
        return bool(self.asked) and self.mark(cufe) in self.asked

    def insert(self, claims: Sequence[Sending]) -> list[Elsewhere | None]:
        """Inserts ``claims``; returns for each the other sender, if any: then its request must not leave."""
        crashpoint("sent-before-insert")
        unknown: list[Elsewhere | None] = [None] * len(claims)
        found = self._tried(lambda connection: self._insert(connection, claims), unknown)
        crashpoint("sent-after-insert")
        return found

    def _insert(self, connection: sqlite3.Connection, claims: Sequence[Sending]) -> list[Elsewhere | None]:
        found: list[Elsewhere | None] = []
        with _transaction(connection):
            for one in claims:
                mark = self.mark(one.cufe)
                values = (mark, self._ledger, one.seq, one.hash, one.batch, one.utc, mark in self._allowed)
                if connection.execute(_INSERT, values).rowcount:
                    found.append(None)
                    continue
                other = connection.execute("SELECT ledger, batch, utc FROM sent WHERE mark = ?", (mark,)).fetchone()
                found.append(Elsewhere(*other))
        return found

    def doubts(self, database: Database) -> list[str]:
        """Reasons against this ledger, in Spanish: its newest claim on this machine is not in it."""
        newest = self._tried(self._newest, None)
        if newest is None:
            return []
        seq, mark, batch = newest
        found = database.read(select(tables.event.c.hash).where(tables.event.c.seq == seq))
        if found and bytes(found[0].hash) == mark:
            return []
        return [f"este equipo envió con él facturas del lote {batch} (hasta el evento {seq}) que el historial no tiene"]

    def _newest(self, connection: sqlite3.Connection) -> tuple[int, bytes, str] | None:
        query = "SELECT seq, hash, batch FROM sent WHERE ledger = ? AND lost = 0 ORDER BY seq DESC LIMIT 1"
        found: tuple[int, bytes, str] | None = connection.execute(query, (self._ledger,)).fetchone()
        return found

    def heed(self, database: Database, before: Iterable[str], word: Word | None) -> None:
        """Takes over what the ledgers of ``before`` (ids of a moved or lost one) sent. After a person's ``word`` that
        the ledger was restored, once for each word, also marks the claims that it lost: from then on these are queried.
        """
        self._tried(lambda connection: self._heed(connection, database, list(before), word), None)

    def _heed(
        self, connection: sqlite3.Connection, database: Database, before: Sequence[str], word: Word | None
    ) -> None:
        with _transaction(connection):
            kept = connection.execute("SELECT hash FROM word WHERE ledger = ?", (self._ledger,)).fetchone()
            fresh = word is not None and (kept is None or kept[0] != word.hash)
            for other in before:
                changed = connection.execute(
                    "UPDATE sent SET ledger = ? WHERE ledger = ?", (self._ledger, other)
                ).rowcount
                fresh = fresh or changed > 0
            if fresh:
                gone = list(self._not_in(connection, database))
                connection.executemany("UPDATE sent SET lost = 1 WHERE mark = ?", gone)
            if word is not None:
                connection.execute("INSERT OR REPLACE INTO word VALUES (?, ?)", (self._ledger, word.hash))
        query = "SELECT mark FROM sent WHERE ledger = ? AND lost = 1"
        self.asked |= {mark for (mark,) in connection.execute(query, (self._ledger,))}

    def _not_in(self, connection: sqlite3.Connection, database: Database) -> Iterator[tuple[bytes]]:
        """Marks of claims whose event is not in the ledger."""
        event = tables.event
        query = "SELECT seq, hash, mark FROM sent WHERE ledger = ? AND lost = 0 ORDER BY seq"
        listed = connection.execute(query, (self._ledger,)).fetchall()
        for start in range(0, len(listed), _PART):
            part = listed[start : start + _PART]
            found = database.read(select(event.c.seq, event.c.hash).where(event.c.seq.in_([one[0] for one in part])))
            there = {line.seq: bytes(line.hash) for line in found}
            yield from ((mark,) for seq, hashed, mark in part if there.get(seq) != hashed)

    def close(self) -> None:
        """Closes the file."""
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _tried(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """The result of ``work``. A damaged file is renamed, and ``work`` tried once more; a file that cannot be used
        at all is not used for the rest of the run."""
        for again in (True, False):
            if self._given_up:
                return otherwise
            try:
                return work(self._opened())
            except (sqlite3.Error, OSError) as error:
                self.close()
                if again and _is_damaged(error) and self._put_aside():
                    continue
                self._given_up = True
                self.warnings.append(
                    f"no se pudo usar la memoria de lo enviado de este equipo ({self._path}: {error}). El historial "
                    "de envíos protege igual; otro historial de este equipo no se entera de lo que se envíe ahora."
                )
        return otherwise

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(parents=True, mode=0o700, exist_ok=True)
            handle = os.open(self._path, os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0), 0o600)
            os.close(handle)
            connection = sqlite3.connect(self._path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
            self._connection = connection
            for statement in (*_PRAGMAS, *_TABLES):
                connection.execute(statement)
        return self._connection

    def _put_aside(self) -> bool:
        try:
            aside = free_name(self._path.with_name(f"{self._path.name}.danada"))
            rename(self._path, aside)
            for tail in ("-wal", "-shm"):
                self._path.with_name(f"{self._path.name}{tail}").unlink(missing_ok=True)
        except OSError:
            return False
        self.warnings.append(
            f"la memoria de lo enviado de este equipo estaba dañada y empieza de nuevo; la anterior quedó en {aside}."
        )
        return True


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _is_damaged(error: Exception) -> bool:
    """Whether the file itself is damaged, and not its place or the moment."""
    damaged = isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.OperationalError)
    return damaged or "column" in str(error)  # from another version, with another form
