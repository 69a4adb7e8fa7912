"""Office database: serial transactions and reads, the same on a file and on a server."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, Executable
from sqlalchemy.engine import Connection

from pipeline.domain.errors import Bug, StorageTrouble


@dataclass(frozen=True, slots=True)
class Kind:
    """What is different between a file and a server."""

    #: the errors that it may raise
    troubles: tuple[type[BaseException], ...]
    #: text and remedy for such an error
    words: Callable[[BaseException], tuple[str, str]]
    #: called at the start of each transaction that may write
    begun: Callable[[Connection], None]
    #: the connection so that its next transaction is of one moment
    still: Callable[[Connection], Connection]


class Office:
    """The one connection of this process to the office database. Transactions run one after the other, from any thread
    and any process.

    ``place`` shows a person where it is, without a secret.
    """

    def __init__(self, engine: Engine, kind: Kind, place: str) -> None:
        self._engine, self._kind, self.place = engine, kind, place
        self._lock = threading.Lock()
        self._process = os.getpid()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that holds the write lock from its start: what it read is still true when it writes.

        Raises ``StorageTrouble``. Then nothing of it happened, except on PostgreSQL when the connection broke during
        the commit: then the result is not known.
        """
        with self._errors("guardar en"), self._engine.begin() as connection:
            self._kind.begun(connection)
            yield connection

    def read(self, query: Executable) -> Sequence[Any]:
        """All lines of ``query``. Raises ``StorageTrouble``."""
        with self._errors("leer"), self._engine.connect().execution_options(reading=True) as connection:
            found = connection.execute(query).all()
            connection.rollback()
            return found

    @contextmanager
    def moment(self) -> Iterator[Connection]:
        """A transaction whose reads see one moment, and which writes nothing. Raises ``StorageTrouble``."""
        with self._errors("leer"), self._engine.connect().execution_options(reading=True) as connection:
            yield self._kind.still(connection)
            connection.rollback()

    def close(self) -> None:
        if os.getpid() == self._process:
            self._engine.dispose()

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        if os.getpid() != self._process:
            raise Bug("a forked process used the office database of its parent")
        with self._lock, office_errors(what, self.place, self._kind):
            yield


@contextmanager
def office_errors(what: str, place: str, kind: Kind) -> Iterator[None]:
    """Turns errors of the disk or the server into one sentence: what (a verb) could not be done, and where."""
    try:
        yield
    except kind.troubles as error:
        words, remedy = kind.words(error)
        raise StorageTrouble(
            f"No se pudo {what} la base de datos de la oficina: {words}.", code="office", where=place, remedy=remedy
        ) from error
