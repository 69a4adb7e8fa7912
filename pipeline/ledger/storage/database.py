"""What every ledger offers, whichever database keeps it: transactions that come one after the other, and reads."""

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
    """What queries are asked of: the ledger as it is with each, or as it was at one moment."""

    def read(self, query: Executable) -> Sequence[Any]:
        """All lines of ``query``."""
        ...


class Moment:
    """A reading transaction: what its first query saw is what all others see."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def read(self, query: Executable) -> Sequence[Any]:
        """All lines of ``query``."""
        return self._connection.execute(query).all()


class Database(ABC):
    """The one connection on the ledger. Transactions come one after the other, whichever thread asks.

    ``place`` says to a person where the ledger lies, without a secret; ``name`` is its short form; ``key`` tells this
    place from all others. ``shared``: other runs may write at the same time. ``troubled``: the store has failed once.
    """

    shared = False
    site = ""
    """Which server and database hold it, where it is one's: another one after a failover or a restore."""

    def __init__(self, engine: Engine, *, place: str, name: str, key: bytes) -> None:
        self._engine = engine
        self.place, self.name, self.key = place, name, key
        self.troubled = False
        self._lock = threading.Lock()
        self._process = os.getpid()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its start: what it read is still true when it writes.

        Raises ``StorageTrouble``. Nothing of the transaction happened then, except on PostgreSQL when the connection
        broke during the commit: then nobody knows, and whoever called has to treat it as unknown.
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

        To be kept short: nobody can commit to a SQLite ledger while it lasts, and nothing else may be read or written
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
        """All reads inside the block see the ledger of one moment. Where its owner is alone that is so by itself."""
        yield

    def check_owned(self, connection: Connection) -> None:  # noqa: B027 - where the kernel keeps the lock it is kept
        """Raises ``StorageTrouble`` when this run has lost what it owns: asked before anything new is begun."""

    @abstractmethod
    def reserve(self, credential: str | None) -> Path:
        """Where outcomes are kept that could not be committed."""

    @abstractmethod
    def reserves(self) -> list[Path]:
        """The reserve journals on this machine that nobody has dealt with yet."""

    def renumber(self, connection: Connection) -> None:  # noqa: B027 - SQLite goes on after the greatest by itself
        """After lines were put in with their numbers: the next ones go on behind them."""

    @abstractmethod
    def structure(self, pages: str) -> list[tuple[str, str]]:
        """What is wrong with the store itself and with the rules of its tables: pairs of code and Spanish words.

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
        """What the store may raise."""

    @abstractmethod
    def _not_written(self, error: BaseException) -> StorageTrouble:
        """The sentence for a transaction that failed."""

    @abstractmethod
    def _not_read(self, error: BaseException) -> StorageTrouble:
        """The sentence for a read that failed."""

    def _check_process(self) -> None:
        """A connection and its locks belong to the process that opened them: a fork that used the inherited ones
        could damage a file, or write beside a run that believes itself alone (reliability.md F50)."""
        if os.getpid() != self._process:
            raise Bug("a forked process used the ledger of its parent")
