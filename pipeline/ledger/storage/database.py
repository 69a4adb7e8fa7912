"""Database interface of every ledger, in a file or on a server: serial transactions, and reads."""

from __future__ import annotations

import os
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Engine, Executable
from sqlalchemy.engine import Connection

from pipeline.domain.errors import Bug, StorageTrouble


class Reads(Protocol):
    """Runs queries: on the ledger as it is with each, or as it was at one moment."""

    def read(self, query: Executable) -> Sequence[Any]:
        """All lines of ``query``."""
        ...


class Moment:
    """A reading transaction: all queries see what the first one saw."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(self, query: Executable) -> Sequence[Any]:
        """All lines of ``query``."""
        return self._connection.execute(query).all()


class Database(ABC):
    """The one connection to the ledger. Transactions run one after the other, from any thread.

    ``place`` shows a person where the ledger is, without a secret; ``name`` is its short form; ``key`` identifies this
    place. ``shared``: other runs may write at the same time. ``troubled``: the store has failed once.
    """

    shared = False
    server = ""
    """The server and database that hold it, if it is on a server; another one after a failover or a restore."""

    def __init__(self, engine: Engine, *, place: str, name: str, key: bytes) -> None:
        self._engine = engine
        self.place, self.name, self.key = place, name, key
        self.troubled = False
        self._lock = threading.Lock()
        self._process = os.getpid()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its start: what it read is still true when it writes.

        Raises ``StorageTrouble``. Then nothing of the transaction happened, except on PostgreSQL when the connection
        broke during the commit: then the result is not known, and the caller has to treat it as unknown.
        """
        self._check_process()
        try:
            with self._lock, self._engine.begin() as connection:
                self._begun(connection)
                yield connection
        except self._troubles() as error:
            self.troubled = True
            raise self._not_written(error) from error

    def read(self, query: Executable) -> Sequence[Any]:
        """All lines of ``query``. Raises ``StorageTrouble``."""
        with self._reading(one=True) as connection:
            return connection.execute(query).all()

    @contextmanager
    def moment(self) -> Iterator[Reads]:
        """Reads that see the ledger at one moment, whatever is committed meanwhile. Raises ``StorageTrouble``.

        Keep it short: a SQLite ledger may not be able to commit while it lasts, and nothing else may be read or written
        here.
        """
        with self._reading(one=False) as connection:
            yield Moment(connection)

    @contextmanager
    def _reading(self, *, one: bool) -> Iterator[Connection]:
        self._check_process()
        try:
            with self._lock, self._to_read(one) as connection:
                yield connection
        except self._troubles() as error:
            self.troubled = True
            raise self._not_read(error) from error

    @contextmanager
    def still(self) -> Iterator[None]:
        """All reads inside the block see the ledger at one moment. With a single owner this is always so."""
        yield

    def check_owned(self, connection: Connection) -> None:  # noqa: B027 - where the kernel keeps the lock it is kept
        """Raises ``StorageTrouble`` when this run has lost its ownership: called before anything new begins."""

    @abstractmethod
    def reserve(self, credential: str | None) -> Path:
        """Path for outcomes that could not be committed."""

    @abstractmethod
    def reserves(self) -> list[Path]:
        """The reserve journals on this machine that are not processed yet."""

    def renumber(self, connection: Connection) -> None:  # noqa: B027 - SQLite goes on after the greatest by itself
        """After lines were inserted with their numbers: new numbers start behind them."""

    @abstractmethod
    def structure(self, pages: str) -> list[tuple[str, str]]:
        """Faults of the store itself and of the rules of its tables: pairs of code and Spanish text.

        ``pages``: ``quick_check``, ``integrity_check``, or "" where the file's pages are not to be read.
        """

    def close(self) -> None:
        if os.getpid() == self._process:
            self._engine.dispose()

    @contextmanager
    def _to_read(self, one: bool) -> Iterator[Connection]:  # noqa: ARG002 - SQLite's are all of one moment
        """A connection for ``one`` query, or for several that see one moment."""
        with self._engine.connect() as connection:
            yield connection.execution_options(reading=True)
            connection.rollback()

    def _begun(self, connection: Connection) -> None:  # noqa: B027 - a file is locked by BEGIN
        """Called at the start of each transaction that may write."""

    @abstractmethod
    def _troubles(self) -> tuple[type[BaseException], ...]:
        """The errors that the store may raise."""

    @abstractmethod
    def _not_written(self, error: BaseException) -> StorageTrouble:
        """The error for a transaction that failed."""

    @abstractmethod
    def _not_read(self, error: BaseException) -> StorageTrouble:
        """The error for a read that failed."""

    def _check_process(self) -> None:
        """Raises when this is a forked process. A connection and its locks belong to the process that opened them: a
        fork that used the inherited ones could damage a file, or write while another run believes itself alone
        (reliability.md F50)."""
        if os.getpid() != self._process:
            raise Bug("a forked process used the ledger of its parent")
