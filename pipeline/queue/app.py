"""Queue connection: procrastinate's tables in the ledger's database, created if missing.

A job is its arguments alone: the batch and the profile that handed it in. No secret and no CUFE.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import TracebackType
from typing import Any, Self

import psycopg
from procrastinate import App, BaseRetryStrategy, PsycopgConnector, RetryDecision
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job
from procrastinate.schema import SchemaManager

from pipeline.domain.errors import StorageTrouble
from pipeline.ledger.storage import postgres_errors
from pipeline.ledger.storage.location import is_on_a_server, shown
from pipeline.ledger.storage.postgres_session import configure, configure_async, driver_arguments, number_of
from pipeline.ledger.storage.sqlite import without_a_server

LONGEST_BUSY_S = 60.0
BATCH, POLL = "lote", "consulta"
Carry = Callable[[str, str], Awaitable[None]]
"""Runs a job: its queue (a credential's mark), and its batch; "" polls what is open."""


class PutBack(Exception):
    """The job is not done: it leaves the queue again after ``seconds``; ``growing`` doubles them each time, up to a
    minute."""

    def __init__(self, seconds: float, *, growing: bool = False) -> None:
        super().__init__(f"put back for {seconds:g} s")
        self.seconds, self.growing = seconds, growing


class _Again(BaseRetryStrategy):
    """Retry strategy: any error puts the job back; the ledger knows what is left to do."""

    def __init__(self, otherwise: float) -> None:
        self._otherwise = otherwise

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision:
        seconds = exception.seconds if isinstance(exception, PutBack) else self._otherwise
        if isinstance(exception, PutBack) and exception.growing:
            seconds = min(LONGEST_BUSY_S, seconds * 2 ** min(job.attempts, 10))
        return RetryDecision(retry_in={"milliseconds": int(seconds * 1000)})


def make_app(url: str, carry: Carry, *, retry: float, connections: int) -> App:
    """procrastinate on the ledger at ``url``; ``carry`` runs a job, which waits ``retry`` seconds after a bug in it."""
    how = driver_arguments(url)
    app = App(connector=PsycopgConnector(kwargs=how, configure=configure_async, min_size=1, max_size=connections))

    @app.task(name=BATCH, pass_context=True, retry=_Again(retry))
    async def carry_batch(context: Any, batch: str, profile: str) -> None:  # noqa: ARG001 - for people
        await carry(context.job.queue, batch)

    @app.task(name=POLL, pass_context=True, retry=_Again(retry))
    async def ask_again(context: Any, profile: str) -> None:  # noqa: ARG001
        await carry(context.job.queue, "")

    return app


def quiet() -> None:
    """Silences procrastinate and its pool, whose logs are for programmers; we report what matters ourselves."""
    for name in ("procrastinate", "psycopg.pool"):
        logger = logging.getLogger(name)
        logger.addHandler(logging.NullHandler())
        logger.propagate = False


def check_server(url: str) -> None:
    """Raises ``WrongUsage`` when the ledger is a file, which cannot be shared."""
    if not is_on_a_server(url):
        raise without_a_server()


Connect = Callable[[str], AbstractContextManager[psycopg.Connection[Any]]]
"""Opens a transaction on the queue of a ledger: ``connected``, or ``Connections``, which keep what they opened."""


@contextmanager
def connected(url: str) -> Iterator[psycopg.Connection[Any]]:
    """A transaction on the queue, with its tables created if missing. Raises ``StorageTrouble``, ``WrongUsage``."""
    check_server(url)
    with _connection(url) as connection:
        _create(connection)
        yield connection


class Connections:
    """Connections of a command that uses the queue many times, in several threads: each use has one for itself, that of
    an earlier use where one is free. Ends with its ``with`` block."""

    def __init__(self) -> None:
        self._free: list[tuple[str, psycopg.Connection[Any]]] = []
        self._stack = ExitStack()
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @contextmanager
    def connected(self, url: str) -> Iterator[psycopg.Connection[Any]]:
        """As the function of this name. What a use does not bring to its end is rolled back, and its connection is not
        used again. One that ended since its last use is replaced before this one begins."""
        check_server(url)
        with queue_errors(url):
            connection, transaction = self._begun(url)
            try:
                with transaction:
                    yield connection
            except BaseException:
                connection.close()
                raise
            with self._lock:
                self._free.append((url, connection))

    def _begun(self, url: str) -> tuple[psycopg.Connection[Any], ExitStack]:
        """A connection in a transaction, which ends with the stack: a kept one that the server still knows, or a new
        one."""
        while (kept := self._kept(url)) is not None:
            try:
                return kept, _transaction(kept)
            except psycopg.Error:  # the server was started again, or ended it
                kept.close()
        fresh = self._opened(url)
        return fresh, _transaction(fresh)

    def _kept(self, url: str) -> psycopg.Connection[Any] | None:
        with self._lock:
            for number, (known, connection) in enumerate(self._free):
                if known == url:
                    del self._free[number]
                    return connection
        return None

    def _opened(self, url: str) -> psycopg.Connection[Any]:
        connection = psycopg.connect(**driver_arguments(url))
        try:
            configure(connection)
            _create(connection)
            connection.commit()
        except BaseException:
            connection.close()
            raise
        with self._lock:
            self._stack.callback(connection.close)
        return connection


def _transaction(connection: psycopg.Connection[Any]) -> ExitStack:
    """A transaction that has begun: its first word has been to the server and back."""
    stack = ExitStack()
    stack.enter_context(connection.transaction())
    return stack


def _create(connection: psycopg.Connection[Any]) -> None:
    """Creates the tables if they are missing."""
    if not _is_there(connection):
        # Of two at the same time, the second waits for the first and finds the tables.
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (number_of("cola"),))
        if not _is_there(connection):
            connection.execute(SchemaManager.get_schema())
        connection.commit()


def is_there(url: str) -> bool:
    """Whether the queue of this ledger was ever used. Raises like ``connected``."""
    check_server(url)
    with _connection(url) as connection:
        return _is_there(connection)


@contextmanager
def _connection(url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection that ends when the other side is gone, so that an interrupted client releases its locks."""
    with queue_errors(url), psycopg.connect(**driver_arguments(url)) as connection:
        configure(connection)
        yield connection


@contextmanager
def queue_errors(url: str) -> Iterator[None]:
    """Turns a server error about the queue into one sentence without a secret."""
    try:
        yield
    except (psycopg.Error, ConnectorException, OSError) as error:
        found = postgres_errors.refusal_of(
            error.__cause__ if isinstance(error, ConnectorException) and error.__cause__ else error
        )
        raise StorageTrouble(
            f"No se pudo usar la cola de trabajo: {found.words}.", code="queue", where=shown(url), remedy=found.remedy
        ) from error


def _is_there(connection: psycopg.Connection[Any]) -> bool:
    # Not to_regclass: within a transaction it may still answer from before another one created the table.
    line = connection.execute(
        "SELECT count(*) FROM pg_catalog.pg_tables WHERE schemaname = current_schema() AND tablename = %s",
        ("procrastinate_jobs",),
    ).fetchone()
    return line is not None and bool(line[0])
